"""Modifiers wrap operators; they never subclass them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from curation.frames import JOINTS, Command, Observation, Vector

from . import Driver, Operator

NOISE_STREAM = 2
GRIPPER = JOINTS.index("gripper")


class Noise:
    """Correlated noise on the body joints; the gripper stays exact, or grips would open.

    Args:
        scale: its standard deviation [deg].
        memory: share of it that lasts to the next frame, 0 to 1.
    """

    def __init__(self, scale: float, memory: float = 0.9) -> None:
        self._scale = scale
        self._memory = memory
        self._now: Vector = np.zeros(5)
        self._rng = np.random.default_rng(0)

    def begin(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, NOISE_STREAM])
        self._now = np.zeros(5)

    def on(self, command: Command) -> Command:
        """The command with the next frame's noise."""
        fresh = self._rng.normal(0.0, self._scale * np.sqrt(1.0 - self._memory**2), 5)
        self._now = self._memory * self._now + fresh
        action = command.action.copy()
        action[:5] += self._now
        return replace(command, action=action)


class Noisy:
    """Adds noise to a driver's targets, so that data holds recoveries.

    Args:
        driver: who decides.
        scale, memory: of the noise.
    """

    def __init__(self, driver: Driver, scale: float, memory: float = 0.9) -> None:
        self._driver = driver
        self._noise = Noise(scale, memory)

    def begin(self, observation: Observation, seed: int) -> None:
        self._noise.begin(seed)
        self._driver.begin(observation, seed)

    def act(self, observation: Observation) -> Command:
        return self._noise.on(self._driver.act(observation))


class NoisyWorlds:
    """The same for an operator of several worlds, each with a noise of its own.

    Args:
        operator: who decides.
        scale: of the noise.
    """

    def __init__(self, operator: Operator, scale: float) -> None:
        self._operator = operator
        self._scale = scale
        self._noises: list[Noise] = []

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        self._noises = [Noise(self._scale) for _ in seeds]
        for noise, seed in zip(self._noises, seeds, strict=True):
            noise.begin(seed)
        self._operator.begin(observations, seeds)

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        pairs = zip(self._noises, self._operator.act(observations), strict=True)
        return [None if command is None else noise.on(command) for noise, command in pairs]


class Takeover:
    """One driver drives until a second one takes over; who drives is latched and stored per frame.

    Whoever takes over begins anew from where the arm is, with the gripper at the target in force: at where it is, a
    grip would lose its force and what it holds would fall.

    Args:
        driver: drives from the start.
        second: drives while it has control.
        wants: asked every frame: True takes control, False hands it back, None leaves it where it is, so that a
            momentary signal is enough for either.

    Attributes:
        taken: whether the second one drives.
    """

    def __init__(self, driver: Driver, second: Driver, wants: Callable[[Observation], bool | None]) -> None:
        self._driver = driver
        self._second = second
        self._wants = wants
        self._seed = 0
        self._gripper: float | None = None
        self.taken = False

    def begin(self, observation: Observation, seed: int) -> None:
        self.taken = False
        self._seed = seed
        self._gripper = None
        self._driver.begin(observation, seed)

    def act(self, observation: Observation) -> Command:
        wish = self._wants(observation)
        if wish is not None and wish != self.taken:
            self.taken = wish
            (self._second if wish else self._driver).begin(self._gripping(observation), self._seed)
        command = (self._second if self.taken else self._driver).act(observation)
        self._gripper = float(command.action[GRIPPER])
        return command

    def _gripping(self, observation: Observation) -> Observation:
        if self._gripper is None:
            return observation
        state = observation.state.copy()
        state[GRIPPER] = self._gripper
        return replace(observation, state=state)
