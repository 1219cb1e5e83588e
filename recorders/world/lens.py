"""Where a camera puts a point: what is needed to draw lines over its pictures."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from curation.frames import Vector

NEAR_M = 0.01
"""Points nearer than this, or behind the camera, are in no picture [m]."""


@dataclass(frozen=True)
class Lens:
    """A camera with square pixels and the picture's middle on its axis, as MuJoCo's are.

    Attributes:
        position: of the camera in the base frame [m], shape (3,).
        axes: rows right, up and forward, unit vectors in the base frame, shape (3, 3).
        focal: focal length [px].
        width, height: of the picture [px].
    """

    position: Vector
    axes: Vector
    focal: float
    width: int
    height: int

    @property
    def matrix(self) -> Vector:
        """Shape (3, 4): of a point (x, y, z, 1) it makes (u * d, v * d, d), with d [m] the depth.

        u [px] goes right from the left edge, v [px] down from the upper one.
        """
        right, up, forward = self.axes
        rows = [self.focal * right + self.width / 2 * forward, -self.focal * up + self.height / 2 * forward, forward]
        turned = np.array(rows)
        return np.column_stack([turned, -turned @ self.position])

    def project(self, points: Vector) -> Vector:
        """Pixels of points.

        Args:
            points: in the base frame [m], shape (N, 3).

        Returns:
            Shape (N, 2); NaN where a point is not before the camera.
        """
        seen = np.asarray(points, dtype=np.float64).reshape(-1, 3) @ self.matrix[:, :3].T + self.matrix[:, 3]
        depth = np.where(seen[:, 2:] > NEAR_M, seen[:, 2:], np.nan)
        pixels: Vector = seen[:, :2] / depth
        return pixels


def free_lens(camera: mujoco.MjvCamera, model: mujoco.MjModel, width: int, height: int) -> Lens:
    """Of a free camera, which looks from an azimuth and an elevation at a point."""
    azimuth, elevation = np.radians([camera.azimuth, camera.elevation])
    forward = np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )  # fmt: skip
    up = np.array([-np.sin(elevation) * np.cos(azimuth), -np.sin(elevation) * np.sin(azimuth), np.cos(elevation)])
    axes = np.array([np.cross(forward, up), up, forward])
    position = np.array(camera.lookat) - camera.distance * forward
    return Lens(position, axes, _focal(float(model.vis.global_.fovy), height), width, height)


def fixed_lens(name: str, model: mujoco.MjModel, data: mujoco.MjData, width: int, height: int) -> Lens:
    """Of a camera of the model, as it stands now."""
    right, up, back = data.camera(name).xmat.reshape(3, 3).T
    focal = _focal(float(model.camera(name).fovy[0]), height)
    return Lens(data.camera(name).xpos.copy(), np.array([right, up, -back]), focal, width, height)


def _focal(fovy_deg: float, height: int) -> float:
    return height / 2 / float(np.tan(np.radians(fovy_deg) / 2))
