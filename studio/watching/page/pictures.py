"""The pictures of a page: the overhead camera and a free view, small, and no more of them than fit."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image as Pillow

from curation.frames import Image, Vector
from recorders.views import VIEWS
from recorders.world.drawing import Painter
from recorders.world.scene import compile_scene
from studio.watching.film import scene_of
from studio.watching.history import History

WIDTH, HEIGHT = 480, 360
QUALITY = 72
"""Of WebP."""
BUDGET = 8_000_000
"""Bytes for all pictures; in base64 they are a third more, and the page stays below 15 MB."""
PROBES = 6
"""Pictures by which the size of all is estimated."""
OVERHEAD = "overhead_cam"
FREE = next(view for view in VIEWS if view.label == "overview")

Progress = Callable[[int, int], None]


def pictures(history: History, budget: int, progress: Progress) -> dict[str, Any]:
    """Draw them.

    Args:
        history: whose moments are drawn, and its end.
        budget: bytes that they may take.
        progress: told pictures drawn and pictures in all.

    Returns:
        JSON values: "every" so many frames there is a picture, its "width" and "height", the "bytes" of all, and
        "views", each with its "name", where it is seen from ("eye": position, forward, up, tangent of half the vertical
        field of view) and its "images" in base64.
    """
    scene = replace(scene_of(history), look="nice", width=WIDTH, height=HEIGHT, depth=False)
    painter = Painter(scene, compile_scene(scene))
    cameras = {"overhead camera": OVERHEAD, FREE.label: FREE.camera(np.zeros(3))}
    physics = history.columns.physics[:, 1 : 1 + painter.model.nq]
    try:
        every = _every(painter, cameras, physics, budget)
        shown = range(0, len(physics), every)
        images: dict[str, list[bytes]] = {name: [] for name in cameras}
        eyes = {}
        for frame in shown:
            for name, (image, eye) in painter.shots(physics[frame], cameras).items():
                images[name].append(_encoded(image))
                eyes[name] = eye
            progress(frame // every + 1, len(shown))
    finally:
        painter.close()
    return {
        "every": every,
        "width": WIDTH,
        "height": HEIGHT,
        "bytes": sum(len(data) for each in images.values() for data in each),
        "views": [
            {
                "name": name,
                "eye": [round(float(value), 6) for value in eyes[name].numbers()],
                "images": [base64.b64encode(data).decode() for data in each],
            }
            for name, each in images.items()
        ],
    }


def _every(painter: Painter, cameras: dict[str, Any], physics: Vector, budget: int) -> int:
    """Of every how many frames a picture fits."""
    probed = np.unique(np.linspace(0, len(physics) - 1, PROBES).astype(int))
    sizes = [
        sum(len(_encoded(image)) for image, _ in painter.shots(physics[at], cameras).values()) for at in probed
    ]  # fmt: skip
    return max(1, math.ceil(float(np.mean(sizes)) * len(physics) / budget))


def _encoded(image: Image) -> bytes:
    data = io.BytesIO()
    Pillow.fromarray(image).save(data, "WEBP", quality=QUALITY, method=2)
    return data.getvalue()
