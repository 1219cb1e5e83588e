"""Worlds that share what they can: one model and one painter per scene and process.

Closing one MuJoCo renderer takes the OpenGL context from others on the thread, which then draw nothing without a
word. LeRobot and gymnasium open and close worlds as they like, so painters here live until the process ends.
"""

from __future__ import annotations

import atexit
from functools import cache

import mujoco

from curation.frames import Image, Vector
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene
from recorders.world.sim import SimWorld


def make_world(scene: Scene) -> SimWorld:
    """A world of its own on the scene's shared model and painter; closing it leaves those to the others."""
    return SimWorld(scene, *_shared(scene))


def image_names(scene: Scene) -> tuple[str, ...]:
    """Names of the images an observation of this scene draws."""
    depth = [f"{camera}_depth" for camera in scene.cameras if scene.depth]
    return (*scene.cameras, *depth)


class _LastingPainter(Painter):
    """Closed at exit and no sooner."""

    _registered = False

    def draw(self, qpos: Vector) -> dict[str, Image]:
        images = super().draw(qpos)
        if not self._registered:
            # Only now, because MuJoCo registers the end of the display while it opens the first one.
            atexit.register(super().close)
            self._registered = True
        return images

    def close(self) -> None:
        """Nothing yet: others may be drawing."""


@cache
def _shared(scene: Scene) -> tuple[mujoco.MjModel, Painter]:
    model = compile_scene(scene)
    return model, _LastingPainter(scene, model)
