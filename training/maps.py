"""Success over the table: cells with their intervals, distance rings, what lies between two policies, and where the map
is least certain. Metres."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from curation.coverage import CELL, RADIUS, nearest
from curation.doubt import heard
from curation.errors import UsageError
from curation.rates import Rate, wilson
from curation.table import Points
from curation.trials import Trials

from .as_trained import driven
from .choice import current, training_of
from .evaluated import Evaluation, Row
from .foretelling import MEASURES, of_row

RING = 0.05
"""Width of distance rings [m]."""
_SAME = 1e-6
"""Asked positions closer than this are one [m]."""

Numbers = NDArray[np.float64]
Place = tuple[float, float]


@dataclass(frozen=True)
class Cell:
    """A piece of the table.

    Attributes:
        x, y: its middle [m].
        wide, tall: its sides along y and along x [m].
        rate: of feasible episodes in it.
        infeasible: episodes at places where the arm cannot do it.
    """

    x: float
    y: float
    wide: float
    tall: float
    rate: Rate
    infeasible: int


@dataclass(frozen=True)
class Ring:
    """Distances from `low` up to, not including, `high` [m], and the success there."""

    low: float
    high: float
    rate: Rate


def trials_of(rows: Sequence[Row], measure: str = MEASURES[0]) -> Trials:
    """Rows as an evaluation table, the infeasible ones counted; `measure` says how unsure the policy was."""
    good = [row for row in rows if row.feasible]
    points = np.array([(row.x, row.y) for row in good], float).reshape(-1, 2)
    told = np.array([of_row(row.told, measure) for row in good], float)
    unsure = None if np.isnan(told).all() else told
    return Trials(points, np.array([row.success for row in good], bool), len(rows) - len(good), unsure)


def cells(rows: Sequence[Row], side: float = CELL) -> list[Cell]:
    """Success by piece of the table, x falling, then y falling.

    Where the same places were asked for again and again, as on a grid, each is a cell; else the table is cut into
    squares.

    Args:
        rows: of one evaluation, or of several.
        side: of the squares [m].
    """
    found = []
    for (x, y), (wide, tall, here) in pieces(rows, side).items():
        good = [row for row in here if row.feasible]
        rate = wilson(sum(row.success for row in good), len(good))
        found.append(Cell(x, y, wide, tall, rate, len(here) - len(good)))
    return sorted(found, key=lambda cell: (-cell.x, -cell.y))


def pieces(rows: Sequence[Row], side: float = CELL) -> dict[Place, tuple[float, float, list[Row]]]:
    """Middle of each cell to its two sides and its rows."""
    asked = [_asked(row) for row in rows]
    places = {place for place in asked if place is not None}
    wide = tall = side
    keys = [_square(row, side) for row in rows]
    if 1 < len(places) <= len(rows) / 2 and None not in asked:
        tall, wide = (_spacing([place[axis] for place in places]) for axis in (0, 1))
        keys = [place for place in asked if place is not None]
    gathered: dict[Place, list[Row]] = defaultdict(list)
    for key, row in zip(keys, rows, strict=True):
        gathered[key].append(row)
    return {key: (wide, tall, here) for key, here in gathered.items()}


def _asked(row: Row) -> Place | None:
    x, y = row.told.get("asked_x"), row.told.get("asked_y")
    return None if x is None or y is None else (round(float(x), 5), round(float(y), 5))


def _square(row: Row, side: float) -> Place:
    """Middles of squares that begin at the base frame's origin, so that those of different evaluations coincide."""
    return (round((math.floor(row.x / side) + 0.5) * side, 5), round((math.floor(row.y / side) + 0.5) * side, 5))


def _spacing(values: Sequence[float]) -> float:
    """The least distance of different values, at most two squares'."""
    steps = np.diff(np.unique(np.round(values, 5)))
    apart = steps[steps > _SAME]
    return float(min(apart.min(), 2 * CELL)) if len(apart) else CELL


def ring_edges(distances: Numbers, asked: Sequence[float] = ()) -> list[float]:
    """Edges of rings: those asked for, or every `RING` until the farthest episode.

    Raises:
        UsageError: they do not rise from 0 on.
    """
    if asked:
        edges = [0.0, *asked] if asked[0] > 0 else list(asked)
        if any(b <= a for a, b in pairwise(edges)) or edges[0] < 0 or len(edges) < 2:
            raise UsageError(f"Rings {' '.join(f'{edge:g}' for edge in asked)} must be rising distances in metres.")
        return edges
    farthest = float(distances.max()) if len(distances) else RING
    return [RING * number for number in range(math.floor(farthest / RING + 1e-9) + 2)]


def rings(trials: Trials, origins: Points, asked: Sequence[float] = ()) -> list[Ring]:
    """Success against the distance to the nearest origin.

    Args:
        trials: of an evaluation.
        origins: the centre, or the positions of training, shape (M, 2) [m].
        asked: edges [m]; by default every `RING`.
    """
    distance, _ = nearest(trials.points, origins)
    edges = ring_edges(distance, asked)
    found = []
    for low, high in pairwise(edges):
        here = (low <= distance) & (distance < high)
        found.append(Ring(low, high, wilson(int(trials.success[here].sum()), int(here.sum()))))
    return found


@dataclass(frozen=True)
class Field:
    """A smoothed estimate of success.

    Attributes:
        points: shape (N, 2) [m].
        mean: of the success rate at each, shape (N,).
        spread: standard deviation of what is known of it, shape (N,); 0.29 where nothing was tried.
        trials: weight of the trials heard there, shape (N,).
    """

    points: Points
    mean: Numbers
    spread: Numbers
    trials: Numbers


def field(points: Points, trials: Trials, reach: float = RADIUS) -> Field:
    """Success at points as trials around tell it, each the less the farther it was, with a uniform prior."""
    tried, failed = heard(points, trials, reach)
    return Field(points, *expected(1 + tried - failed, 1 + failed), tried)


def expected(wins: Numbers, losses: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and standard deviation of beta distributions."""
    total = wins + losses
    mean: Numbers = wins / total
    spread: Numbers = np.sqrt(mean * (1 - mean) / (total + 1))
    return mean, spread


def training_positions(told: dict[str, object]) -> Points:
    """Placements of the training episodes as run.json lists them, shape (M, 2) [m]."""
    listed = told.get("positions")
    places = [(float(place[0]), float(place[1])) for place in listed] if isinstance(listed, list) else []
    return np.array(places, float).reshape(-1, 2)


def pooled(one: Evaluation, evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """One evaluation and the others of the same weights that differ from it in placements only.

    Those by which a checkpoint was chosen are left out, unless it is one itself.

    Args:
        one: which stands for the training.
        evaluations: all there are.
    """
    same = [other for other in current(evaluations) if other.folder != one.folder and _alike(one, other)]
    return (one, *(other for other in same if one.raced or not other.raced))


def rows_of(evaluations: Sequence[Evaluation]) -> list[Row]:
    """All rows of several evaluations; the same episode in two of them once, as the one says it that heard more."""
    found: dict[tuple[object, ...], Row] = {}
    for evaluation in sorted(evaluations, key=lambda one: -one.samples):
        for row in evaluation.rows:
            found.setdefault(row.place, row)
    return list(found.values())


def _alike(one: Evaluation, other: Evaluation) -> bool:
    return _way(one) == _way(other)


def _way(one: Evaluation) -> tuple[object, ...]:
    conditions = {name: value for name, value in one.conditions.items() if not name.startswith("placements ")}
    return training_of(one), one.step, one.told.get("checkpoint_digest"), conditions, driven(one.settings)
