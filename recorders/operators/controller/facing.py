"""Which pitch and roll of a five-joint arm come nearest to a wished rotation of its gripper.

The heading of the arm follows from where its hand is, so of the three angles of a rotation two are left. Both are
unwrapped against what was wished last: absolute angles would jump at half a turn.
"""

from __future__ import annotations

import math

import numpy as np

from curation.frames import Vector
from recorders.operators.reaching import PITCH_HIGH, PITCH_LOW
from recorders.world.kinematics import ROLL_ZERO, gripper_rotation
from recorders.world.units import JOINT_HIGH, JOINT_LOW

_CLEAR = 0.3
"""Least length that a direction keeps in its plane to be one there; below it the last angle stays."""
_MARGIN = math.radians(1.0)


class Winding:
    """An angle that goes on past half a turn, within limits that give way behind it.

    What goes beyond a limit is forgotten: turned back, the angle follows at once and has nothing to unwind.

    Args:
        low, high: limits [rad].

    Attributes:
        at: the angle within its limits [rad].
        stopped: whether a limit held it the last time.
    """

    def __init__(self, low: float, high: float) -> None:
        self._low, self._high = low, high
        self._raw = 0.0
        self.at = 0.0
        self.stopped = False

    def begin(self, at: float) -> None:
        """Go on from an angle [rad]."""
        self._raw = self.at = at
        self.stopped = False

    def see(self, angle: float) -> float:
        """Follow the nearest turn of an angle [rad]; returns the angle within the limits."""
        step = math.remainder(angle - self._raw, 2 * math.pi)
        self._raw += step
        # An angle that was beyond its limit at the start may stay there, but goes no farther.
        wanted = self.at + step
        self.at = min(max(wanted, min(self._low, self.at)), max(self._high, self.at))
        self.stopped = self.at != wanted
        return self.at


class Facing:
    """Pitch and roll that follow a rotation."""

    def __init__(self) -> None:
        self._home: Vector = np.eye(3)
        self.pitch = Winding(PITCH_LOW, PITCH_HIGH)
        self.roll = Winding(float(JOINT_LOW[4]) + _MARGIN, float(JOINT_HIGH[4]) - _MARGIN)

    def begin(self, pan: float, pitch: float, roll: float) -> None:
        """Let these angles of the arm [rad] be the rotation that turns start from."""
        self._home = gripper_rotation(pan, pitch, roll)
        self.pitch.begin(pitch)
        self.roll.begin(roll)

    def see(self, turn: Vector, pan: float) -> tuple[float, float]:
        """Pitch and roll [rad] that come nearest to the start turned by this matrix, shape (3, 3), at a pan [rad]."""
        wished = turn @ self._home
        ahead = -wished[:, 2]
        along = ahead[0] * math.cos(-pan) + ahead[1] * math.sin(-pan)
        if math.hypot(along, ahead[2]) > _CLEAR:
            self.pitch.see(math.atan2(-ahead[2], along))
        level = gripper_rotation(pan, self.pitch.at, ROLL_ZERO).T @ wished
        sine, cosine = level[1, 0] - level[0, 1], level[0, 0] + level[1, 1]
        if math.hypot(sine, cosine) > 2 * _CLEAR:
            self.roll.see(math.atan2(sine, cosine) + ROLL_ZERO)
        return self.pitch.at, self.roll.at
