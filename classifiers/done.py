"""When an episode is done: at which frames a classifier looks, and how many looks in a row must be sure.

One rule for who watches an episode while it happens and for who asks afterwards, or the card would be of another
procedure than the referee's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from classifiers.evidence import stride

DONE_S = 1.0
"""For how long it must have been sure before an episode is done [s] (assumed): a block that rolls through the bowl is
no success, and the judge wants half a second of rest."""


def looks_at(frame: int, fps: int) -> bool:
    """Whether it looks at a frame, counted from the episode's first, 0: as often as its last pictures are apart."""
    return (frame + 1) % stride(fps) == 0


class Streak:
    """For how many looks in a row it has been sure.

    Args:
        fps: frames per second.
    """

    def __init__(self, fps: int) -> None:
        self._wanted = math.ceil(DONE_S * fps / stride(fps) - 1e-9) + 1
        self._in_a_row = 0

    def add(self, sure: bool) -> bool:
        """Take in the next look, and say whether it is done."""
        self._in_a_row = self._in_a_row + 1 if sure else 0
        return self.done

    @property
    def done(self) -> bool:
        """Whether it has been sure for `DONE_S`."""
        return self._in_a_row >= self._wanted


def first_done(sure: Iterable[bool], fps: int) -> int | None:
    """Of an episode's looks the first after which it is done; None if it never is."""
    count = Streak(fps)
    return next((at for at, one in enumerate(sure) if count.add(bool(one))), None)
