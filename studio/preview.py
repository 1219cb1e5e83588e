"""A live picture of the overhead camera in the terminal, in half-blocks, on stderr.

The process that draws it also writes it, so that a slow rasteriser or terminal never delays the arm: a picture that is
not wanted in time is not drawn.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import ArrayLike

from curation.errors import UsageError
from curation.frames import Frame, Image
from recorders.world.scene import Scene
from studio.views import Views

PICTURES_PER_S = 10
WIDTH, HEIGHT = 160, 120
"""A small picture costs a tenth of a full one, and the terminal has no more cells [px]."""
MOST_COLUMNS, LINES_BELOW = 80, 8
"""Widest picture, and what is left to words [cells]."""
Look = Callable[[Frame | ArrayLike], None]


def require_terminal() -> None:
    """Check that there is a terminal to draw in.

    Raises:
        UsageError: if stderr is not one.
    """
    if not sys.stderr.isatty():
        raise UsageError("--preview draws in the terminal, and stderr is not one. Leave it away here.")


@contextmanager
def preview(wanted: bool, scene: Scene) -> Iterator[Look]:
    """A watcher of frames, or of their physics vectors; draws nothing unless wanted."""
    if not wanted:
        yield lambda seen: None
        return
    views = Views(scene, width=WIDTH, height=HEIGHT, per_second=PICTURES_PER_S, show=write)
    try:
        yield lambda seen: views.want(seen.physics if isinstance(seen, Frame) else seen)
    finally:
        views.close()
        sys.stderr.write("\x1b[0m\x1b[?25h\n")
        sys.stderr.flush()


def write(pictures: Mapping[str, Image]) -> None:
    """Draw the overhead picture at the top of the terminal; the cursor stays where it is."""
    size = os.get_terminal_size(sys.stderr.fileno())
    text = half_blocks(pictures["overhead_cam"], size.columns, size.lines - LINES_BELOW)
    sys.stderr.write(f"\x1b7\x1b[H{text}\x1b8")
    sys.stderr.flush()


def half_blocks(image: Image, columns: int, lines: int) -> str:
    """An image as text, two pixels per cell: the upper half block in two colours, at most 80 cells wide."""
    width = max(2, min(columns, MOST_COLUMNS, int(2 * lines * image.shape[1] / image.shape[0])))
    height = 2 * max(1, round(width * image.shape[0] / image.shape[1] / 2))
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.int32)
    rows = []
    for top, bottom in zip(small[0::2], small[1::2], strict=True):
        cells = (f"\x1b[38;2;{a};{b};{c};48;2;{d};{e};{f}m▀" for (a, b, c), (d, e, f) in zip(top, bottom, strict=True))
        rows.append("".join(cells) + "\x1b[0m")
    return "\r\n".join(rows)
