"""Whether the line to a terminal still carries, asked while a key is down.

A terminal with key-up tells a key that is held only once. Over a line that stalls, its key-up comes late or never, and
nothing but a question shows it.
"""

from __future__ import annotations

from .keys import KeyEvent, Stroke

ASK_S = 0.15
"""How often a terminal is asked while a key is down [s]."""
LOST_S = 0.4
"""Without an answer for this long the line has stalled [s]: twice the round trip of a slow SSH connection."""
QUESTION = "\x1b[?u"
"""Which flags of the kitty protocol are in force; whoever has key-up answers that."""


class Line:
    """One line, for the thread that reads the terminal; any other may say that all was let go."""

    def __init__(self) -> None:
        self._down: set[str] = set()
        self._asked = float("-inf")
        self._waiting = False

    def hear(self, event: KeyEvent) -> None:
        """A stroke came."""
        if event.stroke is Stroke.BLUR:
            self._down.clear()
        elif event.stroke is Stroke.RELEASE:
            self._down.discard(event.key)
        elif event.stroke is Stroke.PRESS:
            if not self._down:
                # It carries, or this would not be here; what was asked before may never be answered.
                self._waiting = False
            self._down.add(event.key)

    def answered(self) -> None:
        """An answer came."""
        self._waiting = False

    def to_ask(self, now: float) -> bool:
        """Whether it is time to ask; the question then counts as asked, also if it cannot be sent.

        Args:
            now: of `time.monotonic()` [s].
        """
        if not self._down or self._waiting or now - self._asked < ASK_S:
            return False
        self._asked, self._waiting = now, True
        return True

    def stalled(self, now: float) -> bool:
        """Whether the last question has waited too long while a key is down. Look at what came before you ask this."""
        return bool(self._down) and self._waiting and now - self._asked > LOST_S
