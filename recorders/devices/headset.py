"""A headset on this PC as a source of readings."""

from __future__ import annotations

import time

from .beside import Beside, Kind
from .controller import Batch, ControllerSample, Pulse, Side
from .openxr.errors import NoHeadset
from .openxr.reader import LOG, read_hand

OPEN_S = 30.0
"""Longest time for a runtime to make a session [s]; some start themselves for it (assumed)."""
LOOK = f"Run this again with {LOG}=FILE in the environment to see what it printed."


def _mute(code: int | None) -> str:
    if code is None:
        return f"The OpenXR runtime made no session within {OPEN_S:g} s. {LOOK}"
    return f"The OpenXR runtime ended its program (exit code {code}). {LOOK}"


HEADSET = Kind(read_hand, NoHeadset, OPEN_S, _mute, "The headset's session ended without a word or hangs.")


class Headset:
    """One controller of the headset.

    Args:
        hand: which one.

    Attributes:
        beside: the process that reads it.
    """

    def __init__(self, hand: Side) -> None:
        self.beside: Beside[ControllerSample] = Beside(HEADSET, f"OpenXR, {hand} hand", hand)

    @property
    def name(self) -> str:
        return self.beside.name

    def open(self) -> None:
        """Make the first session.

        Raises:
            NoHeadset: there is none; it says what would help.
        """
        self.beside.open()

    def take(self) -> Batch:
        """What came since the last call."""
        samples, said = self.beside.take()
        return Batch(time.perf_counter(), samples, said)

    def pulse(self, pulse: Pulse) -> None:
        """Let the controller vibrate, if it is there."""
        self.beside.send(pulse)

    def close(self) -> None:
        """End the session."""
        self.beside.close()
