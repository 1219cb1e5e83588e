"""What a leader arm says: where its joints are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

Six = tuple[float, float, float, float, float, float]
RATE_HZ = 60
"""How often the bus is read: two readings a frame, so that the newest is at most half a frame old. A reading of six
servos takes about 2 ms at 1 Mbaud."""
STALE_S = 0.15
"""A reading older than this says nothing about where the leader is now [s]: nine missed ones."""


@dataclass(frozen=True)
class LeaderReading:
    """One reading of all joints, in the order of datasets.

    Attributes:
        time: when it was taken, of `time.perf_counter()`, which all processes of a machine share [s].
        joints: degrees about the middle of each range, gripper 0..100, as LeRobot has them; shape (6,).
        turns: what the encoders say, as shares of a turn from 0 to 1; shape (6,).
    """

    time: float
    joints: Six
    turns: Six

    @property
    def sound(self) -> bool:
        """Whether it may be used."""
        return all(map(math.isfinite, (self.time, *self.joints, *self.turns)))


@dataclass(frozen=True)
class Readings:
    """What came since the last time somebody asked.

    Attributes:
        now: when it was asked, of `time.perf_counter()` [s]; whoever decides by age goes by this and no other clock.
        readings: oldest first.
        said: what a person must know about the leader, in words.
    """

    now: float
    readings: tuple[LeaderReading, ...] = ()
    said: tuple[str, ...] = ()


class LeaderSource(Protocol):
    """Where readings of a leader arm come from."""

    @property
    def name(self) -> str:
        """For people, such as "leader arm blue on /dev/ttyACM0"."""
        ...

    def open(self) -> None:
        """Connect; what happens later is told by `take`.

        Raises:
            StudioError: there is nothing to connect to; it says what would help.
        """
        ...

    def take(self) -> Readings:
        """What came since the last call; never waits."""
        ...

    def close(self) -> None:
        """Let go of the device; may be called again."""
        ...
