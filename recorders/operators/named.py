"""Operators by name, as the command line asks for them."""

from __future__ import annotations

from dataclasses import dataclass

from curation.errors import UnknownChoice, UsageError
from recorders.world.sim import SimWorld

from . import Driver, Operator, each
from .expert import Expert
from .fumbler import Fumbler
from .modifiers import Noisy

SCRIPTED = ("expert", "fumbler")
"""Those who know where the block is; the fumbler fails on purpose, for a success classifier to learn from."""
PEOPLE = ("keyboard",)
"""Those who decide themselves what to keep."""
OPERATORS = (*SCRIPTED, *PEOPLE)


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who drives.

    Attributes:
        name: one of `OPERATORS`.
        noise: standard deviation of noise added to the body joints' targets [deg]; 0 is none.
    """

    name: str = "expert"
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in OPERATORS:
            raise UnknownChoice("operator", self.name, OPERATORS)
        if not 0.0 <= self.noise <= 20.0:
            raise UsageError(f"--noise {self.noise} is outside 0 to 20 degrees.")

    @property
    def label(self) -> str:
        """What is stored per episode."""
        return f"{self.name}+noise{self.noise:g}" if self.noise else self.name


def make_driver(who: Who, world: SimWorld) -> Driver:
    """A scripted driver for one world.

    Raises:
        UsageError: a person drives, who sits in a booth.
    """
    if who.name in PEOPLE:
        raise UsageError(f"A person at the {who.name} drives in real time: studio record --operator {who.name}.")
    driver: Driver = Expert(world) if who.name == "expert" else Fumbler(world)
    return Noisy(driver, who.noise) if who.noise else driver


def make_operator(who: Who, world: SimWorld) -> Operator:
    """A scripted operator for one world; errors as `make_driver`."""
    return each(lambda _: make_driver(who, world))
