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
REPEAT_S = 0.7
"""Without key-up, the same key again within this time, and no other between, is a repeat [s]. It covers the delay
before the first one (X11: 660 ms), so that a key that is held a little long decides once."""


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
    a hold until `TAP_S` after its last repeat. Whoever let go of all keys wants a new press, not the rest of an old
    one: what such a key still repeats drives nothing.

    Args:
        releases: whether the source tells when a key goes up.
        chords: whether several keys can be down; if not, the last one counts.
    """

    def __init__(self, *, releases: bool, chords: bool) -> None:
        self._releases = releases
        self._chords = chords
        self._down: dict[str, float] = {}
        self._fresh: set[str] = set()
        self._pressed: set[str] = set()
        self._told: dict[str, KeyEvent] = {}
        self._spent: set[str] = set()
        self._lock = threading.Lock()

    def tell(self, event: KeyEvent) -> None:
        """Take in a stroke."""
        with self._lock:
            match event.stroke:
                case Stroke.BLUR:
                    self._let_go()
                case Stroke.RELEASE:
                    if self._releases:
                        self._lift(event.key)
                case Stroke.PRESS:
                    self._spent.discard(event.key)
                    self._pressed.add(event.key)
                    self._press(event)
                case Stroke.REPEAT:
                    if event.key in self._down or (not self._releases and not self._still_spent(event)):
                        self._press(event)
            if event.key:
                self._told[event.key] = event

    def held(self, now: float) -> tuple[str, ...]:
        """Keys that drive in this frame, in the order of their presses.

        A key that was pressed and released since the last call counts once.

        Args:
            now: of `time.monotonic()` [s].
        """
        with self._lock:
            found = self._driving(now)
            self._fresh.clear()
            self._down = {key: at for key, at in self._down.items() if self._lasts(key, now)}
            self._pressed &= self._down.keys()
            return found

    def pressed(self, now: float) -> tuple[str, ...]:
        """Those of them that a press began, not a repeat; they stay what they are for `held`.

        Args:
            now: of `time.monotonic()` [s].
        """
        with self._lock:
            return tuple(key for key in self._driving(now) if key in self._pressed)

    def release_all(self) -> None:
        """Let go of every key."""
        with self._lock:
            self._let_go()

    def _press(self, event: KeyEvent) -> None:
        if event.key not in self._down:
            if not self._chords:
                self._clear(but=event.key)
            self._fresh.add(event.key)
        self._down[event.key] = event.at

    def _lift(self, key: str) -> None:
        if key in self._fresh:
            self._down[key] = _LIFTED
        else:
            self._down.pop(key, None)

    def _driving(self, now: float) -> tuple[str, ...]:
        return tuple(key for key in self._down if key in self._fresh or self._lasts(key, now))

    def _lasts(self, key: str, now: float) -> bool:
        at = self._down[key]
        return at != _LIFTED and (self._releases or now - at <= TAP_S)

    def _still_spent(self, event: KeyEvent) -> bool:
        """Whether a repeat is of a hold from before all keys were let go; a pause between repeats ends that hold."""
        last = self._told.get(event.key)
        if event.key not in self._spent or last is None:
            return False
        pause = REPEAT_S if last.stroke is Stroke.PRESS else TAP_S
        if event.at - last.at <= pause:
            return True
        self._spent.discard(event.key)
        return False

    def _let_go(self) -> None:
        self._spent |= self._told.keys()
        self._clear()

    def _clear(self, but: str = "") -> None:
        self._down.clear()
        self._fresh.clear()
        self._pressed &= {but}


_LIFTED = float("-inf")
