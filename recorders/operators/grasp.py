"""How to take a block: a grasp pose on one pair of its faces, with fingertips off the table.

By default grasps are mode-consistent: of the block's faces the one whose wrist roll is nearest to home, and a pitch
that is a smooth function of distance, so that neighbouring placements get neighbouring motions and a policy can
learn them as one. Where that grasp does not exist, all pitches and faces are searched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from curation.frames import Vector
from recorders.world.gripper import GRASP_Z, PAD_FACE_X
from recorders.world.kinematics import (
    PAN_X,
    Grip,
    closing_axis_rise,
    gripper_rotation,
    roll_for_heading,
    solve,
)
from recorders.world.reach import PITCHES

FINGERTIP_GAP = 0.0035
"""Lowest fingertip above the table [m]; below it the moving jaw sticks to the table on tilted grasps."""
MAX_RISE = 0.5
"""Steepest allowed closing axis, as its vertical component; steeper, the jaws lift one edge first."""
MAX_WIDTH = 0.045
"""Widest face the jaws close on well [m]."""
JAW_OUTSIDE = (0.030, 0.055)
"""How far the fixed and the open moving jaw reach beyond the block's faces along the closing axis [m]."""
BOWL_KEEP_OUT = 0.070
"""Distance from the bowl's axis that an open jaw keeps [m]: rim and half a finger."""
_BOWL_PENALTY = 10.0
HOME_ROLL = math.radians(-90.0)
_PITCH_BY_RADIUS = ((0.20, 0.26, 0.29, 0.32, 0.36, 0.40), (88.0, 84.0, 78.0, 73.0, 60.0, 45.0))
"""Mode-consistent pitch [deg] over distance from the pan axis [m]: a little inside what reach allows."""
_HEADING_OFFSETS = tuple(math.radians(offset) for offset in (0, 10, -10, 20, -20))


@dataclass(frozen=True)
class Face:
    """A pair of faces to close on: heading of the closing axis [rad], its offset from square, width between [m]."""

    heading: float
    offset: float
    width: float


@dataclass(frozen=True)
class Grasp:
    """A pose around the block with open jaws.

    Attributes:
        joints: body joints [rad], shape (5,).
        point: tool point, on the block's vertical axis [m], shape (3,).
        pitch, roll: of the gripper [rad].
        width: between the faces to close on [m].
    """

    joints: Vector
    point: Vector
    pitch: float
    roll: float
    width: float


def tool_at(width: float, clear: float) -> Vector:
    """Middle of a block of some width whose near face is `clear` metres off the fixed pad, gripper frame, (3,)."""
    return np.array([PAD_FACE_X + clear + width / 2, 0.0, GRASP_Z])


def plan_grasp(block: Vector, yaw: float, half: tuple[float, float, float], clear: float, bowl: Vector) -> Grasp | None:
    """The grasp for a block at rest on the table, or None if the arm has none.

    Args:
        block: centre of the block [m], shape (3,).
        yaw: its heading [rad].
        half: its half sizes [m].
        clear: gap between the fixed pad and the block on approach [m].
        bowl: axis of the bowl, shape (2,) or (3,), which the open jaws keep out of where they can [m].
    """
    return _consistent(block, yaw, half, clear, bowl) or _searched(block, yaw, half, clear, bowl)


def _consistent(
    block: Vector, yaw: float, half: tuple[float, float, float], clear: float, bowl: Vector
) -> Grasp | None:
    radius = math.hypot(block[0] - PAN_X, block[1])
    pitch = math.radians(float(np.interp(radius, *_PITCH_BY_RADIUS)))
    options = []
    for face in _faces(yaw, half):
        if face.offset or _hits_bowl(block, face, bowl):
            continue
        roll = roll_for_heading(block, pitch, face.heading, tool_at(face.width, clear))
        if roll is not None:
            options.append((abs(roll - HOME_ROLL), face))
    if not options:
        return None
    nearest = min(options, key=lambda option: option[0])[1]
    return _try(block, half, nearest, pitch, clear)


def _searched(block: Vector, yaw: float, half: tuple[float, float, float], clear: float, bowl: Vector) -> Grasp | None:
    best, best_cost = None, math.inf
    for pitch in PITCHES:
        for face in _faces(yaw, half):
            grasp = _try(block, half, face, pitch, clear)
            if grasp is None:
                continue
            rise = abs(closing_axis_rise(pitch, grasp.roll))
            cost = 2.0 * rise + 0.8 * abs(face.offset) + 0.9 * (math.pi / 2 - pitch) + 12.0 * face.width
            cost += 0.1 * abs(grasp.roll - HOME_ROLL) + _BOWL_PENALTY * _hits_bowl(block, face, bowl)
            if cost < best_cost:
                best, best_cost = grasp, cost
    return best


def _hits_bowl(block: Vector, face: Face, bowl: Vector) -> bool:
    """Whether an open jaw beside the block would stand in the bowl."""
    axis = np.array([math.cos(face.heading), math.sin(face.heading)])
    fixed, moving = (face.width / 2 + outside for outside in JAW_OUTSIDE)
    jaws = (block[:2] - axis * fixed, block[:2] + axis * moving)
    return any(float(np.hypot(*(jaw - bowl[:2]))) < BOWL_KEEP_OUT for jaw in jaws)


def _faces(yaw: float, half: tuple[float, float, float]) -> Iterator[Face]:
    for quarter in range(4):
        near, far = (half[0], half[1]) if quarter % 2 == 0 else (half[1], half[0])
        for offset in _HEADING_OFFSETS:
            # Turned off square, the jaws meet corners: the width grows with the other side's share.
            width = 2 * near * math.cos(offset) + 0.7 * far * abs(math.sin(offset))
            if width <= MAX_WIDTH:
                yield Face(yaw + quarter * math.pi / 2 + offset, offset, width)


def _try(block: Vector, half: tuple[float, float, float], face: Face, pitch: float, clear: float) -> Grasp | None:
    tool = tool_at(face.width, clear)
    point = np.array([block[0], block[1], min(0.9 * half[2], 0.02)])
    roll = roll_for_heading(point, pitch, face.heading, tool)
    if roll is None or abs(closing_axis_rise(pitch, roll)) > MAX_RISE:
        return None
    point[2] = max(point[2], FINGERTIP_GAP + _fingertip_drop(tool, pitch, roll, face.width))
    if point[2] > 2 * half[2] - 0.003:
        return None
    joints = solve(Grip(point, pitch, roll), tool)
    return None if joints is None else Grasp(joints, point, pitch, roll, face.width)


def _fingertip_drop(tool: Vector, pitch: float, roll: float, width: float) -> float:
    """How far the lowest corner of both fingertips lies below the tool point [m]."""
    far = PAD_FACE_X + width
    corners = [[-0.0110, side * 0.0055, -0.1055] for side in (-1, 1)]
    corners += [[far + out, side * 0.0055, -0.1035] for side in (-1, 1) for out in (0.003, 0.040)]
    heights = (np.array(corners) - tool) @ gripper_rotation(0.0, pitch, roll)[2]
    return float(-heights.min())
