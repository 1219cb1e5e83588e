"""What a classifier is measured on: episodes it has not seen, and in what they are new to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifiers.labels import Labelled

NEAR_M = 0.02
"""Placements closer than this are one position [m]: less than a block."""
CELL_M = 0.04
"""Side of the squares of the table that are held out whole [m]."""


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
    row = one.episode.row
    known = np.array(learned["positions"], np.float64).reshape(-1, 2)
    position = None
    if np.isfinite([row.x, row.y]).all() and len(known):
        position = bool(np.hypot(*(known - (row.x, row.y)).T).min() >= NEAR_M)
    return Novelty(position, one.session not in learned["sessions"], row.operator not in learned["operators"])


def held_out_by_position(
    episodes: Sequence[Labelled], share: float, rng: np.random.Generator
) -> tuple[list[Labelled], list[Labelled]]:
    """Episodes to learn from, and those of whole squares of the table that are held out.

    Pieces and copies of one recording stay on one side: they share their placement, and episodes without a placement
    are told apart by their recording instead.
    """
    squares: dict[tuple[Any, ...], list[Labelled]] = {}
    for one in episodes:
        squares.setdefault(_square(one), []).append(one)
    keys = sorted(squares, key=str)
    learn: list[Labelled] = []
    held: list[Labelled] = []
    for at in rng.permutation(len(keys)):
        some = squares[keys[at]]
        (held if len(held) + len(some) / 2 <= share * len(episodes) else learn).extend(some)
    return learn, held


def _square(one: Labelled) -> tuple[Any, ...]:
    row = one.episode.row
    if np.isfinite([row.x, row.y]).all():
        return int(row.x // CELL_M), int(row.y // CELL_M)
    return (one.recording,)
