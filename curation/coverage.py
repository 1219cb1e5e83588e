"""Where the data is: distances between positions on the table, and patterns of positions to record at. Metres."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.errors import UsageError
from curation.notes import masked, read_notes
from curation.store import Store
from curation.table import STEP, Box, Points, Table
from curation.targets import Target

__all__ = [
    "CELL",
    "RADIUS",
    "Box",
    "Cell",
    "Close",
    "Coverage",
    "Points",
    "cover",
    "farthest",
    "gaps",
    "grid",
    "nearest",
    "placements_of",
    "require_distance",
    "ring",
    "scatter",
    "too_close",
    "unplaced",
]

RADIUS = 0.07
"""Distance below which a position adds little to recorded ones [m]: what the earlier work saw its policies reach."""
CELL = 0.05
"""Side of the cells in which episodes are counted [m]."""


@dataclass(frozen=True)
class Close:
    """A target near a recorded or named position, x and y [m], at a distance [m]."""

    target: Target
    distance: float
    x: float
    y: float


@dataclass(frozen=True)
class Cell:
    """A square of the table.

    Attributes:
        x, y: its middle [m].
        recordable: share of it where a block can be recorded.
        episodes: that were recorded in it.
    """

    x: float
    y: float
    recordable: float
    episodes: int


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Where the data is on a table.

    Attributes:
        episodes: with a known placement.
        radius: within which data is taken to cover [m].
        area: where a block can be recorded, as far as it is of interest [m^2].
        share: of that area within the radius of data.
        spacing: distance of an episode to the nearest other: median and largest [m]; None with fewer than two.
        gap: x, y and distance to data of the recordable place that is farthest from it [m]; None without data.
        outside: episodes that lie where none can be recorded on this table.
        cells: every cell with an episode or with recordable area, x falling, then y falling.
    """

    episodes: int
    radius: float
    area: float
    share: float
    spacing: tuple[float, float] | None
    gap: tuple[float, float, float] | None
    outside: int
    cells: tuple[Cell, ...]


def cover(table: Table, data: Points, radius: float = RADIUS, lattice: Points | None = None) -> Coverage:
    """Where the data is.

    Args:
        table: on which it was recorded.
        data: placements, shape (M, 2) [m].
        radius: within which data is taken to cover [m].
        lattice: part of the table's that is of interest, shape (N, 2) [m].

    Raises:
        UsageError: the radius is not a positive number.
    """
    require_distance(radius)
    lattice = table.lattice if lattice is None else lattice
    data = np.asarray(data, float).reshape(-1, 2)
    away, _ = nearest(lattice, data)
    gap = None
    if len(away) and len(data):
        x, y = map(float, lattice[int(away.argmax())])
        gap = x, y, float(away.max())
    others = _spacing(data)
    return Coverage(
        episodes=len(data),
        radius=radius,
        area=len(lattice) * STEP**2,
        share=float((away <= radius).mean()) if len(away) else 0.0,
        spacing=(float(np.median(others)), float(np.max(others))) if len(others) else None,
        gap=gap,
        outside=int((~table.allowed(data)).sum()),
        cells=tuple(_cells(lattice, data)),
    )


def _spacing(data: Points) -> Points:
    """Distance of each point to the nearest other, shape (M,), or (0,) where there is no other."""
    found = []
    for first in range(0, len(data) if len(data) > 1 else 0, 1024):
        block = data[first : first + 1024]
        apart = np.linalg.norm(block[:, None] - data[None], axis=2)
        apart[np.arange(len(block)), first + np.arange(len(block))] = np.inf
        found.append(apart.min(axis=1))
    return np.concatenate([np.zeros(0), *found])


def _cells(lattice: Points, data: Points) -> list[Cell]:
    """Cells are counted from the base frame's origin, so that those of different datasets coincide."""
    free = _count(lattice + 1e-9)
    held = _count(data)
    full = (CELL / STEP) ** 2
    return [
        Cell(
            round((i + 0.5) * CELL, 4),
            round((j + 0.5) * CELL, 4),
            round(free.get((i, j), 0) / full, 3),
            held.get((i, j), 0),
        )
        for i, j in sorted({*free, *held}, reverse=True)
    ]


def _count(points: Points) -> dict[tuple[int, int], int]:
    cells, counts = np.unique(np.floor(points / CELL).astype(int), axis=0, return_counts=True)
    return {(int(i), int(j)): int(count) for (i, j), count in zip(cells, counts, strict=True)}


def nearest(points: Points, data: Points) -> tuple[Points, NDArray[np.int64]]:
    """The nearest data point of each point.

    Args:
        points: shape (N, 2) [m].
        data: shape (M, 2) [m]; may be empty.

    Returns:
        Distances [m], shape (N,), infinite without data, and indices, shape (N,), -1 without data.
    """
    points, data = np.asarray(points, float).reshape(-1, 2), np.asarray(data, float).reshape(-1, 2)
    distance, index = np.full(len(points), np.inf), np.full(len(points), -1, dtype=np.int64)
    # By blocks, so that memory stays small for a month of data against a fine lattice.
    for first in range(0, len(points) if len(data) else 0, 1024):
        block = points[first : first + 1024]
        all_distances = np.linalg.norm(block[:, None] - data[None], axis=2)
        index[first : first + 1024] = all_distances.argmin(axis=1)
        distance[first : first + 1024] = all_distances.min(axis=1)
    return distance, index


