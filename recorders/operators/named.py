"""Operators by name, as the command line asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from curation.errors import UnknownChoice, UsageError
from curation.frames import Command, Observation
from recorders.world.sim import SimWorld

from . import Driver, Operator, each
from .expert import Expert
from .fumbler import Fumbler
from .modifiers import Noisy, NoisyWorlds

SCRIPTED = ("expert", "fumbler")
"""Those who know where the block is; the fumbler fails on purpose, for a success classifier to learn from."""
PEOPLE = ("keyboard", "vr", "leader")
"""Those who decide themselves what to keep."""
OPERATORS = (*SCRIPTED, *PEOPLE)
POLICY = "policy:"
"""What names of trained policies begin with."""
CORRECT = "correct:"
"""The same of policies that a person takes over from."""


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who drives.

    Attributes:
        name: one of `OPERATORS`, or whatever `make` makes.
        noise: standard deviation of noise added to the body joints' targets [deg]; 0 is none.
        make: an operator for some worlds that is known elsewhere; it is sent to other processes.
        about: what is stored with every take about that operator, JSON values.
    """

    name: str = "expert"
    noise: float = 0.0
    make: Callable[[Sequence[SimWorld]], Operator] | None = field(default=None, compare=False)
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.make is None and self.name not in OPERATORS:
            raise UnknownChoice("operator", self.name, (*OPERATORS, f"{POLICY}CHECKPOINT"))
        if not 0.0 <= self.noise <= 20.0:
            raise UsageError(f"--noise {self.noise} is outside 0 to 20 degrees.")

    @property
    def label(self) -> str:
        """What is stored per episode."""
        return f"{self.name}+noise{self.noise:g}" if self.noise else self.name

    @property
    def until_success(self) -> bool:
        """Whether a take that nobody watches ends as soon as the judge is content.

        The fumbler's goes on: ended by the judge, an episode's length would tell its success.
        """
        return self.name != "fumbler"


def make_driver(who: Who, world: SimWorld) -> Driver:
    """A driver for one world that is no person.

    Raises:
        UsageError: a person drives, who sits in a booth.
    """
    if who.name in PEOPLE:
        raise UsageError(
            f"With --operator {who.name} a person drives, in real time: studio record --operator {who.name}."
        )
    driver: Driver
    if who.make is not None:
        driver = _Alone(who.make([world]))
    else:
        driver = Expert(world) if who.name == "expert" else Fumbler(world)
    return Noisy(driver, who.noise) if who.noise else driver


def make_operator(who: Who, *worlds: SimWorld) -> Operator:
    """An operator for these worlds that is no person; errors as `make_driver`."""
    if who.make is not None:
        operator = who.make(worlds)
        return NoisyWorlds(operator, who.noise) if who.noise else operator
    drivers = [make_driver(who, world) for world in worlds]
    return each(lambda number: drivers[number])


class _Alone:
    """An operator of many worlds as the driver of one, so that modifiers wrap it too."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def begin(self, observation: Observation, seed: int) -> None:
        self._operator.begin([observation], [seed])

    def act(self, observation: Observation) -> Command:
        (command,) = self._operator.act([observation])
        assert command is not None
        return command
