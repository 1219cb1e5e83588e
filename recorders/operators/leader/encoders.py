"""What encoders tell that joint angles do not: whether a joint went over the end of its turn, or leapt."""

from __future__ import annotations

import numpy as np

from curation.frames import Vector

WRAP = 0.75
"""A step between two readings beyond this share of a turn went over the encoder's end: a quarter is more than a joint
comes in the time of a hiccup (assumed)."""
JUMP = 0.125
"""No hand moves a joint by more than this share of a turn between two readings: 45 degrees in 17 ms (assumed)."""


class Encoders:
    """Six encoders.

    Attributes:
        turned: whole turns that each joint is away from where it was first seen, shape (6,). Where this is not 0 the
            joint angle is wrong by as many.
    """

    def __init__(self) -> None:
        self.turned: Vector = np.zeros(6, dtype=int)
        self._last: Vector | None = None

    def forget(self) -> None:
        """Too long ago was the last reading: what lies between it and the next one is a way nobody saw."""
        self._last = None

    def see(self, turns: Vector) -> bool:
        """Take in the next reading.

        Args:
            turns: of the encoders, shape (6,), 0 to 1.

        Returns:
            Whether a joint leapt, however often it turned.
        """
        last, self._last = self._last, turns
        if last is None:
            return False
        step = turns - last
        over = (step < -WRAP).astype(int) - (step > WRAP).astype(int)
        self.turned = self.turned + over
        return bool((np.abs(step + over) > JUMP).any())
