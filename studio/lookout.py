"""A success classifier that watches a person's take from a process of its own, and says when it looks done.

The booth hands over the physics of every frame and never waits: the pictures are drawn, cut and judged beside it, in
order. On a machine that draws more slowly than the classifier asks, the word comes late.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Any

import numpy as np

from classifiers.live import Live
from curation.errors import StudioError
from curation.frames import Observation, Vector
from recorders.crew import as_child, end_channel, no_interrupt
from recorders.world.scene import Scene
from studio.referee import RefereeMaker

NICE = 5
POLL_S = 0.05
_SPAWN = multiprocessing.get_context("spawn")
_TAKE, _DONE, _SURE, _READY, _NOW = range(5)


class Lookout:
    """Watches one take after the other; made, it is ready, or has an error.

    Args:
        maker: which classifier, with a card.
        scene: of the booth's world.
    """

    def __init__(self, maker: RefereeMaker, scene: Scene) -> None:
        self._maker = maker
        self._take = 0
        self._frames: Any = _SPAWN.Queue()
        self._word = _SPAWN.RawArray("d", 5)
        self._error: Any = _SPAWN.Queue()
        self._process = _SPAWN.Process(
            target=_watch, args=(self._frames, self._word, self._error, maker, scene), daemon=True
        )
        with no_interrupt():
            self._process.start()
        # A take that begins before somebody watches would be judged late.
        while not self._word[_READY] and self._process.is_alive():
            time.sleep(POLL_S)

    def begin(self) -> None:
        """A take begins: what was seen before is forgotten."""
        self._take += 1
        self._word[_NOW] = self._take

    def see(self, physics: Vector) -> None:
        """A frame of it: index, qpos and what follows, as in a frame. Never waits."""
        if self._process.is_alive():
            self._frames.put((self._take, np.array(physics)))

    @property
    def done(self) -> bool:
        """Whether the classifier is sure that this take is done."""
        return self._heard and bool(self._word[_DONE])

    @property
    def error(self) -> str:
        """Why it watches no longer; empty while all is well."""
        if self._process.is_alive():
            return ""
        return str(self._error.get()) if not self._error.empty() else f"its process ended ({self._process.exitcode})"

    def report(self) -> dict[str, Any]:
        """What is stored with the take: who watched, what it said last, and whether that ended the take."""
        sure = round(float(self._word[_SURE]), 4) if self._heard else None
        return {"by": self._maker.by, "probability": sure, "threshold": self._maker.threshold, "ended": self.done}

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join(timeout=5)
        for channel in (self._frames, self._error):
            end_channel(channel)

    @property
    def _heard(self) -> bool:
        return int(self._word[_TAKE]) == self._take


def _watch(frames: Any, word: Any, error: Any, maker: RefereeMaker, scene: Scene) -> None:
    """Judge frames until the parent ends."""
    os.environ["LP_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    as_child(nice=NICE)
    try:
        _judge(frames, word, maker, scene)
    except StudioError as failed:
        error.put(str(failed))
    except Exception as failed:  # noqa: BLE001  told by the booth; the take goes on without it
        error.put(f"unexpected {type(failed).__name__}: {failed}")


def _judge(frames: Any, word: Any, maker: RefereeMaker, scene: Scene) -> None:
    from recorders.world.drawing import Painter
    from recorders.world.scene import compile_scene

    painter = Painter(scene, compile_scene(scene))
    live: Live = maker.live()
    word[_READY] = 1.0
    while True:
        take, physics = frames.get()
        if take != int(word[_NOW]):
            continue
        if take != int(word[_TAKE]):
            live.begin()
            word[_DONE] = 0.0
        live.see(_seen(painter, physics, scene.fps))
        word[_SURE], word[_DONE] = live.latest, float(live.done)
        # Last, because with it the booth believes the others.
        word[_TAKE] = float(take)


def _seen(painter: Any, physics: Vector, fps: int) -> Observation:
    state = physics[1 : 1 + painter.model.nq]
    return Observation(np.zeros(0), float(physics[0]) / fps, lambda: painter.draw(state))
