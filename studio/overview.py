"""The datasets under the data home, each in a few numbers. Reads metadata only: no frames, no videos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.attempts import quotable, read_attempts
from curation.layout import INFO
from curation.library import Entry, entries
from curation.rates import Rate
from curation.store import Store

WATCHED = (INFO, "meta/studio/takes", "meta/studio/notes.jsonl", "meta/studio/attempts.jsonl")
"""What changes whenever a card does, relative to the dataset."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """One dataset.

    Attributes:
        name: of its folder.
        root: its folder.
        episodes: saved and not masked.
        masked: saved and masked.
        waiting: takes that are kept and not drawn yet.
        unfinished: takes that nobody kept or discarded.
        seconds: of all episodes that are not masked.
        outcomes: episodes by outcome, most frequent first.
        success: the rate that may be quoted, and what it counts.
        spots: placements with their outcome: (x, y, outcome) [m].
        operators: who drove.
        scene: what stands on the table, as it is stored; empty if that is not known.
        changed: when the dataset last changed.
        damage: why it cannot be read; everything else is empty then.
    """

    name: str
    root: Path
    episodes: int = 0
    masked: int = 0
    waiting: int = 0
    unfinished: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    success: Rate | None = None
    success_of: str = ""
    spots: tuple[tuple[float, float, str], ...] = ()
    operators: tuple[str, ...] = ()
    scene: dict[str, Any] = field(default_factory=dict)
    changed: datetime | None = None
    damage: str = ""

    def values(self) -> dict[str, Any]:
        """The card as JSON values."""
        return {**asdict(self), "root": str(self.root), "changed": self.changed and self.changed.isoformat()}


def dataset_folders(home: Path) -> list[Path]:
    """Folders of datasets under `home`, by name."""
    if not home.is_dir():
        return []
    return sorted((path for path in home.iterdir() if (path / INFO).is_file()), key=lambda path: path.name.lower())


class Overview:
    """The cards of a data home; datasets that did not change are not read again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._known: dict[Path, tuple[object, Card]] = {}

    def cards(self) -> list[Card]:
        """Every dataset, the one that changed last first."""
        known = {}
        for root in dataset_folders(self.home):
            now = mark(root)
            before = self._known.get(root)
            known[root] = before if before and before[0] == now else (now, read_card(root))
        self._known = known
        oldest = datetime.min.replace(tzinfo=UTC)
        return sorted((card for _, card in known.values()), key=lambda card: card.changed or oldest, reverse=True)


def read_card(root: Path) -> Card:
    """A dataset in a few numbers; what cannot be read is named, not raised."""
    name = root.resolve().name
    try:
        listed = entries(root)
        attempts, _ = read_attempts(root)
        store = Store.open(root)
        success, success_of = quotable(store.rows(), attempts)
    except Exception as error:  # noqa: BLE001  whatever one folder holds, the others are shown
        return Card(name=name, root=root, damage=str(error), changed=_changed(root))
    saved = [entry for entry in listed if entry.state == "saved"]
    counts = Counter(entry.state for entry in listed)
    return Card(
        name=name,
        root=root,
        episodes=len(saved),
        masked=counts["masked"],
        waiting=counts["waiting"],
        unfinished=counts["unfinished"],
        seconds=sum(entry.seconds for entry in saved),
        outcomes=dict(Counter(entry.outcome for entry in saved).most_common()),
        success=success,
        success_of=success_of,
        spots=_spots(saved),
        operators=tuple(sorted({entry.operator for entry in saved if entry.operator})),
        scene=store.scene.get("scene") or {},
        changed=_changed(root),
    )


def _spots(saved: Iterable[Entry]) -> tuple[tuple[float, float, str], ...]:
    return tuple((e.x, e.y, e.outcome) for e in saved if e.x is not None and e.y is not None)


def mark(root: Path) -> object:
    """Changes when what a person sees of a dataset does."""
    marks: list[object] = []
    for name in WATCHED:
        path = root / name
        try:
            stat = path.stat()
        except OSError:
            marks.append(None)
            continue
        marks.append((stat.st_mtime_ns, stat.st_size))
    return tuple(marks)


def _changed(root: Path) -> datetime | None:
    times = [(root / name).stat().st_mtime for name in WATCHED if (root / name).exists()]
    return datetime.fromtimestamp(max(times), UTC) if times else None
