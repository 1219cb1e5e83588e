"""When something happened on a page, by the clock of this process: from questions that the page answers."""

from __future__ import annotations

from collections import deque

ASK_S = 0.25
"""How often the page is asked for its time [s]."""
KEPT = 40
"""Answers that count: of ten seconds, in which two quartz clocks part by less than a millisecond."""


class PageClock:
    """The page's clock, seen from here.

    The quickest of the last answers counts: it was taken in the middle of its way there and back, so what is made of
    it is wrong by half that way at most.
    """

    def __init__(self) -> None:
        self._answers: deque[tuple[float, float]] = deque(maxlen=KEPT)

    def forget(self) -> None:
        """Another page, or the same one after a while: nothing is known of its clock."""
        self._answers.clear()

    def answered(self, asked: float, heard: float, theirs: float) -> None:
        """An answer came.

        Args:
            asked, heard: times of question and answer, of `time.perf_counter()` [s].
            theirs: time on the page between the two [s].
        """
        self._answers.append((heard - asked, (asked + heard) / 2 - theirs))

    def when(self, theirs: float, heard: float) -> float | None:
        """A time on the page, by our clock [s] and never later than it was heard of; None before the first answer."""
        if not self._answers:
            return None
        return min(theirs + min(self._answers)[1], heard)
