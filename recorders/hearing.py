"""What the person says to the booth: wishes from a face, and what a device in the hands says."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Iterator

from .operators.by_hand import ByHand, Sensed
from .operators.corrected import Corrected
from .operators.keymap import Intent
from .operators.steering import steer
from .signals import Beat, Message, Reason, Wish

SILENCE_S = 0.5
"""Without a word from the face for this long the arm stops: ten missed beats."""


class Ear:
    """Listens in every stage of a sitting; what concerns the hands alone is done here.

    Args:
        inbox: messages from the person.
        hands: the person's, if they drive or take over; what a device reads is listened to as well.
        corrected: the policy that they take over from, if there is one.
        release: lets go of everything that is held.
        explain: is told why the last take was discarded.
        beats: whether the face sends beats, so that its silence means that it is gone.
    """

    def __init__(
        self,
        inbox: queue.SimpleQueue[Message],
        hands: ByHand | None,
        corrected: Corrected | None,
        release: Callable[[], None],
        explain: Callable[[str], None],
        *,
        beats: bool,
    ) -> None:
        self._inbox = inbox
        self._hands = hands
        self._sensed = hands if isinstance(hands, Sensed) else None
        self._corrected = corrected
        self._release = release
        self._explain = explain
        self._beats = beats
        self._words: deque[Intent] = deque()
        self._heard = time.monotonic()

    def intents(self) -> Iterator[Intent]:
        """What the person wants, one by one. Whoever stops in the middle leaves the rest to who asks next."""
        self.listen()
        while self._words:
            yield self._words.popleft()

    def listen(self) -> None:
        """Take in what was said since the last time."""
        if self._sensed is not None:
            self._words.extend(self._sensed.listen())
        while True:
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                break
            self._heard = time.monotonic()
            match message:
                case Reason(text):
                    self._explain(text)
                case Wish(intent) if not steer(intent, self._hands, self._corrected, self._release):
                    self._words.append(intent)
                case Beat() | Wish():
                    pass
        if self._beats and time.monotonic() - self._heard > SILENCE_S:
            self._release()
