"""A live picture of the overhead camera in the terminal, in half-blocks, on stderr.

A process of its own draws it, so that a slow rasteriser or terminal never delays the arm: a picture that is not
wanted in time is not drawn.
"""

from __future__ import annotations

import multiprocessing
import queue
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from curation.errors import UsageError
from curation.frames import Frame, Image
from recorders.crew import as_child, no_interrupt
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene

PICTURES_PER_S = 10
_SPAWN = multiprocessing.get_context("spawn")


def require_terminal() -> None:
    """Check that there is a terminal to draw in.

    Raises:
        UsageError: if stderr is not one.
    """
    if not sys.stderr.isatty():
        raise UsageError("--preview draws in the terminal, and stderr is not one. Leave it away here.")


@contextmanager
def preview(wanted: bool, scene: Scene) -> Iterator[Callable[[Frame], None]]:
    """A watcher of frames; draws nothing unless wanted."""
    if not wanted:
        yield lambda frame: None
        return
    every = max(1, scene.fps // PICTURES_PER_S)
    size = shutil.get_terminal_size()
    states: Any = _SPAWN.Queue(maxsize=1)
    process = _SPAWN.Process(target=_show, args=(states, scene, size.columns, size.lines), daemon=True)
    with no_interrupt():
        process.start()

    def watch(frame: Frame) -> None:
        if frame.index % every == 0:
            try:
                states.put_nowait(frame.physics)
            except queue.Full:
                return

    try:
        yield watch
    finally:
        process.terminate()
        process.join(timeout=5)
        states.cancel_join_thread()
        sys.stderr.write("\x1b[0m\x1b[?25h\n")
        sys.stderr.flush()


def _show(states: Any, scene: Scene, columns: int, lines: int) -> None:
    """Draw states, the physics vectors of frames, until terminated."""
    as_child(nice=5)
    # A small picture costs a tenth of a full one, and the terminal has no more cells.
    small = replace(scene, width=192, height=144, depth=False)
    model = compile_scene(small)
    painter = Painter(small, model)
    while True:
        physics = states.get()
        text = half_blocks(painter.draw(physics[1 : 1 + model.nq])["overhead_cam"], columns, lines - 8)
        sys.stderr.write(f"\x1b7\x1b[H{text}\x1b8")
        sys.stderr.flush()


def half_blocks(image: Image, columns: int, lines: int) -> str:
    """An image as text, two pixels per cell: the upper half block in two colours, at most 80 cells wide."""
    width = max(2, min(columns, 80, int(2 * lines * image.shape[1] / image.shape[0])))
    height = 2 * round(width * image.shape[0] / image.shape[1] / 2)
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.int32)
    rows = []
    for top, bottom in zip(small[0::2], small[1::2], strict=True):
        cells = (f"\x1b[38;2;{a};{b};{c};48;2;{d};{e};{f}m▀" for (a, b, c), (d, e, f) in zip(top, bottom, strict=True))
        rows.append("".join(cells) + "\x1b[0m")
    return "\r\n".join(rows)
