"""Replay: the stored actions of an episode, once more, and once more over a slow line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curation.frames import Command, Observation, Vector, Verdict


class Replay:
    """A driver that sends recorded actions, shape (N, 6), then stops."""

    def __init__(self, actions: Vector) -> None:
        self._actions = actions
        self._frame = 0

    def begin(self, observation: Observation, seed: int) -> None:
        self._frame = 0

    def act(self, observation: Observation) -> Command:
        if self._frame >= len(self._actions):
            return Command(observation.state, "replay", Verdict.STOP)
        self._frame += 1
        return Command(self._actions[self._frame - 1].astype("float64"), "replay")


class LateReplay:
    """Recorded actions over a slower line: each target comes some frames after its time, and a few a frame later still.

    Args:
        actions: shape (N, 6).
        delay: frames that every target takes; until the first one comes the arm keeps its pose.
        late: whether what is due in a frame comes in the next one, shape (F,). After F frames it stops; the last target
            stays in force until then.
    """

    def __init__(self, actions: Vector, delay: int, late: NDArray[np.bool_]) -> None:
        self._actions = actions
        self._due = np.minimum(np.arange(len(late)) - delay - late, len(actions) - 1)
        self._rest = actions[0]
        self._frame = 0

    def begin(self, observation: Observation, seed: int) -> None:
        self._rest = observation.state.copy()
        self._frame = 0

    def act(self, observation: Observation) -> Command:
        if self._frame >= len(self._due):
            return Command(observation.state, "replay", Verdict.STOP)
        due = int(self._due[self._frame])
        self._frame += 1
        return Command(self._rest if due < 0 else self._actions[due].astype("float64"), "replay")
