"""Where a camera stands and looks, so that points of the world can be drawn into its picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from curation.frames import Vector

if TYPE_CHECKING:
    import mujoco

NUMBERS = 10
"""Of an eye as one vector."""
_NEAREST_M = 0.01
"""What is nearer to the camera, or behind it, is not seen [m]."""


@dataclass(frozen=True)
class Eye:
    """A camera without distortion, its picture's middle on its axis.

    Attributes:
        position: in the world [m], shape (3,).
        forward, up: unit vectors, shape (3,).
        half: tangent of half the vertical field of view.
    """

    position: Vector
    forward: Vector
    up: Vector
    half: float

    def project(self, points: Vector, height: int, width: int) -> Vector:
        """Where points are seen, shape (N, 2): column and row [px], from the picture's upper left corner.

        Args:
            points: in the world [m], shape (N, 3).
            height, width: of the picture [px].

        Returns:
            NaN for what is behind the camera; what is beside the picture is outside it.
        """
        away = points - self.position
        depth = away @ self.forward
        depth = np.where(depth > _NEAREST_M, depth, np.nan)
        scale = height / 2 / self.half
        right = np.cross(self.forward, self.up)
        return np.stack([width / 2 + scale * (away @ right) / depth, height / 2 - scale * (away @ self.up) / depth], 1)

    def numbers(self) -> Vector:
        """The same as one vector, shape (NUMBERS,)."""
        return np.concatenate([self.position, self.forward, self.up, [self.half]])

    @staticmethod
    def of(numbers: Vector) -> Eye:
        """Out of `numbers`."""
        return Eye(numbers[:3].copy(), numbers[3:6].copy(), numbers[6:9].copy(), float(numbers[9]))


def eye_of(drawn: mujoco.MjvScene) -> Eye:
    """The camera that a scene was last drawn with; MuJoCo keeps one for each of two eyes, a single one between them."""
    left, right = drawn.camera
    return Eye(
        (left.pos + right.pos).astype(np.float64) / 2,
        np.array(left.forward, np.float64),
        np.array(left.up, np.float64),
        float(left.frustum_top) / float(left.frustum_near),
    )
