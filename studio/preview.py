"""A live picture of the overhead camera in the terminal, in half-blocks, on stderr."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from curation.errors import UsageError
from curation.frames import Frame, Image

PICTURES_PER_S = 10
"""Enough to follow the arm; each picture costs a rendering."""


@contextmanager
def preview(wanted: bool, fps: int) -> Iterator[Callable[[Frame], None]]:
    """A watcher of frames; draws nothing unless wanted."""
    if not wanted:
        yield lambda frame: None
        return
    if not sys.stderr.isatty():
        raise UsageError("--preview draws in the terminal, and stderr is not one. Leave it away here.")
    every = max(1, fps // PICTURES_PER_S)
    sys.stderr.write("\x1b[?25l")

    def watch(frame: Frame) -> None:
        if frame.index % every == 0:
            image = frame.observation.render()["overhead_cam"]
            sys.stderr.write("\x1b[H" + half_blocks(image, shutil.get_terminal_size().columns) + "\n")

    try:
        yield watch
    finally:
        sys.stderr.write("\x1b[?25h\n")
        sys.stderr.flush()


def half_blocks(image: Image, columns: int) -> str:
    """An image as text, two pixels per cell: the upper half block in two colours."""
    width = min(columns, 80)
    height = 2 * round(width * image.shape[0] / image.shape[1] / 2)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.int32)
    lines = []
    for top, bottom in zip(small[0::2], small[1::2], strict=True):
        cells = (
            f"\x1b[38;2;{a};{b};{c};48;2;{d};{e};{f}m▀" for (a, b, c), (d, e, f) in zip(top, bottom, strict=True)
        )
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)
