"""Thin lines in dots: a braille character has two across and four down."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from curation.frames import Vector

Mask = NDArray[np.bool_]
_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Unicode's bits of the dots, by row and column."""
_PER_COLUMN = 4
"""A curve is looked at so many times within a column of dots, or more where it has more samples."""


def braille(mask: Mask) -> dict[tuple[int, int], str]:
    """Characters by line and column, without empty ones.

    Args:
        mask: which dots are set, shape (4 * lines, 2 * columns).
    """
    rows, columns = mask.shape
    cells = mask.reshape(rows // 4, 4, columns // 2, 2)
    bits = (cells * _DOTS[:, None, :]).sum(axis=(1, 3))
    return {(int(line), int(column)): chr(0x2800 + int(bits[line, column])) for line, column in np.argwhere(bits)}


def curve(time: Vector, value: Vector, low: float, high: float, lines: int, columns: int) -> Mask:
    """A curve as connected dots, every spike of it included.

    Args:
        time: increasing, shape (N,).
        value: shape (N,); what is not finite is left out: bridged within the curve, blank before and after it.
        low, high: at the lower and upper edge.
        lines, columns: of the plot, in cells.

    Returns:
        Shape (4 * lines, 2 * columns).
    """
    rows, across = 4 * lines, 2 * columns
    known = np.isfinite(value)
    if known.sum() < 1 or high <= low:
        return np.zeros((rows, across), np.bool_)
    often = max(_PER_COLUMN, math.ceil(len(time) / across))
    at = np.linspace(time[0], time[-1], across * often)
    down = np.clip((high - np.interp(at, time[known], value[known])) / (high - low), 0, 1) * (rows - 1)
    steps = np.round(down).reshape(across, often)
    last = np.concatenate([steps[:1, 0], steps[:-1, -1]])
    top, bottom = np.minimum(steps.min(axis=1), last), np.maximum(steps.max(axis=1), last)
    row = np.arange(rows)[:, None]
    drawn: Mask = (row >= top) & (row <= bottom)
    there = (at >= time[known][0]) & (at <= time[known][-1])
    return drawn & there.reshape(across, often).any(axis=1)
