"""What every way of driving by hand has in common, keys or a controller: what booths ask and screens show."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from curation.frames import Command, Observation


class ByHand(Protocol):
    """A driver under a person's hands."""

    @property
    def mode(self) -> StrEnum:
        """What the hands move, or whether they do."""
        ...

    @property
    def pace(self) -> float:
        """The chosen multiple of the speed, or of the hand's way."""
        ...

    @property
    def driving(self) -> tuple[str, ...]:
        """What is held and drives, such as keys."""
        ...

    @property
    def stopped_at(self) -> str:
        """What kept the arm from following in the last frame, in words; "" if nothing did."""
        ...

    def begin(self, observation: Observation, seed: int) -> None: ...

    def act(self, observation: Observation) -> Command: ...

    def faster(self, steps: int = 1) -> None:
        """Choose a higher pace, or a lower one with a negative number."""
        ...

    def switch(self) -> None:
        """Change what the hands move, where there is a choice."""
        ...

    def halt(self) -> None:
        """Stand at once."""
        ...
