"""The map of coverage as text, as the overhead camera sees the table: up = away from the robot, left = its left."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np

from curation.coverage import RADIUS, nearest
from curation.table import Mask, Points, Table

DOWN, ACROSS = 0.02, 0.01
"""What a character covers [m]: they are about twice as tall as wide."""
_EDGE = (-0.8, 0.8)
"""What is farther from the base is on no map [m]."""
LETTERS = string.ascii_uppercase + string.ascii_lowercase


def text_map(table: Table, data: Points, proposals: Sequence[tuple[float, float]] = (), radius: float = RADIUS) -> str:
    """Counts of episodes, what they cover, what they do not, and proposals, as lines.

    Args:
        table: on which all lies.
        data: placements, shape (M, 2) [m].
        proposals: the first is A.
        radius: within which data is taken to cover [m].
    """
    xs, ys = _centres(table, data, proposals)
    points = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1).reshape(-1, 2)
    shape = (len(xs), len(ys))
    away = nearest(points, data)[0].reshape(shape)
    covered = away <= radius
    allowed: Mask = table.allowed(points).reshape(shape)
    marks = np.full(shape, " ")
    marks[allowed] = "."
    marks[allowed & covered] = ":"
    if table.bowl is not None:
        dx, dy = abs(points[:, 0] - table.bowl.x), abs(points[:, 1] - table.bowl.y)
        inside = (np.maximum(dx, dy) if table.bowl.square else np.hypot(dx, dy)) <= table.bowl.half
        marks[inside.reshape(shape)] = "o"
    for (i, j), count in _counts(data, xs, ys).items():
        marks[i, j] = str(count) if count < 10 else "#"
    for letter, (x, y) in zip(LETTERS, proposals, strict=False):
        marks[int(np.abs(xs - x).argmin()), int(np.abs(ys - y).argmin())] = letter
    lines = [f"{x:6.2f} |{''.join(row).rstrip()}" for x, row in zip(xs, marks, strict=True)]
    return "\n".join([*lines, *_axis(ys), _legend(table, proposals, radius)])


def _centres(table: Table, data: Points, proposals: Sequence[tuple[float, float]]) -> tuple[Points, Points]:
    """Middles of the rows, farthest first, and of the columns, leftmost first."""
    x_low, x_high, y_low, y_high = table.box
    known = np.concatenate([[(x_low, y_low), (x_high, y_high)], data, np.array(proposals).reshape(-1, 2)])
    if table.bowl is not None:
        half = table.bowl.half
        ends = [(table.bowl.x - half, table.bowl.y - half), (table.bowl.x + half, table.bowl.y + half)]
        known = np.concatenate([known, ends])
    # A mistyped placement a metre away must not make a map of thousands of lines.
    low, high = known.min(axis=0).clip(*_EDGE), known.max(axis=0).clip(*_EDGE)
    rows = np.arange(np.floor(low[0] / DOWN), np.floor(high[0] / DOWN) + 1)[::-1]
    columns = np.arange(np.floor(low[1] / ACROSS), np.floor(high[1] / ACROSS) + 1)[::-1]
    return (rows + 0.5) * DOWN, (columns + 0.5) * ACROSS


def _counts(data: Points, xs: Points, ys: Points) -> dict[tuple[int, int], int]:
    found: dict[tuple[int, int], int] = {}
    for x, y in data:
        i, j = int(np.abs(xs - x).argmin()), int(np.abs(ys - y).argmin())
        if abs(xs[i] - x) <= DOWN and abs(ys[j] - y) <= ACROSS:
            found[i, j] = found.get((i, j), 0) + 1
    return found


def _axis(ys: Points) -> list[str]:
    """Ticks and numbers of y at every tenth of a metre."""
    ticks = [" "] * len(ys)
    numbers = [" "] * (len(ys) + 6)
    for tenth in range(int(np.floor(ys.max() * 10)), int(np.floor(ys.min() * 10)), -1):
        column = int(np.abs(ys - tenth / 10).argmin())
        ticks[column] = "'"
        for offset, character in enumerate(f"{tenth / 10:.1f}"):
            numbers[column + offset] = character
    return [f"   x m |{''.join(ticks).rstrip()}", f"   y m  {''.join(numbers).rstrip()}"]


def _legend(table: Table, proposals: Sequence[tuple[float, float]], radius: float) -> str:
    said = ["1-9 # episodes", f": within {100 * radius:.1f} cm of one", ". recordable, not covered"]
    said += ["o bowl"] if table.bowl else []
    last = LETTERS[min(len(proposals), len(LETTERS)) - 1]
    said += [f"A{f'-{last}' if last != 'A' else ''} proposed"] if proposals else []
    return ", ".join(said)
