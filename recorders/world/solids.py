"""The scene as plain shapes, and where their bodies stand: for viewers that draw it themselves."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from curation.frames import Vector

_KINDS = {
    mujoco.mjtGeom.mjGEOM_SPHERE: "ellipsoid",
    mujoco.mjtGeom.mjGEOM_ELLIPSOID: "ellipsoid",
    mujoco.mjtGeom.mjGEOM_CAPSULE: "capsule",
    mujoco.mjtGeom.mjGEOM_CYLINDER: "cylinder",
    mujoco.mjtGeom.mjGEOM_BOX: "box",
}
_SHOWN = 3
"""MuJoCo draws geoms of the groups before this one."""


@dataclass(frozen=True)
class Solid:
    """One shape, fixed to a body.

    Attributes:
        body: its name.
        kind: ellipsoid, capsule, cylinder or box.
        size: half sizes [m], shape (3,); of capsules and cylinders the radius twice and half the length along z, of
            capsules without their round ends.
        position: in the body's frame [m], shape (3,).
        quaternion: from the shape's frame to the body's, wxyz, shape (4,).
        colour: red, green, blue and opacity from 0 to 1, shape (4,).
    """

    body: str
    kind: str
    size: Vector
    position: Vector
    quaternion: Vector
    colour: Vector


def solids(model: mujoco.MjModel) -> list[Solid]:
    """Every shape that is drawn, without the table, which has no end."""
    found = []
    for index in range(model.ngeom):
        kind = mujoco.mjtGeom(int(model.geom_type[index]))
        if kind in _KINDS and model.geom_group[index] < _SHOWN and model.geom_rgba[index][3] > 0:
            size = np.array(model.geom_size[index], np.float64)
            if kind is mujoco.mjtGeom.mjGEOM_SPHERE:
                size[:] = size[0]
            elif _KINDS[kind] in ("capsule", "cylinder"):
                size = size[[0, 0, 1]]
            found.append(
                Solid(
                    model.body(int(model.geom_bodyid[index])).name,
                    _KINDS[kind],
                    size,
                    np.array(model.geom_pos[index]),
                    np.array(model.geom_quat[index]),
                    _colour(model, index),
                )
            )
    return found


def poses(model: mujoco.MjModel, qpos: Vector) -> dict[str, tuple[Vector, Vector]]:
    """Where bodies stand in states.

    Args:
        model: of the scene.
        qpos: shape (N, nq).

    Returns:
        By body, positions in the base frame [m], shape (N, 3), and quaternions wxyz, shape (N, 4).
    """
    data, positions, quaternions = mujoco.MjData(model), [], []
    for state in qpos:
        data.qpos[:] = state
        mujoco.mj_kinematics(model, data)
        positions.append(data.xpos.copy())
        quaternions.append(data.xquat.copy())
    where, turned = np.array(positions), np.array(quaternions)
    return {model.body(index).name: (where[:, index], turned[:, index]) for index in range(model.nbody)}


def _colour(model: mujoco.MjModel, geom: int) -> Vector:
    material = int(model.geom_matid[geom])
    found: Vector = np.array(model.mat_rgba[material] if material >= 0 else model.geom_rgba[geom], np.float64)
    return found
