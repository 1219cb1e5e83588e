"""Modifiers wrap operators; they never subclass them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from curation.frames import Command, Observation, Vector

from . import Driver

NOISE_STREAM = 2


class Noisy:
    """Adds correlated noise to a driver's targets, so that data holds recoveries.

    Args:
        driver: who decides.
        scale: standard deviation of the noise on body joints [deg]; the gripper stays exact, or grips would open.
        memory: share of the noise that lasts to the next frame, 0 to 1.
    """

    def __init__(self, driver: Driver, scale: float, memory: float = 0.9) -> None:
        self._driver = driver
        self._scale = scale
        self._memory = memory
        self._noise: Vector = np.zeros(5)
        self._rng = np.random.default_rng(0)

    def begin(self, observation: Observation, seed: int) -> None:
        self._rng = np.random.default_rng([seed, NOISE_STREAM])
        self._noise = np.zeros(5)
        self._driver.begin(observation, seed)

    def act(self, observation: Observation) -> Command:
        command = self._driver.act(observation)
        fresh = self._rng.normal(0.0, self._scale * np.sqrt(1.0 - self._memory**2), 5)
        self._noise = self._memory * self._noise + fresh
        action = command.action.copy()
        action[:5] += self._noise
        return replace(command, action=action)


class Takeover:
    """One driver drives until a second one takes over; who drives is latched and stored per frame.

    Args:
        driver: drives from the start.
        second: drives while it has control, and starts anew from the pose in which it takes over.
        wants: asked every frame: True takes control, False hands it back, None leaves it where it is, so that a
            momentary signal is enough for either.
    """

    def __init__(self, driver: Driver, second: Driver, wants: Callable[[Observation], bool | None]) -> None:
        self._driver = driver
        self._second = second
        self._wants = wants
        self._taken = False
        self._seed = 0

    def begin(self, observation: Observation, seed: int) -> None:
        self._taken = False
        self._seed = seed
        self._driver.begin(observation, seed)

    def act(self, observation: Observation) -> Command:
        wish = self._wants(observation)
        if wish is not None and wish != self._taken:
            self._taken = wish
            (self._second if wish else self._driver).begin(observation, self._seed)
        return (self._second if self._taken else self._driver).act(observation)
