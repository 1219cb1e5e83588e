"""Control sets: what an experiment compares a selection with, so that its size, places or lengths are not the cause."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curation.coverage import RADIUS
from curation.errors import UsageError
from curation.library import Entry

Kind = Literal["random", "matched"]
LENGTH_RATIO = 1.25
"""A length off by this factor counts in matching as much as a placement off by `RADIUS` (assumed)."""
UNKNOWN = 10.0
"""Distance of a known placement to an unknown one, in those units: matched only when nothing else is left."""
Key = Hashable


@dataclass(frozen=True, kw_only=True)
class Control:
    """A control set.

    Attributes:
        kind: how it was drawn.
        seed: with which it can be drawn again.
        asked: size of the selection.
        keys: of the episodes, in the candidates' order.
        pairs: matched only: (of the selection, of the control).
        metres: median and largest distance of placements within pairs [m]; None where none is known or nothing paired.
        length_ratio: median and largest factor between lengths within pairs; None where nothing is paired.
        shift: difference of the means, control less selection: x [m], y [m], frames; None where unknown.
    """

    kind: Kind
    seed: int
    asked: int
    keys: tuple[Key, ...]
    pairs: tuple[tuple[Key, Key], ...]
    metres: tuple[float, float] | None
    length_ratio: tuple[float, float] | None
    shift: tuple[float | None, float | None, float | None]

    @property
    def words(self) -> str:
        """What it is and how well it matches, on a line."""
        size = f"{len(self.keys)} episodes" if len(self.keys) == self.asked else f"{len(self.keys)} of {self.asked}"
        said = [f"{self.kind} control, seed {self.seed}: {size}"]
        if self.metres is not None:
            said.append(f"placements {1e3 * self.metres[0]:.0f} mm apart (median), {1e3 * self.metres[1]:.0f} at most")
        if self.length_ratio is not None:
            said.append(f"lengths off by a factor {self.length_ratio[0]:.2f} (median), {self.length_ratio[1]:.2f}")
        names = ("x {:+.3f} m", "y {:+.3f} m", "frames {:+.1f}")
        means = [name.format(value) for name, value in zip(names, self.shift, strict=True) if value is not None]
        if means:
            said.append(f"means differ by {', '.join(means)}")
        return "; ".join(said)


def control(
    kept: Sequence[Key], candidates: Sequence[tuple[Key, Entry]], kind: Kind, seed: int, *, outside: bool = True
) -> Control:
    """A set to compare a selection with.

    "random": as many of all candidates, the selection's own among them, each set of that size as likely as another.
    "matched": for each of the selection, in random order, the candidate outside of it that is nearest in placement and
    length and not taken yet. It is smaller than the selection where too few are left, and says so.

    Args:
        kept: keys of the selection.
        candidates: episodes it was chosen from, with their keys.
        kind: how to draw.
        seed: of the draw.
        outside: whether a matched control leaves out the whole selection, or, of each, only itself: whoever leaves out
            all that a filter passed compares it with what the filter refused, not with what it chose from.

    Raises:
        UsageError: the seed is negative, or one of the selection is no candidate.
    """
    if seed < 0:
        raise UsageError(f"A seed must be at least 0; got {seed}.")
    entries = dict(candidates)
    strange = [key for key in kept if key not in entries]
    if strange:
        raise UsageError(f"{strange[0]} is not among the candidates of the control set.")
    rng = np.random.default_rng(seed)
    if kind == "random":
        drawn = rng.choice(len(candidates), size=len(kept), replace=False) if kept else np.zeros(0, int)
        return _control(kind, seed, kept, entries, [candidates[i][0] for i in sorted(drawn)], [])
    pairs = _matched(kept, entries, rng, outside=outside)
    taken = {other for _, other in pairs}
    return _control(kind, seed, kept, entries, [key for key in entries if key in taken], pairs)


def _matched(
    kept: Sequence[Key], entries: dict[Key, Entry], rng: np.random.Generator, *, outside: bool
) -> list[tuple[Key, Key]]:
    inside = set(kept) if outside else set()
    others = [key for key in entries if key not in inside]
    # A random order first: of equally near ones the first is taken, and none shall be favoured.
    others = [others[i] for i in rng.permutation(len(others))]
    if not others or not kept:
        return []
    theirs = np.array([_numbers(entries[key]) for key in others])
    free = np.ones(len(others), bool)
    pairs = []
    for i in rng.permutation(len(kept)):
        may = free & np.array([key != kept[i] for key in others])
        if not may.any():
            continue
        away = np.where(may, _away(np.array(_numbers(entries[kept[i]])), theirs), np.inf)
        best = int(away.argmin())
        free[best] = False
        pairs.append((kept[i], others[best]))
    place = {key: rank for rank, key in enumerate(kept)}
    return sorted(pairs, key=lambda pair: place[pair[0]])


def _away(one: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = np.hypot(others[:, 0] - one[0], others[:, 1] - one[1]) / RADIUS
    unknown = np.isnan(others[:, 0]), bool(np.isnan(one[0]))
    apart = np.where(unknown[0] & unknown[1], 0.0, np.where(unknown[0] | unknown[1], UNKNOWN, apart))
    found: NDArray[np.float64] = np.hypot(apart, (others[:, 2] - one[2]) / math.log(LENGTH_RATIO))
    return found


def _numbers(entry: Entry) -> tuple[float, float, float]:
    known = entry.x is not None and entry.y is not None
    return (*((entry.x, entry.y) if known else (math.nan, math.nan)), math.log(max(1, entry.frames)))  # type: ignore[return-value]


def _control(
    kind: Kind, seed: int, kept: Sequence[Key], entries: dict[Key, Entry], keys: Sequence[Key],
    pairs: Sequence[tuple[Key, Key]],
) -> Control:  # fmt: skip
    both = np.array([(_numbers(entries[a]), _numbers(entries[b])) for a, b in pairs]).reshape(-1, 2, 3)
    apart = np.hypot(both[:, 0, 0] - both[:, 1, 0], both[:, 0, 1] - both[:, 1, 1])
    apart = apart[np.isfinite(apart)]
    ratio = np.exp(np.abs(both[:, 0, 2] - both[:, 1, 2]))
    return Control(
        kind=kind,
        seed=seed,
        asked=len(kept),
        keys=tuple(keys),
        pairs=tuple(pairs),
        metres=(float(np.median(apart)), float(apart.max())) if len(apart) else None,
        length_ratio=(float(np.median(ratio)), float(ratio.max())) if len(ratio) else None,
        shift=_shift([entries[key] for key in kept], [entries[key] for key in keys]),
    )


def _shift(kept: Sequence[Entry], drawn: Sequence[Entry]) -> tuple[float | None, float | None, float | None]:
    def mean(entries: Sequence[Entry], name: str) -> float:
        values = [value for entry in entries if (value := getattr(entry, name)) is not None]
        return float(np.mean(values)) if values else math.nan

    found = [mean(drawn, name) - mean(kept, name) for name in ("x", "y", "frames")]
    x, y, frames = (value if math.isfinite(value) else None for value in found)
    return x, y, frames
