"""A generation as its dataset says now, read in a worker and only when it grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation.atomic import is_held
from curation.errors import StudioError
from curation.layout import ATTEMPTS, INFO, NOTES, SESSION_LOCK, YIELD
from curation.rates import Rate, wilson
from curation.store import Store
from curation.yields import Yield
from studio import yielding
from studio.tui.evaluation_sight import Spots
from studio.yielding import Found

_WATCHED = (ATTEMPTS, YIELD, NOTES, INFO)
Measure = Literal["kept", "success", "precision"]
"""Accepted of all attempts; successes of the judged ones; successes of those accepted and judged."""


@dataclass(frozen=True)
class GenerationSight:
    """A generation at one moment.

    Attributes:
        root: the dataset.
        found: its yield; None where it cannot be read, or is not there yet.
        lines: its attempts.
        scene: of the world, as it is stored.
        held: whether a process records into it.
        wrong: what cannot be read.
    """

    root: Path
    found: Found | None = None
    lines: Sequence[Mapping[str, Any]] = ()
    scene: Mapping[str, Any] = field(default_factory=dict)
    held: bool = False
    wrong: str = ""

    @property
    def made(self) -> int:
        return len(self.lines)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What can be told of positions."""
        heard = self.found is not None and self.found.total.precision is not None
        return ("kept", "success", "precision") if heard else ("kept", "success")


class GenerationWatch:
    """Looks at one dataset again and again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mark: object = None
        self._sight = GenerationSight(root)

    def look(self) -> GenerationSight:
        """As it is now. Never raises: what is damaged is said."""
        held = is_held(self._root / SESSION_LOCK)
        mark = (held, *(_mark(self._root / path) for path in _WATCHED))
        if mark != self._mark:
            self._mark, self._sight = mark, _read(self._root, held)
        return self._sight


def _read(root: Path, held: bool) -> GenerationSight:
    if not (root / INFO).is_file():
        return GenerationSight(root, held=held)
    try:
        found, lines = yielding.seen(root)
        scene = Store.open(root).scene.get("scene") or {}
    except StudioError as error:
        return GenerationSight(root, held=held, wrong=str(error))
    return GenerationSight(root, found, lines, scene, held)


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size


def rate_of(one: Yield, measure: Measure) -> Rate:
    """One number about a position."""
    if measure == "kept":
        return wilson(one.accepted, one.attempts)
    return one.base if measure == "success" else one.precision or wilson(0, 0)


def spots_of(sight: GenerationSight, measure: Measure, *, labels: bool = True) -> Spots:
    """Every position: all, some or none; those of a list that nobody has tried yet as planned ones."""
    if sight.found is None:
        return []
    tried = [one for one in sight.found.positions if one.place.x is not None]
    spots: Spots = [_spot(one, rate_of(one, measure), labels) for one in tried]
    names = {one.place.name for one in tried}
    listed = dict(sight.found.asked.get("placements") or {}).get("targets") or []
    return spots + [(x, y, "planned", "") for name, x, y, *_ in listed if name not in names]


def shades_of(sight: GenerationSight, measure: Measure) -> list[tuple[float, float, float]]:
    """x, y [m] and the rate of every position that has one."""
    if sight.found is None:
        return []
    rates = [(one.place.x, one.place.y, rate_of(one, measure)) for one in sight.found.positions]
    return [(x, y, rate.k / rate.n) for x, y, rate in rates if x is not None and y is not None and rate.n]


def _spot(one: Yield, rate: Rate, labels: bool) -> tuple[Any, ...]:
    kind = "planned" if not rate.n else "failed" if not rate.k else "saved" if rate.k == rate.n else "mixed"
    return one.place.x, one.place.y, kind, f"{rate.k}/{rate.n}" if labels and rate.n else ""
