"""What a classifier is measured on: episodes it has not seen, and in what they are new to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifiers.labels import Labelled

NEAR_M = 0.02
"""Placements closer than this are one position [m]: less than a block."""
CELL_M = 0.04
"""Side of the squares of the table that stay together [m]."""
DIRECTIONS = 16
"""Directions along which a side of the table is looked for that has both kinds of episodes."""
LEAST_EACH = 4
"""Episodes of either kind that either side should have (assumed): fewer say nothing."""


@dataclass(frozen=True)
class Novelty:
    """In what a held-out episode differs from everything learned from; None where nobody knows.

    Attributes:
        position: at least `NEAR_M` from every placement learned from.
        session: recorded in another session.
        policy: driven by another operator.
    """

    position: bool | None
    session: bool
    policy: bool


def novelty(one: Labelled, learned: Mapping[str, Any]) -> Novelty:
    """Compare with what a classifier says it learned from."""
    known, place = np.array(learned["positions"], np.float64).reshape(-1, 2), _place(one)
    position = None
    if place is not None and len(known):
        position = bool(np.hypot(*(known - place).T).min() >= NEAR_M)
    operator = one.episode.row.operator
    return Novelty(position, one.session not in learned["sessions"], operator not in learned["operators"])


def one_side(
    episodes: Sequence[Labelled], share: float, rng: np.random.Generator
) -> tuple[list[Labelled], list[Labelled]]:
    """Episodes to learn from, and those of one side of the table that are held out, seen along a random direction.

    Only along the line between them is a held-out placement near one that was learned from. Of some directions the
    first is taken that leaves both kinds on both sides. Pieces and copies of one recording stay together, since they
    share their placement; episodes without a placement are drawn by recording.
    """
    placed = [one for one in episodes if _place(one) is not None]
    learn, held = whole_parts([one for one in episodes if _place(one) is None], share, rng)
    sides = [_cut(placed, share, float(angle)) for angle in rng.uniform(-math.pi, math.pi, DIRECTIONS)]
    chosen = next((side for side in sides if all(rarer(part) >= LEAST_EACH for part in side)), sides[0])
    return chosen[0] + learn, chosen[1] + held


def whole_parts(
    episodes: Sequence[Labelled], share: float, rng: np.random.Generator
) -> tuple[list[Labelled], list[Labelled]]:
    """Two parts, of which the second is about so large; squares of the table, and recordings, stay in one of them."""
    squares: dict[tuple[Any, ...], list[Labelled]] = {}
    for one in episodes:
        squares.setdefault(_square(one), []).append(one)
    keys = sorted(squares, key=str)
    first: list[Labelled] = []
    second: list[Labelled] = []
    for at in rng.permutation(len(keys)):
        some = squares[keys[at]]
        (second if len(second) + len(some) / 2 <= share * len(episodes) else first).extend(some)
    return first, second


def rarer(episodes: Sequence[Labelled]) -> int:
    """How many there are of the kind there are fewer of."""
    good = sum(one.success for one in episodes)
    return min(good, len(episodes) - good)


def _cut(episodes: Sequence[Labelled], share: float, angle: float) -> tuple[list[Labelled], list[Labelled]]:
    """The episodes of one side, and of the other, where about a share of them lies."""
    along = [round(one.episode.row.x * math.cos(angle) + one.episode.row.y * math.sin(angle), 6) for one in episodes]
    order = sorted(along)
    line = order[min(len(order) - 1, round((1 - share) * len(order)))] if order else 0.0
    sides: tuple[list[Labelled], list[Labelled]] = ([], [])
    for one, at in zip(episodes, along, strict=True):
        sides[share > 0 and at >= line].append(one)
    return sides


def _place(one: Labelled) -> tuple[float, float] | None:
    row = one.episode.row
    return (row.x, row.y) if np.isfinite([row.x, row.y]).all() else None


def _square(one: Labelled) -> tuple[Any, ...]:
    place = _place(one)
    return (one.recording,) if place is None else (int(place[0] // CELL_M), int(place[1] // CELL_M))
