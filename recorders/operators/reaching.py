"""Small steps of the hand through closed-form inverse kinematics: for whoever drives by hand, frame by frame.

Every step starts from the joints that were commanded last, so the arm never changes its branch, and a step that the
servos could not make in a frame is refused. What cannot be reached is slid along or stands still.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from curation.frames import Vector
from recorders.world.gripper import REACH_Z
from recorders.world.kinematics import STRAIGHT_ELBOW, Grip, forward, solve
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.units import HIGH, LOW, from_radians, to_radians

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
PITCH_LOW, PITCH_HIGH = math.radians(-20.0), math.radians(100.0)
"""Approach pitches that a person may ask for [rad]."""
_TOOL = np.array([0.0, 0.0, REACH_Z])


class Reaching:
    """Where the hand is asked to be, and the joint targets that bring it there.

    Args:
        fps: control rate [Hz].

    Attributes:
        target: joint targets, shape (6,), degrees and gripper 0..100.
        grip: where the tool point is with them.
        pitch: that is wished for [rad]; `grip` has it where the arm can.
        stopped_at: what kept the arm from following, in words; "" if nothing did. The caller clears it.
    """

    def __init__(self, fps: int) -> None:
        self._most = math.radians(STEP_LIMIT_DEG_PER_S / fps)
        self.target: Vector = np.zeros(6)
        self.grip = Grip(np.zeros(3), 0.0, 0.0)
        self.pitch = 0.0
        self.stopped_at = ""

    def take_up(self, target: Vector) -> None:
        """Go on from these joint targets, shape (6,), degrees and gripper 0..100."""
        self.target = target.clip(LOW, HIGH)
        self.settle()

    def settle(self) -> None:
        """Let the hand's goal be where the joint targets are, also after somebody else moved them."""
        self.grip = forward(to_radians(self.target)[:5], _TOOL)
        self.pitch = self.grip.pitch

    def tilt(self, pitch: float) -> None:
        """Wish for a pitch [rad]."""
        self.pitch = min(max(pitch, PITCH_LOW), PITCH_HIGH)

    def move(self, way: Vector, roll: float, shares: Sequence[float]) -> bool:
        """Move the tool point and the roll by a frame's step, or as far as the arm gets.

        Args:
            way: of the tool point in the base frame [m], shape (3,).
            roll: of the gripper [rad].
            shares: of the step that are tried, the largest first.

        Returns:
            Whether all of it, or a share of all of it, was made.
        """
        # All axes together, slower where the joints could not keep up, else one after the other: the hand slides along
        # a limit instead of sticking to it.
        if any(self._go(way * share, roll * share) for share in shares):
            return True
        alone = [(step, 0.0) for step in np.diag(way) if step.any()] + ([(np.zeros(3), roll)] if roll else [])
        moved = [self._go(*step) for step in alone]
        if moved and all(moved):
            self.stopped_at = ""
            return True
        self.stopped_at = self.stopped_at or "the arm's reach"
        return False

    def close(self, wanted: float, opening: float) -> None:
        """Set the gripper's target.

        Args:
            wanted: 0 closed to 100 open.
            opening: as measured, same units.
        """
        within = min(max(wanted, 0.0), 100.0)
        # The block stops the jaws but not the target; a target far ahead would take long to come back.
        self.target[5] = max(within, opening - SQUEEZE) if within < self.target[5] else within

    def _go(self, way: Vector, roll: float) -> bool:
        """Move the hand by this step if the arm can be there."""
        point = self.grip.position + way
        if point[2] < FLOOR and way[2] < 0:
            self.stopped_at = "the table"
            return False
        found = self._giving(Grip(point, self.grip.pitch, self.grip.roll + roll))
        if found is None:
            return False
        self.grip, joints = found
        self.target[:5] = from_radians(np.append(joints, 0.0))[:5]
        return True

    def _giving(self, grip: Grip) -> tuple[Grip, Vector] | None:
        """The grip at the pitch nearest to the wished one that the arm can have in a frame, and its joints."""
        low, high = grip.pitch + GIVE[0], grip.pitch + GIVE[-1]
        best = min(max(self.pitch, low), high)
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
        now = to_radians(self.target)[:5]
        # A pose that is straighter already, of joint mode, may be left but not stretched further.
        bent = joints[2] - STRAIGHT_ELBOW >= min(BEND, now[2] - STRAIGHT_ELBOW)
        return joints if bent and np.abs(joints - now).max() <= self._most else None
