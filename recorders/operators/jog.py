"""Driving the arm by keys: the hand along x, y, z, pitch and roll through inverse kinematics, or joint by joint.

Held keys are a velocity, never a latched one: when nothing is held the arm stands within `RAMP_FRAMES` frames.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

import numpy as np

from curation.frames import Command, Observation, Vector
from recorders.world.gripper import REACH_Z
from recorders.world.kinematics import STRAIGHT_ELBOW, Grip, forward, solve
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.units import HIGH, LOW, from_radians, to_radians

from .keymap import DRIVE, Axis

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
FLOOR = 0.006
"""Lowest tool point [m]: it lies 4 mm inside the pads' ends, which then clear the table by 2 mm."""
SQUEEZE = 8.0
"""How far the gripper's target may run ahead of the gripper when closing: full force, and letting go is immediate."""
GIVE = np.radians(np.arange(-3.0, 3.1, 0.5))
"""By how much the pitch may give way in a frame, so that the hand reaches on where its pitch would stop it [rad]."""
HALVINGS = 10
"""A pitch that gives way is found to a two-thousandth of a degree: a coarser one would shake the elbow."""
BEND = math.radians(20.0)
"""Least bend of the elbow [rad]: it costs 4 mm of reach, and straighter than this a frame's step shakes the arm."""
SLOWER = (1.0, 0.5, 0.25)
"""Shares of a step that are tried."""
PITCH_LOW, PITCH_HIGH = math.radians(-20.0), math.radians(100.0)
"""Approach pitches that a person may ask for [rad]."""
_AXES = tuple(Axis)
_TOOL = np.array([0.0, 0.0, REACH_Z])
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
        self._target: Vector = np.zeros(6)
        self._grip = Grip(np.zeros(3), 0.0, 0.0)
        self._pitch = 0.0

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
        self._take_up()

    def halt(self) -> None:
        """Stand at once, without the ramp."""
        self._speed[:] = 0.0

    def begin(self, observation: Observation, seed: int) -> None:
        """Start from where the arm is."""
        self._speed[:] = 0.0
        self._target = observation.state.clip(LOW, HIGH)
        self._take_up()

    def act(self, observation: Observation) -> Command:
        """One frame further along what the keys say."""
        self.stopped_at = ""
        self.driving = self._held(time.monotonic())
        self._ramp(self.driving)
        if self._speed.any():
            if self.mode is Mode.HAND:
                self._move_hand()
            else:
                self._move_joints()
            self._move_gripper(float(observation.state[5]))
        return Command(self._target.copy(), PERSON)

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

    def _take_up(self) -> None:
        """Let the hand's goal be where the targets are."""
        joints = to_radians(self._target)[:5]
        self._grip = forward(joints, _TOOL)
        self._pitch = self._grip.pitch

    def _move_hand(self) -> None:
        steps = {axis: self._step(axis, RATES[axis]) for axis in _AXES if axis is not Axis.GRIPPER}
        if not any(steps.values()):
            return
        self._pitch = min(max(self._pitch + steps[Axis.PITCH], PITCH_LOW), PITCH_HIGH)
        # All axes together, slower where the joints could not keep up, else one after the other: the hand slides along
        # a limit instead of sticking to it.
        if not any(self._go({axis: step * share for axis, step in steps.items()}) for share in SLOWER):
            moved = [self._go({axis: step}) for axis, step in steps.items() if step]
            self.stopped_at = "" if all(moved) else self.stopped_at or "the arm's reach"

    def _go(self, steps: dict[Axis, float]) -> bool:
        """Move the hand by these steps if the arm can be there."""
        move = np.array([steps.get(axis, 0.0) for axis in (Axis.X, Axis.Y, Axis.Z)])
        point = self._grip.position + move
        if point[2] < FLOOR and move[2] < 0:
            self.stopped_at = "the table"
            return False
        wanted = Grip(point, self._grip.pitch, self._grip.roll + steps.get(Axis.ROLL, 0.0))
        found = self._giving(wanted)
        if found is None:
            return False
        grip, joints = found
        self._grip = grip
        self._target[:5] = from_radians(np.append(joints, 0.0))[:5]
        return True

    def _giving(self, grip: Grip) -> tuple[Grip, Vector] | None:
        """The grip at the pitch nearest to the asked one that the arm can have in a frame, and its joints."""
        low, high = grip.pitch + GIVE[0], grip.pitch + GIVE[-1]
        best = min(max(self._pitch, low), high)
        joints = self._joints_at(grip, best)
        if joints is not None:
            return replace(grip, pitch=best), joints
        # From the best pitch outwards, then between the first that will do and its neighbour that will not.
        for pitch in sorted(grip.pitch + GIVE, key=lambda pitch: abs(pitch - best)):
            joints = self._joints_at(grip, float(pitch))
            if joints is not None:
                return self._closer(grip, float(pitch), joints, best)
        return None

    def _closer(self, grip: Grip, pitch: float, joints: Vector, best: float) -> tuple[Grip, Vector]:
        """As near to the best pitch as the arm can be, by halving."""
        bad = pitch + math.copysign(min(abs(best - pitch), float(GIVE[1] - GIVE[0])), best - pitch)
        for _ in range(HALVINGS):
            middle = (pitch + bad) / 2
            found = self._joints_at(grip, middle)
            if found is None:
                bad = middle
            else:
                pitch, joints = middle, found
        return replace(grip, pitch=pitch), joints

    def _joints_at(self, grip: Grip, pitch: float) -> Vector | None:
        """Joints for a grip at a pitch, if the servos get there in a frame and the elbow stays bent."""
        joints = solve(replace(grip, pitch=pitch), _TOOL)
        if joints is None:
            return None
        now = to_radians(self._target)[:5]
        most = math.radians(STEP_LIMIT_DEG_PER_S / self._fps)
        # A pose that is straighter already, of joint mode, may be left but not stretched further.
        bent = joints[2] - STRAIGHT_ELBOW >= min(BEND, now[2] - STRAIGHT_ELBOW)
        return joints if bent and np.abs(joints - now).max() <= most else None

    def _move_joints(self) -> None:
        for axis, (joint, sign) in _JOINTS.items():
            wanted = self._target[joint] + sign * self._step(axis, JOINT_RATE)
            allowed = min(max(wanted, float(LOW[joint])), float(HIGH[joint]))
            self._target[joint] = allowed
            if allowed != wanted:
                self.stopped_at = "a joint's limit"

    def _move_gripper(self, opening: float) -> None:
        step = self._step(Axis.GRIPPER, RATES[Axis.GRIPPER])
        if step:
            wanted = min(max(float(self._target[5]) + step, 0.0), 100.0)
            # The block stops the jaws but not the target; a target far ahead would take long to come back.
            self._target[5] = max(wanted, opening - SQUEEZE) if step < 0 else wanted
