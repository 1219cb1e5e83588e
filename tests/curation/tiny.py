"""The smallest dataset worth the name: two cameras of 64x48, eight frames an episode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from curation import store as store_module
from curation.frames import JOINT_FEATURES, Feature, Image

WIDTH, HEIGHT, FPS = 64, 48, 30
CAMERAS = ("observation.images.overhead_cam", "observation.images.wrist_cam")
FEATURES = {
    "action": Feature("float32", (6,), JOINT_FEATURES),
    "observation.state": Feature("float32", (6,), JOINT_FEATURES),
} | {camera: Feature("video", (HEIGHT, WIDTH, 3), ("height", "width", "channels")) for camera in CAMERAS}


def picture(episode: int, frame: int, camera: int) -> Image:
    """A smooth picture that differs clearly between episodes, frames and cameras."""
    image = np.full((HEIGHT, WIDTH, 3), 40 + 60 * camera, np.uint8)
    image[:, :, 0] = 20 + 25 * frame % 230
    image[: HEIGHT // 2, :, 1] = 30 + 60 * episode % 210
    return image


def numbers(episode: int, length: int) -> dict[str, NDArray[Any]]:
    """Random states and actions of an episode, shape (length, 6)."""
    rng = np.random.default_rng(episode)
    return {key: rng.normal(size=(length, 6)).astype(np.float32) for key in ("action", "observation.state")}


class Killed(BaseException):
    """Stands for a kill: nothing in the program catches it."""


def kill_at(patch: pytest.MonkeyPatch, step: int) -> None:
    """Let the store die before its write number `step`."""
    done = iter(range(100))
    for name in ("write_aside", "place"):
        real = getattr(store_module, name)

        def write(*arguments: object, real: Callable[..., None] = real) -> None:
            if next(done) == step:
                raise Killed
            real(*arguments)

        patch.setattr(store_module, name, write)
