"""The block's pose as a column of a dataset, for tests only: what a policy with perfect eyes would see.

It is opt-in, a column of its own and never a part of `observation.state`; who trains on it is marked privileged.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.frames import Feature, Vector
from curation.info import features_of as stored_features
from curation.info import parse_info, read_info
from curation.names import POSE

from .world.scene import Scene
from .world.sim import features_of

FEATURE = Feature("float32", (5,), ("block_x", "block_y", "block_z", "block_yaw_sin", "block_yaw_cos"))
"""Metres, and the yaw as its sine and cosine; LeRobot's env offers the same with `environment_state=true`."""


def columns_of(scene: Scene, *, privileged: bool) -> dict[str, Feature]:
    """The columns of a scene's dataset, with the block's pose if wished."""
    return features_of(scene) | ({POSE: FEATURE} if privileged else {})


def is_privileged(root: Path) -> bool:
    """Whether a dataset has the block's pose."""
    return POSE in stored_features(parse_info(root, read_info(root)))


def block_poses(qpos: Vector) -> NDArray[np.float32]:
    """The column from the block's free joint, shape (N, 7) [m, quaternion w x y z] to (N, 5)."""
    w, x, y, z = qpos[:, 3:7].T
    yaw = np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    return np.column_stack([qpos[:, :3], np.sin(yaw), np.cos(yaw)]).astype(np.float32)
