"""What a hand-held controller says: one reading, whatever headset and interface it comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

Side = Literal["left", "right"]
Three = tuple[float, float, float]
Four = tuple[float, float, float, float]
RATE_HZ = 100
"""How often a controller is read: with 30 frames a second three readings a frame, and 10 ms is the oldest of them."""
STALE_S = 0.15
"""A reading older than this says nothing about where the hand is now [s]: fifteen missed ones."""
FRESH_AFTER_S = 0.5
"""After a loss of this length only a new squeeze drives [s]; a shorter one is a hand behind a cable. A source whose
play space has moved calls the hand lost for so long: what was forward may be sideways now."""
RECENTRED = (
    "The headset was recentred: let go, then squeeze anew. Where the robot's forward is not yours, point there and "
    "press the stick."
)
NOWHERE: Three = (0.0, 0.0, 0.0)
LEVEL: Four = (0.0, 0.0, 0.0, 1.0)


class Button(StrEnum):
    """Buttons that mean something: by their place on the controller, A and X are the lower ones."""

    LOWER = "lower"
    UPPER = "upper"
    STICK = "stick"


@dataclass(frozen=True)
class ControllerSample:
    """One reading of one controller.

    Attributes:
        time: when the pose was valid, of `time.perf_counter()`, which all processes of a machine share [s].
        hand: which one.
        position: of the grip in the play space, x right, y up, z backwards [m].
        rotation: of the grip in the play space, a unit quaternion x, y, z, w.
        tracked: whether position and rotation are both measured now, not inferred.
        squeeze, trigger: 0 released to 1 pressed.
        stick: right and forward, -1 to 1.
        buttons: that are down.
    """

    time: float
    hand: Side
    position: Three = NOWHERE
    rotation: Four = LEVEL
    tracked: bool = False
    squeeze: float = 0.0
    trigger: float = 0.0
    stick: tuple[float, float] = (0.0, 0.0)
    buttons: frozenset[Button] = field(default_factory=frozenset)

    @property
    def sound(self) -> bool:
        """Whether it may be used: tracked, finite, and a rotation that is one."""
        numbers = (self.time, *self.position, *self.rotation, self.squeeze, self.trigger, *self.stick)
        return self.tracked and all(map(math.isfinite, numbers)) and abs(math.hypot(*self.rotation) - 1.0) < 0.01


@dataclass(frozen=True)
class Batch:
    """What came since the last time somebody asked.

    Attributes:
        now: when it was asked, of `time.perf_counter()` [s]; whoever decides by age goes by this and no other clock.
        samples: oldest first.
        said: what a person must know about the source, in words; the last of them is how it stands.
        over: whether nothing will come any more.
    """

    now: float
    samples: tuple[ControllerSample, ...] = ()
    said: tuple[str, ...] = ()
    over: bool = False


@dataclass(frozen=True)
class Pulse:
    """A vibration: 0 to 1, and how long [s]."""

    strength: float
    seconds: float


class ControllerSource(Protocol):
    """Where readings of one controller come from."""

    @property
    def name(self) -> str:
        """For people, such as "Monado, right hand"."""
        ...

    def open(self) -> None:
        """Connect; what happens later is told by `take`.

        Raises:
            StudioError: there is nothing to connect to; it says what would help.
        """
        ...

    def take(self) -> Batch:
        """What came since the last call; never waits."""
        ...

    def pulse(self, pulse: Pulse) -> None:
        """Let the hand feel something; never waits and never fails."""
        ...

    def close(self) -> None:
        """Let go of the device; may be called again."""
        ...
