"""Six angles to watch the table from, one of them following the gripper."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from curation.frames import Vector

SMOOTHING = 0.15
"""Share of the way to the gripper that the tracking camera goes in one frame."""


@dataclass(frozen=True)
class View:
    """One angle.

    Attributes:
        label: for people.
        azimuth: compass direction the camera looks in [deg]; 0 is along +x, away from the arm's base.
        elevation: negative looks down [deg].
        distance: from the point looked at [m].
        target: the point looked at [m]; None follows the gripper.
    """

    label: str
    azimuth: float
    elevation: float
    distance: float
    target: tuple[float, float, float] | None

    def camera(self, tracked: Vector) -> mujoco.MjvCamera:
        """The camera of this view; `tracked` is looked at by a view that follows, shape (3,)."""
        camera = mujoco.MjvCamera()
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        camera.azimuth, camera.elevation, camera.distance = self.azimuth, self.elevation, self.distance
        camera.lookat[:] = tracked if self.target is None else self.target
        return camera


VIEWS = (
    View("overview", 218.0, -27.0, 0.76, (0.19, -0.03, 0.06)),
    View("side", -90.0, -12.0, 0.66, (0.20, 0.0, 0.10)),
    View("front", 180.0, -16.0, 0.70, (0.16, -0.04, 0.07)),
    View("top", 0.0, -90.0, 0.72, (0.23, -0.03, 0.0)),
    View("workspace", 132.0, -34.0, 0.46, (0.25, -0.09, 0.05)),
    View("gripper", 208.0, -24.0, 0.35, None),
)
"""In reading order, three to a row; most look from the side that the key light falls on."""


class Follower:
    """An exponential moving average of the gripper's position, which starts where the gripper is: no jump."""

    def __init__(self, start: Vector, smoothing: float = SMOOTHING) -> None:
        self.point = np.array(start, dtype=np.float64)
        self._smoothing = smoothing

    def see(self, gripper: Vector) -> Vector:
        """The point to look at in this frame [m], shape (3,)."""
        self.point = self.point + self._smoothing * (gripper - self.point)
        return self.point
