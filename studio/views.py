"""Live pictures of both cameras, drawn by a process of its own from the physics vectors of frames.

The two sides share memory and no lock: a side that is slow, stopped or killed never holds up the other. Of several
wishes and of several pictures the newest counts, and the others are dropped.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from curation.errors import StudioError
from curation.frames import Image, Vector
from recorders.crew import as_child, no_interrupt
from recorders.world.scene import Scene

Pictures = dict[str, Image]

NICE = 5
POLL_S = 0.01
"""How often the drawing process looks for a wish [s]."""
SLOTS = 3
"""Pictures in memory: the one that is read, the newest, and the one being drawn."""
ROOM = 512
"""Longest physics vector of which all is kept; of a longer one the end, which is velocities, is left away."""
AGAIN_S, MOST = 5.0, 3
"""A drawing process that died is started again after so long [s], at most so often."""
_SPAWN = multiprocessing.get_context("spawn")


class Views:
    """Draws what it is told to want.

    Args:
        scene: what stands where; it is drawn without shadows and depth.
        width, height: of the pictures [px].
        per_second: most pictures of each camera per second.
        show: called in the drawing process with every set of pictures; must be picklable.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        width: int = 160,
        height: int = 120,
        per_second: float = 10,
        show: Callable[[Mapping[str, Image]], None] | None = None,
    ) -> None:
        self._scene = replace(scene, width=width, height=height, depth=False, look="fast")
        self._board = _Board(len(scene.cameras) * width * height * 3)
        self._rest = (1 / per_second, show)
        self._latest: tuple[int, Pictures] | None = None
        self._starts = 0
        self._started = 0.0
        self._start()

    @property
    def error(self) -> str:
        """Why nothing is drawn; empty while all is well."""
        return self._board.told()

    @property
    def cost_s(self) -> float:
        """Time to draw the newest set of pictures [s]; 0 before the first."""
        return float(self._board.cost[0])

    @property
    def drawn(self) -> int:
        """Sets of pictures so far."""
        return int(self._board.ready[0])

    def want(self, physics: ArrayLike) -> None:
        """Ask for pictures of a state; never waits.

        Args:
            physics: frame index, qpos and what follows, as in a frame.
        """
        self._board.wish(np.asarray(physics, dtype=np.float64))
        self._keep_alive()

    def pictures(self) -> Pictures | None:
        """The newest pictures by camera, uint8 (height, width, 3), the same objects while there are no newer ones.

        Never waits; None before the first.
        """
        ready = self.drawn
        if ready and (self._latest is None or self._latest[0] != ready):
            block = self._board.read()
            if block is not None:
                shape = (len(self._scene.cameras), self._scene.height, self._scene.width, 3)
                self._latest = (ready, dict(zip(self._scene.cameras, block.reshape(shape), strict=True)))
        return self._latest[1] if self._latest else None

    def close(self) -> None:
        """End the drawing process."""
        self._starts = MOST
        self._process.terminate()
        self._process.join(timeout=5)

    def _start(self) -> None:
        self._starts, self._started = self._starts + 1, time.monotonic()
        self._process = _SPAWN.Process(target=_draw, args=(self._board, self._scene, *self._rest), daemon=True)
        with no_interrupt():
            self._process.start()

    def _keep_alive(self) -> None:
        late = time.monotonic() - self._started > AGAIN_S
        if late and self._starts < MOST and not self.error and not self._process.is_alive():
            self._start()


class _Board:
    """Memory that both sides see: the newest wish, the newest pictures, and a word about what is wrong.

    Args:
        size: bytes of one set of pictures.
    """

    def __init__(self, size: int) -> None:
        self._memory: tuple[Any, ...] = (
            _SPAWN.RawArray("d", ROOM),
            _SPAWN.RawArray("q", 2),
            _SPAWN.RawArray("B", SLOTS * size),
            _SPAWN.RawArray("q", 1),
            _SPAWN.RawArray("d", 1),
            _SPAWN.RawArray("B", 1024),
        )
        self._map()

    def __getstate__(self) -> tuple[Any, ...]:
        return self._memory

    def __setstate__(self, memory: tuple[Any, ...]) -> None:
        self._memory = memory
        self._map()

    def _map(self) -> None:
        kinds = (np.float64, np.int64, np.uint8, np.int64, np.float64, np.uint8)
        arrays = [np.frombuffer(part, kind) for part, kind in zip(self._memory, kinds, strict=True)]
        self._wish, self._count, slots, self.ready, self.cost, self._word = arrays
        self._slots = slots.reshape(SLOTS, -1)

    def wish(self, physics: Vector) -> None:
        """Put down a state."""
        # Two counts that differ, or change, tell the reader that it read in the middle of a writing.
        self._count[0] += 1
        self._wish[: min(len(physics), ROOM)] = physics[:ROOM]
        self._count[1] = self._count[0]

    def wished(self, size: int) -> Vector | None:
        """The first numbers of the newest state; None before the first, and while it is being written."""
        count = int(self._count[0])
        state = self._wish[:size].copy()
        return state if count and count == self._count[1] == self._count[0] else None

    def write(self, pictures: Mapping[str, Image], seconds: float) -> None:
        """Put down a set of pictures and what it cost."""
        number = int(self.ready[0]) + 1
        self._slots[number % SLOTS] = np.concatenate([image.ravel() for image in pictures.values()])
        self.cost[0] = seconds
        self.ready[0] = number

    def read(self) -> Image | None:
        """A copy of the newest set; None if the writer overtook twice meanwhile."""
        number = int(self.ready[0])
        block: Image = self._slots[number % SLOTS].copy()
        return block if self.ready[0] < number + SLOTS - 1 else None

    def tell(self, words: str) -> None:
        """Leave a word for the other side."""
        data = words.encode()[: len(self._word) - 1]
        self._word[: len(data)] = list(data)

    def told(self) -> str:
        """The word of the other side."""
        return bytes(self._word).rstrip(b"\0").decode(errors="replace")


def _draw(board: _Board, scene: Scene, rest: float, show: Callable[[Mapping[str, Image]], None] | None) -> None:
    """Draw wishes until the parent ends."""
    # One thread of a software rasteriser draws so small a picture as fast as many, and leaves cores to the arm.
    os.environ["LP_NUM_THREADS"] = "1"
    as_child(nice=NICE)
    from recorders.world.drawing import Painter
    from recorders.world.scene import compile_scene

    try:
        painter = Painter(scene, compile_scene(scene))
        before: Vector = np.zeros(0)
        while True:
            began = time.perf_counter()
            state = board.wished(1 + painter.model.nq)
            # The first number is the frame's index: an arm that stands still is not drawn again.
            if state is None or np.array_equal(state[1:], before):
                time.sleep(POLL_S)
                continue
            pictures = painter.draw(state[1:])
            board.write(pictures, time.perf_counter() - began)
            before = np.asarray(state[1:])
            if show is not None:
                show(pictures)
            time.sleep(max(0.0, rest - (time.perf_counter() - began)))
    except StudioError as error:
        board.tell(str(error))
    except Exception as error:  # noqa: BLE001  told on the screen; a traceback would tear it
        board.tell(f"unexpected {type(error).__name__} in the process that draws the cameras: {error}")
