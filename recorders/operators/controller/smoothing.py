"""The 1-euro filter for positions and for rotations: steady when slow, prompt when fast.

Casiez, Roussel, Vogel, "1 Euro Filter", CHI 2012. Rotations are filtered by their increments in SO(3): angles and
rotation vectors jump at half a turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from curation.frames import Vector

from .rotations import from_vector, inverse, multiply, to_vector

STEADY_HZ = 3.0
"""Cutoff at rest. With `PROMPT` 22 ms of lag at 0.7 Hz and 15 cm, and 0.5 mm of jitter becomes 0.11 mm (measured)."""
PROMPT = 2.0
"""How much the cutoff grows with speed [Hz per m/s or rad/s]."""
_SPEED_HZ = 1.0
"""Cutoff of the speed itself, the paper's."""


def _share(cutoff: float, seconds: float) -> float:
    """Share of a new value that a first-order low-pass takes over."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff * seconds))


class Smoothed:
    """Values of one kind.

    Args:
        between: what leads from one value to another, as a vector [m or rad], shape (3,).
        moved: a value moved by such a vector.
    """

    def __init__(self, between: Callable[[Vector, Vector], Vector], moved: Callable[[Vector, Vector], Vector]) -> None:
        self._between = between
        self._moved = moved
        self._at: Vector | None = None
        self._speed = 0.0

    def clear(self) -> None:
        """Begin anew with the next value."""
        self._at = None

    def see(self, value: Vector, seconds: float) -> Vector:
        """The next value, so many seconds after the last one; returns the smoothed one."""
        if self._at is None:
            self._at, self._speed = value, 0.0
            return value
        away = self._between(self._at, value)
        speed = float(np.linalg.norm(away)) / seconds
        self._speed += _share(_SPEED_HZ, seconds) * (speed - self._speed)
        self._at = self._moved(self._at, _share(STEADY_HZ + PROMPT * self._speed, seconds) * away)
        return self._at


def smoothed_position() -> Smoothed:
    """Of positions [m], shape (3,)."""
    return Smoothed(lambda start, end: end - start, lambda start, by: start + by)


def smoothed_rotation() -> Smoothed:
    """Of rotations w, x, y, z."""
    return Smoothed(lambda start, end: to_vector(multiply(end, inverse(start))), _turned)


def _turned(start: Vector, by: Vector) -> Vector:
    moved = multiply(from_vector(by), start)
    turned: Vector = moved / np.linalg.norm(moved)
    return turned
