"""A camera's picture with lines of the world drawn over it: where a policy means to go, and where it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from curation.frames import Image, Vector
from curation.palette import Colour
from recorders.world.eye import Eye

from .braille import Mask, braille
from .halfblocks import Glyph, Packed, blend
from .pixels import Pixels

_SHADE, _SHADE_SHARE = (10, 12, 16), 0.6
"""Behind lines: the picture is seen, the line too."""
_FAR = 10_000
"""Points farther than this from a picture are as good as there [px]; OpenCV's integers end."""


@dataclass(frozen=True, eq=False)
class Strand:
    """A line in the world.

    Attributes:
        path: its points [m], shape (N, 3).
        colour: of it.
        dashed: every second point is left out, as of something that is only meant.
    """

    path: Vector
    colour: Colour
    dashed: bool = False


class WhiskerView(Pixels):
    """Shows a picture and lines over it; later lines lie over earlier ones."""

    def __init__(self, caption: str = "", empty: str = "no picture yet", **more: Any) -> None:
        super().__init__(caption, empty, **more)
        self._eye: Eye | None = None
        self._strands: Sequence[Strand] = ()

    def see(self, image: Image, eye: Eye, strands: Sequence[Strand]) -> None:
        """Show another picture, or other lines; the same sequence of lines is not drawn again.

        Args:
            image: uint8 RGB, shape (height, width, 3), not changed later.
            eye: that saw it.
            strands: from the lowest to the uppermost.
        """
        if image is self._image and strands is self._strands:
            return
        self._image, self._eye, self._strands = image, eye, strands
        self._draw()

    def with_lines(self, image: Image) -> Image:
        height, width = image.shape[:2]
        drawn = np.ascontiguousarray(image.copy())
        for strand in self._strands:
            for points in self._seen(strand, height, width):
                cv2.polylines(drawn, [points], isClosed=False, color=strand.colour, thickness=1, lineType=cv2.LINE_AA)
        return drawn

    def lines_over(self, grid: Packed) -> dict[tuple[int, int], Glyph]:
        lines, columns = grid.shape[0] // 2, grid.shape[1]
        found: dict[tuple[int, int], Glyph] = {}
        for strand in self._strands:
            mask = np.zeros((4 * lines, 2 * columns), np.uint8)
            for points in self._seen(strand, 4 * lines, 2 * columns):
                cv2.polylines(mask, [points], isClosed=False, color=1)
            for (line, column), sign in braille(mask > 0).items():
                # Thin dots are seen on a darker ground only.
                ground = blend(int(grid[2 * line, column]), _SHADE, _SHADE_SHARE)
                found[line, column] = Glyph(sign, strand.colour, bold=True, ground=ground)
        return found

    def _seen(self, strand: Strand, height: int, width: int) -> list[Any]:
        """Parts of a line that lie before the camera, in the pixels of a picture of such a size."""
        if self._eye is None or self._image is None or len(strand.path) == 0:
            return []
        tall, wide = self._image.shape[:2]
        seen = self._eye.project(strand.path, tall, wide) * (width / wide, height / tall)
        known: Mask = np.asarray(np.isfinite(seen).all(axis=1))
        points = np.clip(np.round(np.nan_to_num(seen)), -_FAR, _FAR).astype(np.int32)
        pairs = [points[at : at + 2] for at in range(0, len(points) - 1, 1 + strand.dashed) if known[at : at + 2].all()]
        return pairs or ([points[:1]] if known[0] else [])
