"""The yield of generating, as a file beside the dataset, and what it decides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import DataError
from curation.layout import ATTEMPTS, YIELD, json_bytes
from curation.notes import last_masks, masked, read_notes, scores_by_people
from curation.store import Store
from curation.yields import Yield, place_of, total, yields
from recorders.session import Session

BY = "yield"
"""Who holds back the episodes of a position whose precision nobody has shown."""


@dataclass(frozen=True)
class Found:
    """What a generation gave.

    Attributes:
        asked: how it was made, JSON values: equal values give equal attempts.
        precision: the lower bound that a position must reach; None asks for none.
        forced: whether positions below it are kept all the same.
        positions: in the order in which they were first tried.
        total: all together.
        looks: after how many attempts it was decided which positions are kept; each look is one more chance to pass by
            luck, which no interval here allows for.
        wanted: attempts that shall be made in all; None where none were asked for.
    """

    asked: Mapping[str, Any]
    precision: float | None
    forced: bool
    positions: tuple[Yield, ...]
    total: Yield
    looks: tuple[int, ...] = ()
    wanted: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "asked": dict(self.asked),
            "precision": self.precision,
            "forced": self.forced,
            "positions": [
                {**one.as_json(), **({} if self.precision is None else {"proven": one.proves(self.precision)})}
                for one in self.positions
            ],
            "total": self.total.as_json(),
            "looks": list(self.looks),
            "wanted": self.wanted,
        }

    @property
    def unproven(self) -> list[Yield]:
        """Positions below the bound that was asked for."""
        return [] if self.precision is None else [one for one in self.positions if not one.proves(self.precision)]


def find(
    session: Session,
    asked: Mapping[str, Any],
    precision: float | None = None,
    *,
    forced: bool = False,
    wanted: int | None = None,
) -> Found:
    """The yield of all attempts of a dataset, as it is now."""
    live = {row.episode_id for row in session.live}
    found = _found(session.root, session.attempts, live, asked)
    return replace(found, precision=precision, forced=forced, wanted=wanted)


def seen(root: Path) -> tuple[Found, list[dict[str, Any]]]:
    """The yield of a dataset that somebody may be recording, and its attempts; a torn last line is passed over.

    Raises:
        DataError: no attempts were made here, or their log, notes or yield are damaged.
    """
    path = root / ATTEMPTS
    told = _read(root)
    if told is None or (not path.is_file() and not told["wanted"]):
        raise DataError(f"{root} holds no attempts of studio generate. studio episodes lists what it holds.")
    try:
        whole = path.read_bytes().rpartition(b"\n")[0] if path.is_file() else b""
        lines = [dict(json.loads(line)) for line in whole.split(b"\n") if line]
        gone = masked(read_notes(root))
        live = {row.episode_id for row in Store.open(root).rows()} - gone
        found = _found(root, lines, live, told["asked"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"The log of attempts {path} is damaged: {error}. Mend or remove that line.") from error
    return replace(found, precision=told["precision"], forced=told["forced"], wanted=told["wanted"]), lines


def _found(root: Path, lines: Sequence[Mapping[str, Any]], live: set[str], asked: Mapping[str, Any]) -> Found:
    scores = {name: float(note.value) for name, note in scores_by_people(read_notes(root)).items()}
    return Found(asked, None, False, tuple(yields(lines, scores, live)), total(lines, scores, live), looks_of(root))


def decide(session: Session, found: Found) -> Found:
    """Hold back what no bound speaks for, bring back what one does; what a person put to the trash stays there.

    Returns:
        The yield after that.
    """
    held = set() if found.forced else {one.place for one in found.unproven}
    last = last_masks(read_notes(session.root))
    shown: list[str] = []
    away: list[str] = []
    for line in session.attempts:
        name = str(line["episode_id"])
        said = last.get(name)
        if not line["kept"] or (said is not None and said.by != BY):
            continue
        masked = said is not None and bool(said.value)
        if (place_of(line) in held) != masked:
            (shown if masked else away).append(name)
    session.mask(away, True, BY)
    session.mask(shown, False, BY)
    decided = find(session, found.asked, found.precision, forced=found.forced, wanted=found.wanted)
    made = len(session.attempts)
    if found.precision is None or made in decided.looks:
        return decided
    return replace(decided, looks=(*decided.looks, made))


def write(root: Path, found: Found) -> None:
    """Write it beside the dataset."""
    write_aside(root / YIELD, json_bytes(found.as_json()))


def asked_of(root: Path) -> dict[str, Any] | None:
    """How the attempts of a dataset are made; None if nobody said.

    Raises:
        DataError: the file is damaged.
    """
    told = _read(root)
    return None if told is None else dict(told["asked"])


def looks_of(root: Path) -> tuple[int, ...]:
    """After how many attempts it was decided what is kept; errors as `asked_of`."""
    told = _read(root)
    return () if told is None else tuple(told["looks"])


def _read(root: Path) -> dict[str, Any] | None:
    path = root / YIELD
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_bytes())
        wanted, precision = told.get("wanted"), told.get("precision")
        return {
            "asked": dict(told["asked"]),
            "looks": [int(look) for look in told["looks"]],
            "precision": None if precision is None else float(precision),
            "forced": bool(told.get("forced")),
            "wanted": None if wanted is None else int(wanted),
        }
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Move it away, and the next run writes it anew.") from error
