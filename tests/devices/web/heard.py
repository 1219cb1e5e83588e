"""A headset's page that is open, and what came of it."""

from __future__ import annotations

from collections.abc import Callable

from recorders.devices.controller import Batch, ControllerSample
from recorders.devices.web.headset import WebHeadset
from tests.devices.pseudo import eventually


class Heard:
    """A source that is open, and what it said so far."""

    def __init__(self) -> None:
        self.source = WebHeadset("right", port=0)
        self.source.open()
        self.samples: list[ControllerSample] = []
        self.said: list[str] = []

    def take(self) -> Batch:
        batch = self.source.take()
        self.samples += batch.samples
        self.said += batch.said
        return batch

    def until(self, true: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
        """Take until something is the case."""
        eventually(lambda: bool((self.take(), true())[1]), what, within_s)

    def says(self, words: str, within_s: float = 20.0) -> None:
        """Take until it says this, then forget what it said."""
        self.until(lambda: any(words in text for text in self.said), words, within_s)
        self.said.clear()

    @property
    def sound(self) -> bool:
        return bool(self.samples) and self.samples[-1].sound
