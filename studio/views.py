"""Live pictures of the cameras, drawn by a process of its own from the physics vectors of frames.

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
from recorders.world.eye import NUMBERS, Eye
from recorders.world.scene import Scene

Pictures = dict[str, Image]

NICE = 5
POLL_S = 0.01
"""How often the drawing process looks for a wish [s]."""
SLOTS = 3
"""Pictures in memory: the one that is read, the newest, and the one being drawn."""
ROOM = 512
"""Longest physics vector of which all is kept; of a longer one the end, which is velocities, is left away."""
FREE = "free"
"""What the picture of a free camera is called."""
AGAIN_S, MOST = 5.0, 3
"""A drawing process that died is started again after so long [s], at most so often."""
_SPAWN = multiprocessing.get_context("spawn")


Orbit = tuple[float, float, float, float, float, float]
"""Of a free camera: azimuth, elevation [deg], distance [m], the point looked at [m]; as `recorders.views.View`."""
_AWAY: Orbit = (218.0, -27.0, 0.76, 0.19, -0.03, 0.06)
"""Where a free camera is as long as nobody says: recorders.views' overview."""


class Views:
    """Draws what it is told to want.

    Args:
        scene: what stands where; it is drawn without shadows and depth.
        width, height: of the pictures [px].
        per_second: most pictures of each camera per second.
        show: called in the drawing process with every set of pictures; must be picklable.
        cameras: of the scene that are drawn; all if None.
        free: also draw what a free camera sees, as `FREE`.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        width: int = 160,
        height: int = 120,
        per_second: float = 10,
        show: Callable[[Mapping[str, Image]], None] | None = None,
        cameras: tuple[str, ...] | None = None,
        free: bool = False,
    ) -> None:
        self._scene = replace(scene, width=width, height=height, depth=False, look="fast")
        own = self._scene.cameras if cameras is None else cameras
        self._names = (*own, *([FREE] if free else []))
        self._board = _Board(len(self._names) * width * height * 3, len(self._names))
        self._rest = (1 / per_second, show, self._names)
        self._latest: tuple[int, Pictures, dict[str, Eye]] | None = None
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

    def want(self, physics: ArrayLike, orbit: Orbit | None = None) -> None:
        """Ask for pictures of a state; never waits.

        Args:
            physics: frame index, qpos and what follows, as in a frame.
            orbit: where the free camera is; None leaves it where it was.
        """
        self._board.wish(np.asarray(physics, dtype=np.float64), orbit)
        self._keep_alive()

    def pictures(self) -> Pictures | None:
        """The newest pictures by camera, uint8 (height, width, 3), the same objects while there are no newer ones.

        Never waits; None before the first.
        """
        ready = self.drawn
        if ready and (self._latest is None or self._latest[0] != ready):
            found = self._board.read()
            if found is not None:
                images = found[0].reshape(len(self._names), self._scene.height, self._scene.width, 3)
                eyes = map(Eye.of, found[1].reshape(-1, NUMBERS))
                self._latest = (
                    ready, dict(zip(self._names, images, strict=True)), dict(zip(self._names, eyes, strict=True))
                )  # fmt: skip
        return self._latest[1] if self._latest else None

    def eyes(self) -> dict[str, Eye]:
        """From where the pictures last returned were seen; empty before the first."""
        return self._latest[2] if self._latest else {}

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
        cameras: how many there are.
    """

    def __init__(self, size: int, cameras: int = 0) -> None:
        self._memory: tuple[Any, ...] = (
            _SPAWN.RawArray("d", ROOM),
            _SPAWN.RawArray("q", 2),
            _SPAWN.RawArray("B", SLOTS * size),
            _SPAWN.RawArray("q", 1),
            _SPAWN.RawArray("d", 1),
            _SPAWN.RawArray("B", 1024),
            _SPAWN.RawArray("d", list(_AWAY)),
            _SPAWN.RawArray("d", max(1, SLOTS * cameras * NUMBERS)),
        )
        self._map()

    def __getstate__(self) -> tuple[Any, ...]:
        return self._memory

    def __setstate__(self, memory: tuple[Any, ...]) -> None:
        self._memory = memory
        self._map()

    def _map(self) -> None:
        kinds = (np.float64, np.int64, np.uint8, np.int64, np.float64, np.uint8, np.float64, np.float64)
        arrays = [np.frombuffer(part, kind) for part, kind in zip(self._memory, kinds, strict=True)]
        self._wish, self._count, slots, self.ready, self.cost, self._word, self.orbit, eyes = arrays
        each = len(eyes) // SLOTS
        self._slots, self._eyes = slots.reshape(SLOTS, -1), eyes[: SLOTS * each].reshape(SLOTS, each)

    def wish(self, physics: Vector, orbit: Orbit | None = None) -> None:
        """Put down a state, and where the free camera is."""
        # Two counts that differ, or change, tell the reader that it read in the middle of a writing.
        self._count[0] += 1
        self._wish[: min(len(physics), ROOM)] = physics[:ROOM]
        if orbit is not None:
            self.orbit[:] = orbit
        self._count[1] = self._count[0]

    def wished(self, size: int) -> Vector | None:
        """The first numbers of the newest state; None before the first, and while it is being written."""
        count = int(self._count[0])
        state = self._wish[:size].copy()
        return state if count and count == self._count[1] == self._count[0] else None

    def write(self, shots: Mapping[str, tuple[Image, Eye]], seconds: float) -> None:
        """Put down a set of pictures and what it cost."""
        number = int(self.ready[0]) + 1
        self._slots[number % SLOTS] = np.concatenate([image.ravel() for image, _ in shots.values()])
        self._eyes[number % SLOTS] = np.concatenate([eye.numbers() for _, eye in shots.values()])
        self.cost[0] = seconds
        self.ready[0] = number

    def read(self) -> tuple[Image, Vector] | None:
        """A copy of the newest set and of its eyes; None if the writer overtook twice meanwhile."""
        number = int(self.ready[0])
        block, eyes = self._slots[number % SLOTS].copy(), self._eyes[number % SLOTS].copy()
        return (block, eyes) if self.ready[0] < number + SLOTS - 1 else None

    def tell(self, words: str) -> None:
        """Leave a word for the other side."""
        data = words.encode()[: len(self._word) - 1]
        self._word[: len(data)] = list(data)

    def told(self) -> str:
        """The word of the other side."""
        return bytes(self._word).rstrip(b"\0").decode(errors="replace")


