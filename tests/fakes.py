"""Worlds, drivers and clocks small enough to see through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from curation.errors import BadAction, StudioError
from curation.frames import JOINT_FEATURES, Command, Feature, Observation, Outcome, Phase, Placement, Vector, Verdict


class LineWorld:
    """A point on a line: each step adds the first number of the action, at most `most`, to where it is.

    It starts at the placement's x, drifts by what the seed says, and succeeds from `goal` on.
    """

    fps = 30
    phase = Phase.REACH

    def __init__(self, goal: float = 1e9, most: float = 1.0) -> None:
        self.goal = goal
        self.most = most
        self.x = self.drift = 0.0
        self.steps = 0

    @property
    def features(self) -> dict[str, Feature]:
        return {"observation.state": Feature("float32", (6,), JOINT_FEATURES)}

    def reset(self, seed: int, placement: Placement) -> Observation:
        self.x, self.steps = placement.x, 0
        self.drift = float(np.random.default_rng(seed).uniform(-0.01, 0.01))
        return self.observe()

    def admit(self, action: Vector) -> Vector:
        if not np.isfinite(action).all():
            raise BadAction("not finite")
        return np.clip(action, -self.most, self.most)

    def step(self, action: Vector) -> Observation:
        self.x += float(action[0]) + self.drift
        self.steps += 1
        return self.observe()

    def observe(self) -> Observation:
        return Observation(np.array([self.x, self.steps, 0, 0, 0, 0], float), self.steps / self.fps, dict)

    def physics(self) -> Vector:
        return np.array([self.steps, self.x, self.drift])

    def verdict(self) -> tuple[Outcome, dict[str, Any]]:
        return (Outcome.SUCCESS if self.x >= self.goal else Outcome.TIMEOUT), {"steps": self.steps}

    def close(self) -> None:
        pass


class Walker:
    """Drives a LineWorld by what it sees; keeps what it saw. Ends, fails or sends NaN when told to.

    Args:
        verdict: given at frame `at`.
        error: raised at frame `at`.
        nan: send NaN at frame `at`.
        at: the frame.
    """

    def __init__(
        self, *, verdict: Verdict | None = None, error: Exception | None = None, nan: bool = False, at: int = 5
    ) -> None:
        self.verdict, self.error, self.nan, self.at = verdict, error, nan, at
        self.seen: list[float] = []

    def begin(self, observation: Observation, seed: int) -> None:
        self.seen = []

    def act(self, observation: Observation) -> Command:
        frame, x = len(self.seen), float(observation.state[0])
        self.seen.append(x)
        action = np.array([0.1 + 0.01 * np.sin(x), x, 0, 0, 0, 0])
        if frame != self.at:
            return Command(action, "walker")
        if self.error is not None:
            raise self.error
        if self.nan:
            action[0] = np.nan
        return Command(action, "walker", self.verdict)


class Still:
    """Holds the arm where it is; from frame `nan_at` on it sends NaN."""

    def __init__(self, nan_at: int = -1) -> None:
        self.nan_at = nan_at
        self.frame = 0

    def begin(self, observation: Observation, seed: int) -> None:
        self.frame = 0
        self.pose = observation.state.copy()

    def act(self, observation: Observation) -> Command:
        action = self.pose.copy()
        if self.frame == self.nan_at:
            action[2] = np.nan
        self.frame += 1
        return Command(action, "still")


class Unplugged:
    """A driver whose device is gone before the first frame."""

    def begin(self, observation: Observation, seed: int) -> None:
        raise StudioError("The device is gone.")

    def act(self, observation: Observation) -> Command:
        raise AssertionError("never asked")


class ScriptedClock:
    """Says what it is told: wall seconds and lateness of each frame."""

    def __init__(self, late: Callable[[int], bool]) -> None:
        self.late = late
        self.started = 0

    def start(self) -> None:
        self.started += 1

    def wait(self, index: int) -> tuple[float, bool]:
        return index * 0.5, self.late(index)


class FakeTime:
    """Stands in for the time module: time passes when someone sleeps, or when `pass_` says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        self.now += 1e-5  # looking at the clock takes time, or a spinning loop would never end
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pass_(self, seconds: float) -> None:
        self.now += seconds
