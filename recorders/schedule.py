"""Which position of a list comes next: every pending one once, then again those still pending."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from curation.targets import Target

MAX_TRIES = 5
"""Attempts for each wanted episode of a position before a scripted operator gives it up and the others go on."""


@dataclass(frozen=True)
class Schedule:
    """Positions to record at, so many episodes each.

    Attributes:
        targets: in order.
        per_position: episodes wanted at each.
    """

    targets: tuple[Target, ...]
    per_position: int = 1

    @property
    def goal(self) -> int:
        """Episodes wanted in all."""
        return len(self.targets) * self.per_position

    def pending(self, kept: Mapping[str, int], skipped: Collection[str] = ()) -> list[Target]:
        """Positions that want episodes, in order.

        Args:
            kept: unmasked episodes by id.
            skipped: ids that nobody wants now.
        """
        return [t for t in self.targets if t.id not in skipped and kept.get(t.id, 0) < self.per_position]

    def left(self, kept: Mapping[str, int]) -> int:
        """Episodes still wanted; more than enough at one position makes up for none at another."""
        return sum(max(0, self.per_position - kept.get(target.id, 0)) for target in self.targets)


class Turns:
    """Hands out positions round by round. A round is what is pending at its start and was tried least; the next one
    begins when all of it is settled. So the order depends on outcomes and not on who works how fast, and a recording
    that was killed goes on as if it had not been.

    A position is given up at every full multiple of its tries, over all runs: a kill in between grants no more of
    them, and going on after it was given up grants as many again.

    Args:
        schedule: what is wanted.
        tried: attempts so far by id, in all runs; see `recorders.session.Session.tried`.
        kept: asked at the start of a round: unmasked episodes by id.
    """

    def __init__(self, schedule: Schedule, tried: Mapping[str, int], kept: Callable[[], Mapping[str, int]]) -> None:
        self._schedule = schedule
        self._tried = Counter(tried)
        most = MAX_TRIES * schedule.per_position
        self._most = {target.id: most * (self._tried[target.id] // most + 1) for target in schedule.targets}
        self._kept = kept
        self._round: list[Target] = []

    def next(self, *, settled: bool) -> Target | None:
        """Whose turn it is; None if nothing is left, or not before everything handed out is settled."""
        if not self._round and settled:
            self._round = self._least_tried()
        if not self._round:
            return None
        target = self._round.pop(0)
        self._tried[target.id] += 1
        return target

    def missing(self) -> list[Target]:
        """Positions that still want episodes, given up or not."""
        return self._schedule.pending(self._kept())

    def _least_tried(self) -> list[Target]:
        given_up = [name for name, most in self._most.items() if self._tried[name] >= most]
        pending = self._schedule.pending(self._kept(), given_up)
        least = min((self._tried[target.id] for target in pending), default=0)
        return [target for target in pending if self._tried[target.id] == least]
