"""Key strokes as every source tells them, and which keys drive now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

TAP_S = 0.12
"""Without key-up, how long a press drives, and how long after the last repeat a hold still does [s]: three to four
repeat intervals of a terminal."""


class Stroke(StrEnum):
    """What happened to a key."""

    PRESS = "press"
    REPEAT = "repeat"
    RELEASE = "release"
    BLUR = "blur"


@dataclass(frozen=True)
class KeyEvent:
    """One stroke; with BLUR, focus lost, every key is let go.

    Attributes:
        key: the character as typed, or one of enter, escape, left, right, up, down, space, backspace, tab, delete and
            f1 to f12; "" with BLUR.
        stroke: what happened to it.
        at: when, of `time.monotonic()` [s].
    """

    key: str
    stroke: Stroke
    at: float


Tell = Callable[[KeyEvent], object]


class KeySource(Protocol):
    """Where strokes come from."""

    @property
    def name(self) -> str:
        """For people, such as "terminal with key-up"."""
        ...

    @property
    def releases(self) -> bool:
        """Whether it tells when a key goes up."""
        ...

    @property
    def chords(self) -> bool:
        """Whether it tells of several keys at once."""
        ...

    @property
    def shared(self) -> bool:
        """Whether the strokes also reach the terminal they are typed into."""
        ...

    @property
    def note(self) -> str:
        """What people must know about it."""
        ...

    def start(self, tell: Tell) -> None:
        """Tell strokes from now on, from any thread."""
        ...

    def stop(self) -> None:
        """Tell no more, after a last BLUR; may be called again."""
        ...


class HeldKeys:
    """Which keys drive now. Safe to use from several threads.

    With key-up, a key drives from its press to its release. Without, a press drives for `TAP_S`, one bounded step, and
    a hold until `TAP_S` after its last repeat.

    Args:
        releases: whether the source tells when a key goes up.
        chords: whether several keys can be down; if not, the last one counts.
    """

    def __init__(self, *, releases: bool, chords: bool) -> None:
        self._releases = releases
        self._chords = chords
        self._down: dict[str, float] = {}
        self._fresh: set[str] = set()
        self._lock = threading.Lock()

    def tell(self, event: KeyEvent) -> None:
        """Take in a stroke."""
        with self._lock:
            match event.stroke:
                case Stroke.BLUR:
                    self._clear()
                case Stroke.RELEASE:
                    if self._releases:
                        self._lift(event.key)
                case Stroke.PRESS:
                    self._press(event)
                case Stroke.REPEAT:
                    # Whoever let go of all keys wants a new press, not the rest of an old one.
                    if event.key in self._down or not self._releases:
                        self._press(event)

    def held(self, now: float) -> tuple[str, ...]:
        """Keys that drive in this frame, in the order of their presses.

        A key that was pressed and released since the last call counts once.

        Args:
            now: of `time.monotonic()` [s].
        """
        with self._lock:
            found = tuple(key for key in self._down if key in self._fresh or self._lasts(key, now))
            self._fresh.clear()
            self._down = {key: at for key, at in self._down.items() if self._lasts(key, now)}
            return found

    def release_all(self) -> None:
        """Let go of every key."""
        with self._lock:
            self._clear()

    def _press(self, event: KeyEvent) -> None:
        if event.key not in self._down:
            if not self._chords:
                self._clear()
            self._fresh.add(event.key)
        self._down[event.key] = event.at

    def _lift(self, key: str) -> None:
        if key in self._fresh:
            self._down[key] = _LIFTED
        else:
            self._down.pop(key, None)

    def _lasts(self, key: str, now: float) -> bool:
        at = self._down[key]
        return at != _LIFTED and (self._releases or now - at <= TAP_S)

    def _clear(self) -> None:
        self._down.clear()
        self._fresh.clear()


_LIFTED = float("-inf")
