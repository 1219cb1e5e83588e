"""The one place where units change: degrees and gripper 0..100 outside, radians inside."""

from __future__ import annotations

import numpy as np

from curation.frames import Vector

JOINT_LOW = np.radians([-110.0, -100.0, -96.83, -95.0, -157.21, -10.0])
"""Lower joint limits [rad], shape (6,); SO-ARM100 `so101_new_calib.xml`."""
JOINT_HIGH = np.radians([110.0, 100.0, 96.83, 95.0, 162.79, 100.0])
"""Upper joint limits [rad], shape (6,); same source."""

_GRIPPER_LOW_DEG = -10.0
_GRIPPER_SPAN_DEG = 110.0


def to_radians(joints: Vector) -> Vector:
    """Joint angles [rad] from LeRobot's units, shape (..., 6): body degrees, gripper 0..100."""
    degrees = np.array(joints, dtype=np.float64)
    degrees[..., 5] = degrees[..., 5] * (_GRIPPER_SPAN_DEG / 100.0) + _GRIPPER_LOW_DEG
    return np.radians(degrees)


def from_radians(angles: Vector) -> Vector:
    """LeRobot's units from joint angles [rad], shape (..., 6)."""
    degrees = np.degrees(np.asarray(angles, dtype=np.float64))
    degrees[..., 5] = (degrees[..., 5] - _GRIPPER_LOW_DEG) * (100.0 / _GRIPPER_SPAN_DEG)
    return degrees


LOW = from_radians(JOINT_LOW)
HIGH = from_radians(JOINT_HIGH)
