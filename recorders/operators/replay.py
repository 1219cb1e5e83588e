"""Replay: the stored actions of an episode, once more."""

from __future__ import annotations

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
