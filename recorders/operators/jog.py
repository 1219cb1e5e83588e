"""Driving the arm by keys: the hand along x, y, z, pitch and roll through inverse kinematics, or joint by joint.

Held keys are a velocity, never a latched one: when nothing is held the arm stands within `RAMP_FRAMES` frames.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from enum import StrEnum

import numpy as np

from curation.frames import Command, Observation, Vector
from recorders.world.units import HIGH, LOW

from .keymap import DRIVE, Axis
from .reaching import Reaching

PERSON = "person"
"""Who drives by keys, as frames say it."""
PACES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Speeds a person can choose, as multiples of `RATES`."""
RATES = {
    Axis.X: 0.06,
    Axis.Y: 0.06,
    Axis.Z: 0.06,
    Axis.PITCH: math.radians(30.0),
    Axis.ROLL: math.radians(60.0),
    Axis.GRIPPER: 60.0,
}
"""Speeds at pace 1: [m/s], [rad/s] and, for the gripper, hundredths of its range per second (assumed): at pace 1 a
tap of 0.12 s is 7 mm, a quarter of the cube."""
JOINT_RATE = 30.0
"""Speed of a joint at pace 1 in joint mode [deg/s] (assumed)."""
RAMP_FRAMES = 3
"""Frames from standing to full speed and back: 100 ms at 30 fps, below what feels late, and it halves the jerk."""
SLOWER = (1.0, 0.5, 0.25)
"""Shares of a step that are tried."""
_AXES = tuple(Axis)
# Which joint each axis moves in joint mode, and its sign: away leans the shoulder forward, left pans left, up raises
# the elbow, pitch flexes the wrist down.
_JOINTS = {Axis.X: (1, +1), Axis.Y: (0, -1), Axis.Z: (2, -1), Axis.PITCH: (3, +1), Axis.ROLL: (4, +1)}


class Mode(StrEnum):
    """What the keys move."""

    HAND = "hand"
    JOINT = "joint"


class Jog:
    """A driver for a person's keys.

    Args:
        held: asked once a frame with the time of `time.monotonic()`: the keys that drive now.
        fps: of the world.

    Attributes:
        mode: hand or joints; changed by `switch`.
        driving: the keys that drove in the last frame.
        stopped_at: what kept the arm from following the keys in the last frame, in words; "" if nothing did.
    """

    def __init__(self, held: Callable[[float], tuple[str, ...]], fps: int) -> None:
        self._held = held
        self._fps = fps
        self._pace = PACES.index(1.0)
        self.mode = Mode.HAND
        self.driving: tuple[str, ...] = ()
        self.stopped_at = ""
        self._speed: Vector = np.zeros(6)
        self._arm = Reaching(fps)

    @property
    def pace(self) -> float:
        """The chosen multiple of the speeds."""
        return PACES[self._pace]

    def faster(self, steps: int = 1) -> None:
        """Choose a higher pace, or a lower one with a negative number."""
        self._pace = min(max(self._pace + steps, 0), len(PACES) - 1)

    def switch(self) -> None:
        """Change between hand and joints; the arm stands first."""
        self._speed[:] = 0.0
        self.mode = Mode.JOINT if self.mode is Mode.HAND else Mode.HAND
        self._arm.settle()

    def halt(self) -> None:
        """Stand at once, without the ramp."""
        self._speed[:] = 0.0

    def begin(self, observation: Observation, seed: int) -> None:
        """Start from where the arm is."""
        self._speed[:] = 0.0
        self._arm.take_up(observation.state)

    def act(self, observation: Observation) -> Command:
        """One frame further along what the keys say."""
        self.stopped_at = self._arm.stopped_at = ""
        self.driving = self._held(time.monotonic())
        self._ramp(self.driving)
        if self._speed.any():
            if self.mode is Mode.HAND:
                self._move_hand()
            else:
                self._move_joints()
            self._move_gripper(float(observation.state[5]))
        return Command(self._arm.target.copy(), PERSON)

    def _ramp(self, keys: tuple[str, ...]) -> None:
        wish = np.zeros(6)
        for key in keys:
            if key in DRIVE:
                axis, sign = DRIVE[key]
                wish[_AXES.index(axis)] += sign
        most = 1.0 / RAMP_FRAMES
        self._speed = self._speed + (wish.clip(-1.0, 1.0) - self._speed).clip(-most, most)
        self._speed[np.abs(self._speed) < 1e-9] = 0.0

    def _step(self, axis: Axis, rate: float) -> float:
        return float(self._speed[_AXES.index(axis)] * rate * self.pace / self._fps)

    def _move_hand(self) -> None:
        steps = {axis: self._step(axis, RATES[axis]) for axis in _AXES if axis is not Axis.GRIPPER}
        if not any(steps.values()):
            return
        arm = self._arm
        arm.tilt(arm.pitch + steps[Axis.PITCH])
        way = np.array([steps[axis] for axis in (Axis.X, Axis.Y, Axis.Z)])
        arm.move(way, steps[Axis.ROLL], SLOWER)
        self.stopped_at = arm.stopped_at

    def _move_joints(self) -> None:
        target = self._arm.target
        for axis, (joint, sign) in _JOINTS.items():
            wanted = target[joint] + sign * self._step(axis, JOINT_RATE)
            allowed = min(max(wanted, float(LOW[joint])), float(HIGH[joint]))
            target[joint] = allowed
            if allowed != wanted:
                self.stopped_at = "a joint's limit"

    def _move_gripper(self, opening: float) -> None:
        if step := self._step(Axis.GRIPPER, RATES[Axis.GRIPPER]):
            self._arm.close(float(self._arm.target[5]) + step, opening)
