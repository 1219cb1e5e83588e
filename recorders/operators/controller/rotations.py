"""Rotations as unit quaternions w, x, y, z, and the way from a headset's play space to the robot's base frame."""

from __future__ import annotations

import math

import numpy as np

from curation.frames import Vector

PLAY_TO_BASE = np.array([[0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""OpenXR and WebXR have x right, y up, z backwards; the robot x forward, y left, z up."""
_SMALL = 1e-9


def multiply(a: Vector, b: Vector) -> Vector:
    """First b, then a."""
    return np.append(a[0] * b[0] - a[1:] @ b[1:], a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:]))


def inverse(q: Vector) -> Vector:
    """The rotation back."""
    return np.array([q[0], -q[1], -q[2], -q[3]])


def to_vector(q: Vector) -> Vector:
    """Axis times angle [rad], shape (3,); the short way, so that q and -q are one rotation."""
    q = q if q[0] >= 0.0 else -q
    length = float(np.linalg.norm(q[1:]))
    turn: Vector = q[1:] * (2.0 * math.atan2(length, q[0]) / length if length > _SMALL else 2.0)
    return turn


def from_vector(turn: Vector) -> Vector:
    """The rotation about an axis times angle [rad], shape (3,)."""
    angle = float(np.linalg.norm(turn))
    half: Vector = turn * (math.sin(angle / 2.0) / angle if angle > _SMALL else 0.5)
    return np.append(math.cos(angle / 2.0), half)


def to_matrix(q: Vector) -> Vector:
    """The same as a matrix, shape (3, 3)."""
    w, x, y, z = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def position_in_base(position: Vector) -> Vector:
    """A position in the play space [m], shape (3,), along the axes of the base frame."""
    turned: Vector = PLAY_TO_BASE @ position
    return turned


def rotation_in_base(rotation: Vector) -> Vector:
    """A play-space rotation x, y, z, w as the same rotation of the base frame, w, x, y, z, and exactly of length 1."""
    q = np.append(rotation[3], PLAY_TO_BASE @ np.asarray(rotation[:3]))
    unit: Vector = q / np.linalg.norm(q)
    return unit
