"""What every way of driving by hand has in common, keys or a controller: what booths ask and screens show."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from curation.frames import Command, Observation

from .controller.feel import Feel
from .keymap import Intent


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


@runtime_checkable
class Sensed(ByHand, Protocol):
    """Hands that a device reads all the time, in a take or not: a controller, a leader arm."""

    @property
    def delays(self) -> tuple[float, ...]:
        """From a reading to the arm, as `controller.delays.Delays.recent` [ms]."""
        ...

    def listen(self) -> list[Intent]:
        """Take in what the device says since the last time; returns what the person wants of the recording."""
        ...

    def tell(self, feel: Feel) -> None:
        """Let the hand feel something, where the device can."""
        ...

    def framed(self) -> None:
        """The frame that was asked for last goes to the arm."""
        ...

    def measured(self) -> dict[str, Any]:
        """Facts about the take, stored with it; JSON values."""
        ...