def too_close(targets: Sequence[Target], data: Points, radius: float = RADIUS) -> list[Close]:
    """Targets nearer to data than a radius [m], in order."""
    require_distance(radius)
    data = np.asarray(data, float).reshape(-1, 2)
    distance, index = nearest(np.array([(t.x, t.y) for t in targets]).reshape(-1, 2), data)
    return [
        Close(target, float(d), float(data[i][0]), float(data[i][1]))
        for target, d, i in zip(targets, distance, index, strict=True)
        if d < radius
    ]


def placements_of(store: Store) -> Points:
    """Where the blocks of a dataset's unmasked episodes were put, shape (M, 2) [m]; unknown places are left out."""
    hidden = masked(read_notes(store.root))
    found = [(row.x, row.y) for row in store.rows() if row.episode_id not in hidden and math.isfinite(row.x + row.y)]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def unplaced(store: Store) -> tuple[int, int]:
    """How many episodes `placements_of` leaves out: unmasked ones whose place is unknown, and masked ones."""
    hidden = masked(read_notes(store.root))
    rows = store.rows()
    unknown = sum(row.episode_id not in hidden and not math.isfinite(row.x + row.y) for row in rows)
    return unknown, sum(row.episode_id in hidden for row in rows)


def require_distance(radius: float) -> float:
    """The same distance [m].

    Raises:
        UsageError: it is not a positive number.
    """
    if not (math.isfinite(radius) and radius > 0):
        raise UsageError(f"A distance of {radius} m must be a positive number, such as {RADIUS}.")
    return radius


def _require_box(box: Box) -> None:
    if not all(map(math.isfinite, box)) or box[0] > box[1] or box[2] > box[3]:
        raise UsageError(f"The box {' '.join(f'{side:g}' for side in box)} must be X-low X-high Y-low Y-high, finite.")


def grid(box: Box, nx: int, ny: int) -> list[tuple[float, float]]:
    """A lattice over a box, x running fastest.

    Raises:
        UsageError: fewer than one column or row.
    """
    _require_box(box)
    if min(nx, ny) < 1:
        raise UsageError(f"A grid of {nx} by {ny} has no positions; give at least 1 1.")
    xs, ys = _along(*box[:2], nx), _along(*box[2:], ny)
    return _rounded((x, y) for y in ys for x in xs)


def ring(centre: tuple[float, float], radius: float, n: int) -> list[tuple[float, float]]:
    """Positions evenly around a centre, the first away from the robot.

    Raises:
        UsageError: the radius is not positive, or fewer than one position.
    """
    if radius <= 0 or n < 1:
        raise UsageError(f"A ring needs a positive radius and at least 1 position; got {radius:g} m and {n}.")
    angles = 2 * np.pi * np.arange(n) / n
    return _rounded((centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles)


def scatter(box: Box, n: int, seed: int) -> list[tuple[float, float]]:
    """Positions drawn uniformly from a box.

    Raises:
        UsageError: fewer than one position, or a negative seed.
    """
    _require_box(box)
    if n < 1 or seed < 0:
        raise UsageError(f"Random positions need at least 1 and a seed of at least 0; got {n} and seed {seed}.")
    rng = np.random.default_rng(seed)
    return _rounded(zip(rng.uniform(*box[:2], n), rng.uniform(*box[2:], n), strict=True))


def gaps(
    allowed: Callable[[float, float], bool], box: Box, data: Points, n: int, radius: float = RADIUS
) -> list[tuple[float, float]]:
    """Positions farthest from data and from each other, the farthest first; fewer than `n` once none is left.

    Args:
        allowed: whether a block may be recorded at x, y [m].
        box: in which to look.
        data: recorded positions, shape (M, 2).
        n: how many.
        radius: least distance to data and to each other [m].

    Raises:
        UsageError: fewer than one position, or the radius is not positive.
    """
    if n < 1 or radius <= 0:
        raise UsageError(f"Gaps need at least 1 position and a positive distance; got {n} and {radius:g} m.")
    _require_box(box)
    require_distance(radius)
    xs, ys = np.arange(box[0], box[1] + 1e-9, STEP), np.arange(box[2], box[3] + 1e-9, STEP)
    lattice = np.array([(x, y) for x in xs for y in ys if allowed(float(x), float(y))]).reshape(-1, 2)
    return farthest(lattice, data, n, radius)


def farthest(lattice: Points, data: Points, n: int, radius: float = RADIUS) -> list[tuple[float, float]]:
    """Points of a lattice farthest from data and from each other, the farthest first; fewer than `n` once none is left.

    Args:
        lattice: where positions may be, shape (N, 2) [m].
        data: recorded positions, shape (M, 2) [m].
        n: how many.
        radius: least distance to data and to each other [m].
    """
    found: list[tuple[float, float]] = []
    if not len(lattice):
        return found
    distance, _ = nearest(lattice, data)
    if not len(data):
        # With nothing to keep away from, begin in the middle.
        distance = 10.0 - np.linalg.norm(lattice - lattice.mean(axis=0), axis=1)
    while len(found) < n:
        best = int(distance.argmax())
        if distance[best] < radius:
            break
        found.append((float(lattice[best][0]), float(lattice[best][1])))
        distance = np.minimum(distance, np.linalg.norm(lattice - lattice[best], axis=1))
    return _rounded(found)


def _along(low: float, high: float, count: int) -> Points:
    return np.array([(low + high) / 2] if count == 1 else np.linspace(low, high, count), dtype=np.float64)


def _rounded(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """To a tenth of a millimetre, as files and people have them."""
    return [(round(float(x), 4), round(float(y), 4)) for x, y in points]
