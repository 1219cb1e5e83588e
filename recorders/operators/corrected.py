"""A policy under a person's hands: it drives until a key that drives is pressed, and again once it is handed back."""

from __future__ import annotations

import time
from collections.abc import Callable

from curation.frames import Command, Observation

from . import Driver
from .by_hand import ByHand
from .modifiers import Takeover


class Corrected:
    """A driver that a person takes over from.

    Args:
        driver: drives from the start.
        hands: the person's.
        pressed: keys that drive now because they were pressed, asked with the time of `time.monotonic()`; the first one
            takes over, so that nobody has to think of another key when something goes wrong.
    """

    def __init__(self, driver: Driver, hands: ByHand, pressed: Callable[[float], tuple[str, ...]]) -> None:
        self._takeover = Takeover(driver, hands, self._wants)
        self._pressed = pressed
        self._wish: bool | None = None

    @property
    def taken(self) -> bool:
        """Whether the person drives."""
        return self._takeover.taken

    def take(self) -> None:
        """Let the person drive from the next frame on; until a key is held the arm stands."""
        self._wish = True

    def swap(self) -> None:
        """Let the other one drive from the next frame on."""
        self._wish = not self.taken

    def begin(self, observation: Observation, seed: int) -> None:
        self._wish = None
        self._takeover.begin(observation, seed)

    def act(self, observation: Observation) -> Command:
        return self._takeover.act(observation)

    def _wants(self, observation: Observation) -> bool | None:
        wish, self._wish = self._wish, None
        return True if wish is None and self._pressed(time.monotonic()) else wish
