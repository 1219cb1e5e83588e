"""Which episodes stay, and why each of the others does not: nothing is left out silently.

Filters are pure and take the episodes that are still in; `Selection.then` lets one follow another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from curation.coverage import Points, nearest, require_distance
from curation.duplicates import Copy, groups
from curation.errors import UsageError
from curation.library import Entry
from curation.query import Term
from curation.table import Table


@dataclass(frozen=True)
class Selection:
    """Episodes by id.

    Attributes:
        kept: in their order.
        dropped: why each of the others is not.
    """

    kept: tuple[str, ...]
    dropped: dict[str, str] = field(default_factory=dict)

    @classmethod
    def by(cls, entries: Iterable[Entry], reason: Callable[[Entry], str | None]) -> Self:
        """Those for which there is no reason against them."""
        kept, dropped = [], {}
        for entry in entries:
            why = reason(entry)
            if why is None:
                kept.append(entry.episode_id)
            else:
                dropped[entry.episode_id] = why
        return cls(tuple(kept), dropped)

    def then(self, entries: Sequence[Entry], judge: Callable[[Sequence[Entry]], Selection]) -> Selection:
        """This one, and another filter over what it kept of `entries`."""
        inside = set(self.kept)
        further = judge([entry for entry in entries if entry.episode_id in inside])
        return Selection(further.kept, self.dropped | further.dropped)


def saved(entries: Iterable[Entry]) -> Selection:
    """Episodes that count: not those that are masked, nor takes that are none."""
    return Selection.by(entries, lambda entry: None if entry.state == "saved" else f"it is {entry.state}")


def fitting(entries: Iterable[Entry], terms: Sequence[Term]) -> Selection:
    """Episodes for which every term of a query holds; the first that does not is the reason."""
    return Selection.by(entries, lambda entry: next((t.reason(entry) for t in terms if not t.holds(entry)), None))


def farther_than(entries: Sequence[Entry], metres: float, others: Mapping[str, Points]) -> Selection:
    """The gap filter: episodes recorded at least so far from all placements of other datasets.

    Args:
        entries: their own recorded placements are asked, not planned ones.
        metres: at exactly this distance an episode is kept.
        others: placements by dataset, shape (M, 2) each.

    Raises:
        UsageError: the distance is not a positive number.
    """
    require_distance(metres)
    points = np.concatenate([np.zeros((0, 2)), *others.values()])
    names = np.repeat(list(others), [len(part) for part in others.values()])
    distance, index = nearest(_places(entries), points)
    where = {entry.episode_id: (float(d), int(i)) for entry, d, i in zip(entries, distance, index, strict=True)}

    def reason(entry: Entry) -> str | None:
        if entry.x is None or entry.y is None:
            return "its placement is unknown"
        d, i = where[entry.episode_id]
        # A tenth of a micrometre, because distances of decimal numbers are not decimal.
        if d >= metres - 1e-7:
            return None
        x, y = points[i]
        return f"{d:.3f} m from ({x:.3f}, {y:.3f}) in {names[i]}, nearer than {metres:g}"

    return Selection.by(entries, reason)


def near(entries: Iterable[Entry], x: float, y: float, radius: float) -> Selection:
    """Episodes recorded within a radius [m] of a place.

    Raises:
        UsageError: the radius is not a positive number, or the place is none.
    """
    require_distance(radius)
    if not math.isfinite(x + y):
        raise UsageError(f"({x}, {y}) is no place: give X Y RADIUS in metres.")

    def reason(entry: Entry) -> str | None:
        if entry.x is None or entry.y is None:
            return "its placement is unknown"
        away = math.hypot(entry.x - x, entry.y - y)
        if away <= radius + 1e-7:
            return None
        return f"{away:.3f} m from ({x:g}, {y:g}), farther than {radius:g}"

    return Selection.by(entries, reason)


def in_view(entries: Iterable[Entry], table: Table) -> Selection:
    """Episodes whose block every fixed camera saw whole when they began."""

    def reason(entry: Entry) -> str | None:
        if entry.x is None or entry.y is None:
            return "its placement is unknown"
        if table.seen(np.array([[entry.x, entry.y]]))[0]:
            return None
        return f"the block at ({entry.x:.3f}, {entry.y:.3f}) is not wholly in every camera's view"

    return Selection.by(entries, reason)


def without_lazy(entries: Iterable[Entry]) -> Selection:
    """Episodes without a grip too weak for hardware; where it is unknown, they stay."""
    return Selection.by(entries, lambda entry: "its grip was too weak for hardware (lazy)" if entry.lazy else None)


def distinct[Key: Hashable](episodes: Sequence[tuple[Key, str, Entry]], pairs: Sequence[Copy]) -> dict[Key, str]:
    """Why all but one of every group of copies go; the one that stays is named.

    Of a group the success stays before a failure, then the higher score, the longer one, and the earlier in the list.

    Args:
        episodes: key, name for people and entry of each, over all datasets, in the order of the compared tracks.
        pairs: which of them are one motion.

    Returns:
        Reason by key.
    """

    def worth(i: int) -> tuple[bool, float, int, int]:
        entry = episodes[i][2]
        return entry.success, -1.0 if entry.score is None else entry.score, entry.frames, -i

    reasons: dict[Key, str] = {}
    for group in groups(len(episodes), pairs):
        best = max(group, key=worth)
        for i in group:
            if i != best:
                said = f"the same motion as {episodes[best][1]}, which is kept{_overlap(pairs, i, best)}"
                reasons[episodes[i][0]] = said
    return reasons


def _overlap(pairs: Sequence[Copy], i: int, best: int) -> str:
    for pair in pairs:
        if {pair.a, pair.b} == {i, best}:
            shift = pair.shift if pair.a == i else -pair.shift
            moved = f", {abs(shift)} frames {'later' if shift > 0 else 'earlier'} there" if shift else ""
            return f" ({pair.frames} frames within {pair.largest:.3f} deg{moved})"
    return ""


def _places(entries: Sequence[Entry]) -> Points:
    nan = math.nan
    known = [(nan if e.x is None else e.x, nan if e.y is None else e.y) for e in entries]
    return np.array(known, dtype=np.float64).reshape(-1, 2)
