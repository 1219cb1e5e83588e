"""Cameras: images from a physics state, when someone asks."""

from __future__ import annotations

import atexit
from collections.abc import Mapping

import mujoco
import numpy as np

from curation.frames import Image, Vector

from .eye import Eye, eye_of
from .gl import require_opengl
from .scene import Scene

DEPTH_RANGE_M = 2.0
"""Depth that maps to 255 [m]; farther is clipped."""


class Painter:
    """Draws a model's cameras from any qpos, so that a picture never depends on when it was drawn.

    One per model and thread: closing a second renderer takes the context away from the first, which then leaves
    its buffer untouched without a word.
    """

    def __init__(self, scene: Scene, model: mujoco.MjModel) -> None:
        self.scene = scene
        self.model = model
        self._data = mujoco.MjData(model)
        self._renderer: mujoco.Renderer | None = None

    def draw(self, qpos: Vector) -> dict[str, Image]:
        """Every camera of the scene, uint8 (height, width, 3), depth as `<camera>_depth` when the scene has it."""
        self._pose(qpos)
        renderer = self._open()
        images = {}
        for camera in self.scene.cameras:
            renderer.update_scene(self._data, camera)
            images[camera] = renderer.render()
        if self.scene.depth:
            images.update(self._depth(renderer))
        return images

    def look(self, qpos: Vector, camera: mujoco.MjvCamera) -> Image:
        """One view from a free camera."""
        self._pose(qpos)
        renderer = self._open()
        renderer.update_scene(self._data, camera)
        image: Image = renderer.render()
        return image

    def shots(self, qpos: Vector, cameras: Mapping[str, str | mujoco.MjvCamera]) -> dict[str, tuple[Image, Eye]]:
        """Pictures and where they were seen from, by whatever the cameras are called.

        Args:
            qpos: of the scene.
            cameras: the scene's own by their names, or free ones.
        """
        self._pose(qpos)
        renderer = self._open()
        found = {}
        for name, camera in cameras.items():
            renderer.update_scene(self._data, camera)
            found[name] = (renderer.render(), eye_of(renderer.scene))
        return found

    def gripper(self, qpos: Vector) -> Vector:
        """Position of the tool point [m], shape (3,)."""
        self._pose(qpos)
        return self._data.site("tcp").xpos.copy()

    def bowl(self, qpos: Vector) -> Vector:
        """The bowl's axis at the table [m], shape (3,)."""
        self._pose(qpos)
        return self._data.body("bowl").xpos.copy()

    def address(self, joint: str) -> int:
        """Where a joint's numbers begin in qpos."""
        return int(self.model.joint(joint).qposadr[0])

    def close(self) -> None:
        """Free the OpenGL context."""
        if self._renderer is not None:
            atexit.unregister(self.close)
            self._renderer.close()
            self._renderer = None

    def _pose(self, qpos: Vector) -> None:
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self.model, self._data)
        mujoco.mj_comPos(self.model, self._data)
        mujoco.mj_camlight(self.model, self._data)

    def _open(self) -> mujoco.Renderer:
        if self._renderer is None:
            require_opengl()
            self._renderer = mujoco.Renderer(self.model, self.scene.height, self.scene.width)
            # MuJoCo ends EGL at the interpreter's exit; a context still open then prints a traceback. What is
            # registered last runs first.
            atexit.register(self.close)
        return self._renderer

    def _depth(self, renderer: mujoco.Renderer) -> dict[str, Image]:
        renderer.enable_depth_rendering()
        images = {}
        for camera in self.scene.cameras:
            renderer.update_scene(self._data, camera)
            metres = np.clip(renderer.render(), 0.0, DEPTH_RANGE_M)
            grey = np.round(metres * (255.0 / DEPTH_RANGE_M)).astype(np.uint8)
            images[f"{camera}_depth"] = np.repeat(grey[:, :, None], 3, axis=2)
        renderer.disable_depth_rendering()
        return images
