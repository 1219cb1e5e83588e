"""Lines of a moment drawn over a picture, as seen from where it was taken."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from curation.frames import Image, Vector
from recorders.world.eye import Eye

from .lines import COLOURS, Line

SHADE = (12, 14, 18)
"""Around the lines that matter most, so that they are seen before a table of any colour."""
WIDTHS = {"plan": 3, "taken": 3, "ghost": 2}
STEPS = 8
"""Strengths are rounded to so many, and lines of one kind and strength are drawn at once."""
_BITS = 4
"""Of the fractions of pixels that OpenCV is told."""


def draw_lines(image: Image, eye: Eye, lines: Sequence[Line]) -> Image:
    """A copy of a picture with lines over it, and a dot where the tool point is now.

    Args:
        image: uint8 RGB.
        eye: it was seen with.
        lines: in the order to draw them.
    """
    drawn: Image = image.copy()
    size = image.shape[:2]
    together: dict[tuple[str, int], list[Vector]] = {}
    for line in lines:
        together.setdefault((line.kind, round(line.strength * STEPS)), []).extend(
            _pieces(eye.project(line.points, *size))
        )
    for (kind, strength), pieces in together.items():
        width = WIDTHS.get(kind, 1)
        if width > 2:
            _blend(drawn, pieces, SHADE, 0.35 * strength / STEPS, width + 2)
        _blend(drawn, pieces, COLOURS[kind], strength / STEPS, width)
    now = next((line.points[-1] for line in lines if line.kind == "taken"), None)
    if now is not None:
        _dot(drawn, eye.project(now[None], *size)[0])
    return drawn


def _pieces(pixels: Vector) -> list[Vector]:
    """Stretches of a line that are before the camera, in OpenCV's fixed-point numbers."""
    seen = np.isfinite(pixels).all(axis=1)
    breaks = np.flatnonzero(np.diff(seen.astype(int))) + 1
    stretches = [part for part in np.split(pixels, breaks) if len(part) > 1 and np.isfinite(part[0]).all()]
    # Far outside the picture its numbers would overflow.
    return [np.clip(np.round(part * 2**_BITS), -(2**20), 2**20).astype(np.int32) for part in stretches]


def _blend(image: Image, pieces: Sequence[Vector], colour: tuple[int, int, int], opacity: float, width: int) -> None:
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.polylines(mask, list(pieces), False, 255, width, cv2.LINE_AA, _BITS)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    share = mask[box][:, :, None].astype(np.float32) * (opacity / 255)
    part = image[box]
    part[:] = np.round(part + (np.array(colour, np.float32) - part) * share).astype(np.uint8)


def _dot(image: Image, pixel: Vector) -> None:
    if not np.isfinite(pixel).all():
        return
    centre = tuple(int(value) for value in np.clip(np.round(pixel * 2**_BITS), -(2**20), 2**20))
    for radius, colour in ((5, SHADE), (4, (255, 255, 255)), (2, COLOURS["plan"])):
        cv2.circle(image, centre, radius << _BITS, colour, -1, cv2.LINE_AA, _BITS)
