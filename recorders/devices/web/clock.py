"""When something happened on a page, by the clock of this process: from questions that the page answers."""

from __future__ import annotations

from collections import deque

ASK_S = 0.25
"""How often the page is asked for its time [s]."""
KEPT = 40
"""Answers that count: of ten seconds."""
APART_S = 0.001
"""How far two quartz clocks part in that time, at most [s]."""


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
        way, ahead = heard - asked, (asked + heard) / 2 - theirs
        # Two answers that cannot both be true: that clock was put, or stood while the headset slept.
        if any(abs(ahead - other) > (way + theirs_way) / 2 + APART_S for theirs_way, other in self._answers):
            self.forget()
        self._answers.append((way, ahead))

    def when(self, theirs: float, heard: float) -> float | None:
        """A time on the page, by our clock [s] and never later than it was heard of; None before the first answer."""
        if not self._answers:
            return None
        return min(theirs + min(self._answers)[1], heard)
