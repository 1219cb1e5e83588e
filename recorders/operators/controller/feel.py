"""What the hand feels, and when."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from recorders.devices.controller import Pulse

from .clutch import Hold

AGAIN_S = 0.4
"""The same limit is not felt again before this [s]: along an edge it comes and goes in every frame."""


class Feel(Enum):
    """Vibrations by what they tell: short ones for what the hand did, long ones for what it must know (assumed)."""

    ENGAGED = Pulse(0.5, 0.03)
    RELEASED = Pulse(0.3, 0.03)
    LOST = Pulse(1.0, 0.4)
    LIMIT = Pulse(0.6, 0.15)
    START = Pulse(0.7, 0.2)
    STOP = Pulse(0.7, 0.25)


class Feeling:
    """Turns what the clutch and the arm do into vibrations.

    Args:
        pulse: lets the hand feel one.
    """

    def __init__(self, pulse: Callable[[Pulse], None]) -> None:
        self._pulse = pulse
        self._hold = Hold.LOST
        self._limit = ""
        self._limit_at = 0.0

    def feel(self, feel: Feel) -> None:
        """Let the hand feel this."""
        self._pulse(feel.value)

    def hold(self, hold: Hold) -> None:
        """What the clutch makes of the hand now."""
        before, self._hold = self._hold, hold
        if hold is before:
            return
        if hold is Hold.LOST:
            self.feel(Feel.LOST)
        elif hold is Hold.DRIVING:
            self.feel(Feel.ENGAGED)
        elif before is Hold.DRIVING:
            self.feel(Feel.RELEASED)

    def limit(self, stopped_at: str, now: float) -> None:
        """What stops the arm now, "" for nothing; felt when it begins.

        Args:
            stopped_at: in words.
            now: of `time.perf_counter()` [s].
        """
        if stopped_at and stopped_at != self._limit and now - self._limit_at > AGAIN_S:
            self._limit_at = now
            self.feel(Feel.LIMIT)
        self._limit = stopped_at
