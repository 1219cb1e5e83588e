"""Where a person's key strokes are sorted: those that drive go to the arm, those that decide become wishes."""

from __future__ import annotations

from collections.abc import Callable

from recorders.devices.keys import KeyEvent, Stroke
from recorders.operators.keymap import DECIDE, REASONS, Intent, drive_key
from recorders.signals import Finished, Message, Reason, Wish

PACE = (Intent.FASTER, Intent.SLOWER)


class Desk:
    """One for every face and source of keys.

    Args:
        drive: is told the strokes that drive, and that all keys were let go.
        send: is sent wishes and reasons.

    Attributes:
        asks_why: whether the next digit says why a take was discarded.
    """

    def __init__(self, drive: Callable[[KeyEvent], None], send: Callable[[Message], None]) -> None:
        self._drive = drive
        self._send = send
        self.asks_why = False

    def hear(self, event: object) -> None:
        """Take note of what the booth says."""
        if isinstance(event, Finished):
            self.asks_why = event.discarded and bool(event.episode_id)

    def stroke(self, event: KeyEvent) -> bool:
        """Sort one stroke; whether it meant anything here."""
        if event.stroke is Stroke.BLUR:
            self._drive(event)
            return True
        if self.asks_why and event.stroke is Stroke.PRESS:
            self.asks_why = False
            if event.key in REASONS:
                self._send(Reason(REASONS[event.key]))
                return True
        if (key := drive_key(event.key)) is not None:
            self._drive(KeyEvent(key, event.stroke, event.at))
            return True
        intent = DECIDE.get(event.key)
        if intent is None:
            return False
        # A key that is held repeats; a decision is made once.
        if event.stroke is Stroke.PRESS or (event.stroke is Stroke.REPEAT and intent in PACE):
            self._send(Wish(intent))
        return True
