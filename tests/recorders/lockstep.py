"""Who drives several worlds at once, and who decides about them, for workers that are other processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from curation.frames import Command, Observation, Verdict
from recorders.operators import Operator
from recorders.world.sim import SimWorld

EVEN = "by even seeds"


class Together:
    """Moves every arm by what was drawn for all of them, as a policy that draws for a batch does."""

    def __init__(self, worlds: Sequence[SimWorld]) -> None:
        self._rng = np.random.default_rng(0)

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        self._rng = np.random.default_rng(list(seeds))

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        drawn = self._rng.normal(size=(len(observations), 6))
        pairs = zip(observations, drawn, strict=True)
        return [None if seen is None else Command(seen.state + move, "together") for seen, move in pairs]


class EvenSeeds:
    """A referee who ends takes after half of the frames and keeps those of even seeds."""

    def __init__(self) -> None:
        self._seeds: Sequence[int] = ()

    def around(self, operator: Operator) -> Operator:
        return Halved(operator, self)

    def word(self, number: int) -> tuple[bool, dict[str, Any]]:
        even = self._seeds[number] % 2 == 0
        return even, {"by": EVEN, "probability": float(even), "threshold": 0.5, "accepts": even}

    def begin(self, seeds: Sequence[int]) -> None:
        self._seeds = seeds


class Halved:
    def __init__(self, operator: Operator, referee: EvenSeeds) -> None:
        self._operator, self._referee, self._frame = operator, referee, 0

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        self._frame = 0
        self._referee.begin(seeds)
        self._operator.begin(observations, seeds)

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        self._frame += 1
        over = Verdict.STOP if self._frame > 3 else None
        commands = self._operator.act(observations)
        return [None if command is None else replace(command, verdict=over) for command in commands]