def _draw(
    board: _Board,
    scene: Scene,
    rest: float,
    show: Callable[[Mapping[str, Image]], None] | None,
    names: tuple[str, ...],
) -> None:
    """Draw wishes until the parent ends."""
    # One thread of a software rasteriser draws so small a picture as fast as many, and leaves cores to the arm.
    os.environ["LP_NUM_THREADS"] = "1"
    as_child(nice=NICE)
    from recorders.views import View
    from recorders.world.drawing import Painter
    from recorders.world.scene import compile_scene

    def camera(name: str, orbit: Vector) -> Any:
        if name != FREE:
            return name
        azimuth, elevation, distance, *target = orbit.tolist()
        return View(FREE, azimuth, elevation, distance, (target[0], target[1], target[2])).camera(np.zeros(3))

    try:
        painter = Painter(scene, compile_scene(scene))
        before: Vector = np.zeros(0)
        while True:
            began = time.perf_counter()
            state = board.wished(1 + painter.model.nq)
            # The first number is the frame's index: an arm that stands still is not drawn again.
            orbit = board.orbit.copy()
            if state is None or np.array_equal(now := np.concatenate([state[1:], orbit]), before):
                time.sleep(POLL_S)
                continue
            shots = painter.shots(state[1:], {name: camera(name, orbit) for name in names})
            board.write(shots, time.perf_counter() - began)
            before = now
            if show is not None:
                show({name: image for name, (image, _) in shots.items()})
            time.sleep(max(0.0, rest - (time.perf_counter() - began)))
    except StudioError as error:
        board.tell(str(error))
    except Exception as error:  # noqa: BLE001  told on the screen; a traceback would tear it
        board.tell(f"unexpected {type(error).__name__} in the process that draws the cameras: {error}")
