"""Operators: anything that drives a world. They are interchangeable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from curation.frames import Command, Observation


class Operator(Protocol):
    """Drives K worlds in lockstep."""

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        """Start new episodes in all K worlds; every random choice derives from the seeds."""
        ...

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        """One command per world, in order; None for a world whose episode is over (its observation is None)."""
        ...


class Driver(Protocol):
    """Drives one world; `each` lifts it to an operator."""

    def begin(self, observation: Observation, seed: int) -> None: ...

    def act(self, observation: Observation) -> Command: ...


class each:  # noqa: N801  reads as a word: each(make_driver)
    """An operator out of one driver per world."""

    def __init__(self, make: Callable[[int], Driver]) -> None:
        self._make = make
        self._drivers: list[Driver] = []

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        while len(self._drivers) < len(observations):
            self._drivers.append(self._make(len(self._drivers)))
        for driver, observation, seed in zip(self._drivers, observations, seeds, strict=False):
            driver.begin(observation, seed)

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        pairs = zip(self._drivers, observations, strict=False)
        return [None if observation is None else driver.act(observation) for driver, observation in pairs]
