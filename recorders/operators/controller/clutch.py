"""The clutch: which motion of the hand counts. Squeezed it drives, let go it stands: it is the dead man's switch too.

Motion counts from a latch. The latch is dropped in every reading that is lost or cannot be true and taken anew where
the hand is then, so that what happened in between is never made up for.
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

from curation.frames import Vector
from recorders.devices.controller import FRESH_AFTER_S, STALE_S, ControllerSample

from .rotations import inverse, multiply, position_in_base, rotation_in_base, to_matrix, to_vector
from .smoothing import smoothed_position, smoothed_rotation

ENGAGES, RELEASES = 0.6, 0.4
"""Squeeze above which the clutch closes and below which it opens: LeRobot's 0.5 with a margin against trembling."""
JUMP_M, JUMP_DEG = 0.05, 35.0
"""A hand that goes farther within 10 ms was not tracked: 5 m/s and 3500 deg/s, twice what a reach has (assumed)."""
_BETWEEN_S = 0.01
_POINTS = 0.3
"""Least horizontal part of where the controller points, for it to have a heading."""


class Hold(StrEnum):
    """What the clutch makes of the hand."""

    LOST = "not tracked"
    FREE = "free"
    DRIVING = "driving"


class Clutch:
    """One hand.

    Attributes:
        hold: now.
        latches: how often motion began to count; another number means another origin.
        shift: of the hand since the latch, in the base frame [m], shape (3,).
        turn: of the hand since the latch, a rotation of the base frame, w, x, y, z.
    """

    def __init__(self) -> None:
        self.hold = Hold.LOST
        self.latches = 0
        self.shift: Vector = np.zeros(3)
        self.turn: Vector = np.array([1.0, 0.0, 0.0, 0.0])
        self._yaw = 0.0
        self._position, self._rotation = smoothed_position(), smoothed_rotation()
        self._latch: tuple[Vector, Vector] | None = None
        self._last: tuple[float, Vector, Vector] | None = None
        self._seen = -math.inf
        self._sound = -math.inf
        self._squeezed = False
        self._spent = True

    @property
    def seen(self) -> float:
        """When the last reading was taken [s]; minus infinity before the first."""
        return self._seen

    def see(self, sample: ControllerSample) -> None:
        """Take in the next reading; one that is not newer than the last says nothing."""
        if not self._seen < sample.time < math.inf:
            return
        self._seen = sample.time
        if not sample.sound:
            self.lose(sample.time)
            return
        position, rotation = position_in_base(np.array(sample.position)), rotation_in_base(np.array(sample.rotation))
        last, self._last = self._last, (sample.time, position, rotation)
        seconds = sample.time - last[0] if last else math.inf
        if seconds > STALE_S or (last and _jumped(last, position, rotation, seconds)):
            self._forget()
            seconds = _BETWEEN_S
        if sample.time - self._sound > FRESH_AFTER_S:
            self._spent = True
        self._sound = sample.time
        self._squeeze(sample.squeeze)
        if not self._squeezed or self._spent:
            # Only what is made while driving is smoothed: the rest of an earlier motion would creep in after a latch.
            self._forget()
            self.hold = Hold.FREE
            return
        self._drive(self._position.see(position, seconds), self._rotation.see(rotation, seconds))

    def lose(self, now: float) -> None:
        """The hand is not known: nothing counts until it is, and then from there.

        Args:
            now: of `time.perf_counter()` [s].
        """
        self.hold, self._squeezed, self._last = Hold.LOST, False, None
        if now - self._sound > FRESH_AFTER_S:
            self._spent = True

    def release(self) -> None:
        """Drive nothing until the squeeze was let go and taken again."""
        self._spent = True
        self._forget()
        if self.hold is Hold.DRIVING:
            self.hold = Hold.FREE

    def rearm(self) -> None:
        """Let motion count from where the hand is in the next reading; until then there is none."""
        self._forget()
        # What was moved until now is done with: under another scale, or from where another take begins, it would drive
        # the arm once more before that reading comes.
        self.latches += 1
        self.shift, self.turn = np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0])

    def recentre(self) -> bool:
        """Let the way the controller points be the robot's forward; False, and nothing changes, if it points up or
        down or is not tracked."""
        if self._last is None:
            return False
        ahead = to_matrix(self._last[2])[:, 0]
        if math.hypot(ahead[0], ahead[1]) < _POINTS:
            return False
        self._yaw = -math.atan2(ahead[1], ahead[0])
        self.release()
        return True

    def _squeeze(self, squeeze: float) -> None:
        if squeeze < RELEASES:
            self._squeezed = self._spent = False
        elif squeeze > ENGAGES:
            self._squeezed = True

    def _drive(self, position: Vector, rotation: Vector) -> None:
        if self._latch is None:
            self._latch = position, rotation
            self.latches += 1
        self.hold = Hold.DRIVING
        origin, facing = self._latch
        yaw = np.array([math.cos(self._yaw / 2), 0.0, 0.0, math.sin(self._yaw / 2)])
        self.shift = to_matrix(yaw) @ (position - origin)
        self.turn = multiply(multiply(yaw, multiply(rotation, inverse(facing))), inverse(yaw))

    def _forget(self) -> None:
        self._latch = None
        self._position.clear()
        self._rotation.clear()


def _jumped(last: tuple[float, Vector, Vector], position: Vector, rotation: Vector, seconds: float) -> bool:
    """Whether no hand goes this far in this time."""
    share = max(seconds, _BETWEEN_S) / _BETWEEN_S
    far = float(np.linalg.norm(position - last[1])) > JUMP_M * share
    turned = math.degrees(float(np.linalg.norm(to_vector(multiply(rotation, inverse(last[2]))))))
    return far or turned > JUMP_DEG * share
