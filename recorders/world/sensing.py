"""Readings for the judge out of MuJoCo's state and contacts."""

from __future__ import annotations

import math
from itertools import product

import mujoco
import numpy as np

from curation.frames import Vector

from . import props
from .gripper import PAD_FACE_X, PAD_HALF_Y, PAD_HALF_Z, PAD_MIDDLE_Z
from .judge import Reading
from .scene import Scene

PAD_MIDDLE = np.array([PAD_FACE_X, 0.0, PAD_MIDDLE_Z])
"""Middle of the fixed pad's face in the gripper frame [m]."""
UPRIGHT_COS = math.cos(math.radians(30.0))
"""Cosine of the most that a bowl may lean, 30 degrees (assumed): beyond, it is falling over and holds nothing."""


class Sensing:
    """Measures one world; indices are looked up once, by name."""

    def __init__(self, scene: Scene, model: mujoco.MjModel) -> None:
        self._model = model
        self._kind = scene.bowl
        signs = np.array(list(product((-1.0, 1.0), repeat=3)))
        self._corners = signs * np.array(scene.block_half)
        self._block = model.body("block").id
        self._block_geom = model.geom("block").id
        self._block_dof = model.joint("block").dofadr[0]
        self._bowl = model.body("bowl").id
        self._gripper = model.body("gripper").id
        self._tcp = model.site("tcp").id
        self._fixed = _geoms_of(model, "gripper")
        self._moving = _geoms_of(model, "moving_jaw")

    def read(self, data: mujoco.MjData, time: float) -> Reading:
        """One reading of the state after a step.

        Positions belong to the state itself. Contacts and forces are those of its last physics step, whose beginning
        they were computed at: 1/600 s earlier.
        """
        # mj_step leaves positions as they were before its last integration.
        mujoco.mj_kinematics(self._model, data)
        centre = data.xpos[self._block].copy()
        turn = data.xmat[self._block].reshape(3, 3)
        corners = centre + self._corners @ turn.T
        fixed, moving, force = self._contacts(data)
        gripper_turn = data.xmat[self._gripper].reshape(3, 3)
        in_gripper = (corners - data.xpos[self._gripper]) @ gripper_turn
        centre_in_gripper = (centre - data.xpos[self._gripper]) @ gripper_turn
        bowl, bowl_turn = data.xpos[self._bowl], data.xmat[self._bowl].reshape(3, 3)
        return Reading(
            time=time,
            block=centre,
            lowest=float(corners[:, 2].min()),
            speed=float(np.linalg.norm(data.qvel[self._block_dof : self._block_dof + 3])),
            fixed=fixed,
            moving=moving,
            force=force,
            inside=self._inside((corners - bowl) @ bowl_turn, upright=float(bowl_turn[2, 2])),
            goal_distance=math.hypot(*(centre - bowl)[:2]),
            approach=float(np.linalg.norm(centre - data.site_xpos[self._tcp])),
            in_gripper=centre_in_gripper,
            overlap=_overlap(in_gripper),
            offset=abs(float(centre_in_gripper[1] - PAD_MIDDLE[1])),
        )

    def _contacts(self, data: mujoco.MjData) -> tuple[bool, bool, float]:
        fixed = moving = False
        force = 0.0
        wrench = np.zeros(6)
        for index in range(data.ncon):
            first, second = data.contact.geom[index]
            if self._block_geom not in (first, second):
                continue
            other = second if first == self._block_geom else first
            if other not in self._fixed and other not in self._moving:
                continue
            fixed, moving = fixed or other in self._fixed, moving or other in self._moving
            mujoco.mj_contactForce(self._model, data, index, wrench)
            force += float(wrench[0])
        return fixed, moving, force

    def _inside(self, corners: Vector, upright: float) -> bool:
        """Whether all corners are within the rim of a bowl that stands.

        Args:
            corners: of the block in the bowl's frame [m], shape (8, 3).
            upright: cosine of the bowl's lean.
        """
        if upright < UPRIGHT_COS:
            return False
        if self._kind == "tray":
            wide = float(np.abs(corners[:, :2]).max()) < props.TRAY_HALF
            return wide and float(corners[:, 2].min()) < props.TRAY_HEIGHT
        wide = float(np.hypot(corners[:, 0], corners[:, 1]).max()) < props.BOWL_RIM_RADIUS
        return wide and float(corners[:, 2].min()) < props.BOWL_HEIGHT


def _geoms_of(model: mujoco.MjModel, body: str) -> frozenset[int]:
    start, count = model.body(body).geomadr[0], model.body(body).geomnum[0]
    return frozenset(range(start, start + count))


def _overlap(corners: Vector) -> float:
    """Length of pad face covered by the block [m]; negative when they do not overlap. Corners in gripper frame."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    along = min(high[2], PAD_MIDDLE[2] + PAD_HALF_Z) - max(low[2], PAD_MIDDLE[2] - PAD_HALF_Z)
    across = min(high[1], PAD_HALF_Y) - max(low[1], -PAD_HALF_Y)
    return float(min(along, across))
