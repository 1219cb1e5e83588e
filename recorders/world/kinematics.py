"""Closed-form inverse kinematics of the SO-101's five body joints.

The arm is planar: pan turns a vertical plane, three parallel joints move in it, roll turns the
gripper about its own axis. Position, approach pitch and roll therefore determine the joints exactly,
with no iteration, no seed and no local minimum: what is not solved here does not exist with the elbow up.
Lengths come from `assets/so101.xml`; the tests hold them to MuJoCo's forward kinematics.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from curation.frames import Vector

from .units import JOINT_HIGH, JOINT_LOW

PAN_X = 0.0388353
"""Pan axis, x in the base frame [m]."""
_LIFT_R, _LIFT_Z = 0.0303992, 0.0624 + 0.0542
_UPPER = (0.028, 0.11257)
_LOWER = (0.1349, 0.0052)
_HAND = 0.0611
_UPPER_LENGTH, _LOWER_LENGTH = math.hypot(*_UPPER), math.hypot(*_LOWER)
_UPPER_ANGLE, _LOWER_ANGLE = math.atan2(_UPPER[1], _UPPER[0]), math.atan2(_LOWER[1], _LOWER[0])
STRAIGHT_ELBOW = _LOWER_ANGLE - _UPPER_ANGLE
"""Elbow angle at which the arm is stretched out [rad]; near it a millimetre of the hand is many degrees."""
ROLL_ZERO = math.radians(2.7894)
"""Roll at which the closing axis is vertical [rad]; the middle of the calibrated roll range is 0."""
_MARGIN = math.radians(0.5)
"""Distance kept from every joint limit [rad]."""


@dataclass(frozen=True)
class Grip:
    """Where a tool point of the gripper should be.

    Attributes:
        position: tool point in the base frame [m], shape (3,).
        pitch: approach direction below the horizon [rad]; pi/2 points straight down.
        roll: wrist roll joint [rad].
    """

    position: Vector
    pitch: float
    roll: float


def solve(grip: Grip, tool: Vector) -> Vector | None:
    """Body joints that bring a tool point to a grip.

    Args:
        grip: target of the tool point.
        tool: tool point in the gripper frame [m], shape (3,).

    Returns:
        Joint angles [rad], shape (5,), within limits; None if the arm cannot be there.
    """
    side, out, up = _tool_in_plane(tool, grip.pitch, grip.roll)
    dx, dy = grip.position[0] - PAN_X, grip.position[1]
    flat = dx * dx + dy * dy - side * side
    if flat <= 0.0:
        return None
    radius = math.sqrt(flat)
    pan = math.atan2(side, radius) - math.atan2(dy, dx)
    wrist_r = radius - out - _HAND * math.cos(grip.pitch) - _LIFT_R
    wrist_z = grip.position[2] - up + _HAND * math.sin(grip.pitch) - _LIFT_Z
    bend = _two_link(wrist_r, wrist_z)
    if bend is None:
        return None
    lift, elbow = bend
    joints = np.array([pan, lift, elbow, grip.pitch - lift - elbow, grip.roll])
    inside = (joints >= JOINT_LOW[:5] + _MARGIN) & (joints <= JOINT_HIGH[:5] - _MARGIN)
    return joints if inside.all() else None


def forward(joints: Vector, tool: Vector) -> Grip:
    """Where a tool point is; `solve` of the result gives the same joints back with the elbow up.

    Args:
        joints: body joints [rad], shape (5,).
        tool: tool point in the gripper frame [m], shape (3,).
    """
    pan, lift, elbow, flex, roll = (float(angle) for angle in joints)
    pitch = lift + elbow + flex
    upper, lower = _UPPER_ANGLE - lift, _LOWER_ANGLE - lift - elbow
    wrist_r = _UPPER_LENGTH * math.cos(upper) + _LOWER_LENGTH * math.cos(lower)
    wrist_z = _UPPER_LENGTH * math.sin(upper) + _LOWER_LENGTH * math.sin(lower)
    side, out, up = _tool_in_plane(tool, pitch, roll)
    radius = wrist_r + out + _HAND * math.cos(pitch) + _LIFT_R
    height = wrist_z + up - _HAND * math.sin(pitch) + _LIFT_Z
    azimuth = math.atan2(side, radius) - pan
    distance = math.hypot(radius, side)
    point = np.array([PAN_X + distance * math.cos(azimuth), distance * math.sin(azimuth), height])
    return Grip(point, pitch, roll)


def roll_for_heading(position: Vector, pitch: float, heading: float, tool: Vector) -> float | None:
    """Wrist roll [rad] that lays the closing axis along a horizontal heading [rad], if in range.

    The pan angle depends weakly on roll through the tool's sideways offset; the fixed point is reached in a
    few rounds because that offset is about a centimetre.
    """
    azimuth = math.atan2(position[1], position[0] - PAN_X)
    distance = math.hypot(position[1], position[0] - PAN_X)
    roll = 0.0
    pan_azimuth = azimuth
    for _ in range(6):
        relative = heading - pan_azimuth
        roll = _wrap(math.atan2(math.sin(relative) * math.sin(pitch), math.cos(relative)) + ROLL_ZERO)
        side, _, _ = _tool_in_plane(tool, pitch, roll)
        if abs(side) >= distance:
            return None
        pan_azimuth = azimuth - math.asin(side / distance)
    if roll < JOINT_LOW[4] + _MARGIN:
        roll += 2 * math.pi
    return roll if roll <= JOINT_HIGH[4] - _MARGIN else None


def closing_axis_rise(pitch: float, roll: float) -> float:
    """Vertical component of the closing axis, 0 when the jaws close horizontally."""
    return math.cos(roll - ROLL_ZERO) * math.cos(pitch)


def gripper_rotation(pan: float, pitch: float, roll: float) -> Vector:
    """Rotation of the gripper frame in the base frame, shape (3, 3)."""
    c, s = math.cos(roll - ROLL_ZERO), math.sin(roll - ROLL_ZERO)
    spin = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    mount = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    cp, sp = math.cos(pitch), math.sin(pitch)
    tilt = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
    ca, sa = math.cos(-pan), math.sin(-pan)
    turn = np.array([[ca, -sa, 0.0], [sa, ca, 0.0], [0.0, 0.0, 1.0]])
    rotation: Vector = turn @ tilt @ mount @ spin
    return rotation


def _tool_in_plane(tool: Vector, pitch: float, roll: float) -> tuple[float, float, float]:
    """Tool offset from the roll origin: (sideways, outwards, upwards) in the arm's plane [m]."""
    c, s = math.cos(roll - ROLL_ZERO), math.sin(roll - ROLL_ZERO)
    x, y, z = c * tool[0] - s * tool[1], s * tool[0] + c * tool[1], tool[2]
    return y, -z * math.cos(pitch) + x * math.sin(pitch), z * math.sin(pitch) + x * math.cos(pitch)


def _two_link(r: float, z: float) -> tuple[float, float] | None:
    """Lift and elbow angles [rad] that put the wrist at (r, z) from the lift axis, elbow up."""
    distance = math.hypot(r, z)
    if not abs(_UPPER_LENGTH - _LOWER_LENGTH) < distance < _UPPER_LENGTH + _LOWER_LENGTH:
        return None
    cosine = (_UPPER_LENGTH**2 + distance**2 - _LOWER_LENGTH**2) / (2 * _UPPER_LENGTH * distance)
    upper = math.atan2(z, r) + math.acos(max(-1.0, min(1.0, cosine)))
    lower = math.atan2(z - _UPPER_LENGTH * math.sin(upper), r - _UPPER_LENGTH * math.cos(upper))
    lift = _UPPER_ANGLE - upper
    return lift, _LOWER_ANGLE - lower - lift


def _wrap(angle: float) -> float:
    return math.remainder(angle, 2 * math.pi)
