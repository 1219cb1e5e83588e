"""Recording at the pace of the clock: take after take, kept at once, drawn and saved between takes and at the end.

Kept means the journal is on disk; saved means LeRobot loads the episode. The operator goes on after the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import DataError, StudioError
from curation.frames import Ending, Frame
from curation.targets import Target

from .clock import RealTime
from .crew import Undrawn
from .darkroom import Darkroom, Drawing, Saved
from .journal import read_journal
from .operators import Operator
from .placements import Placing, start
from .schedule import Turns
from .session import Session, Terms
from .take import Keep, run_take
from .world.protocol import World


@dataclass(frozen=True)
class Took:
    """A take has ended.

    Attributes:
        attempt: its number.
        ending: as judged.
        kept: whether its journal stays.
        frames: driven.
        late: frames that missed their deadline.
        total: episodes kept or saved so far.
    """

    attempt: int
    ending: Ending
    kept: bool
    frames: int
    late: int
    total: int


Event = Took | Saved | Drawing | Undrawn
MAX_FAILURES_IN_A_ROW = 25
"""Attempts in a row that are not kept before a scripted session gives up instead of going on for ever."""


class NothingKept(StudioError):
    """Attempt after attempt fails."""

    def __init__(self, count: int, outcome: str) -> None:
        super().__init__(
            f"{count} attempts in a row were not kept; the last outcome was {outcome}. Look at them with "
            "--keep all, or choose another position."
        )


class NotDrawn(DataError):
    """Takes were kept, but pictures cannot be made of them."""

    def __init__(self, count: int, have: int, wanted: int) -> None:
        super().__init__(
            f"{count} kept takes cannot be drawn (see above), so the dataset holds {have} of {wanted} episodes. "
            "They stay on disk; `studio recover` lists them."
        )


def terms(placing: Placing, attempt: int, keep: str, limit: int, seed: int, target: Target | None = None) -> Terms:
    """What is asked of an attempt, as its journal and its episode store it; `keep` names the rule."""
    target = target or placing.target(attempt)
    asked = placing.nominal(attempt, target)
    return {
        "asked": None if asked is None else list(asked),
        **({"target": target.id} if target else {}),
        **({"note": target.note} if target and target.note else {}),
        "jitter": placing.jitter,
        "keep": str(keep),
        "limit_frames": limit,
        "session_seed": seed,
    }


class Recorder:
    """Records into one session; also finishes what an earlier process kept but did not save.

    Args:
        session: the dataset.
        tell: is told every event.
    """

    def __init__(self, session: Session, tell: Callable[[Event], None]) -> None:
        self._session = session
        self._tell = tell
        self._room = Darkroom(session, tell)

    def finish_kept(self) -> list[Path]:
        """Save takes kept by an earlier process.

        Returns:
            Journals of takes that wait for a decision: unfinished ones, and kept ones that cannot be drawn.
        """
        kept, unfinished = self._session.waiting()
        for take in kept:
            self._room.give(self._session.journal(take.header["episode_id"]))
        self.finish()
        return unfinished + self._room.undrawn

    def record(
        self,
        world: World,
        operator: Operator,
        label: str,
        placing: Placing,
        turns: Turns | None = None,
        *,
        episodes: int,
        seed: int,
        rule: Keep,
        limit: int,
        clock: RealTime,
        until_success: bool | None = None,
        pause: float = 0.0,
        watch: Callable[[Frame], None] = lambda frame: None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Take until the dataset holds `episodes` kept and unmasked ones, then save them all.

        Args:
            world, operator: as in `run_take`.
            label: of the operator, stored per episode.
            placing: where blocks go.
            turns: whose turn it is among the positions of a list; its `missing` tells afterwards which were given up.
            episodes: the total the dataset shall hold.
            seed: of the session.
            rule: which takes to keep.
            limit: most frames of a take.
            clock: paces the frames.
            until_success: whether a take ends as soon as the judge is content, as in `run_take`.
            pause: time between takes [s], in which kept ones are drawn and saved.
            watch: sees every frame.
            about: the operator, stored with every take; JSON values.

        Raises:
            NothingKept: after `MAX_FAILURES_IN_A_ROW`; with `turns`, each position is given up by itself instead.
            NotDrawn: if the total is not reached, because kept takes cannot be drawn.
        """
        session = self._session
        undrawn = len(self._room.undrawn)
        attempt = session.next_attempt
        failures = 0
        while self._total() < episodes and len(self._room.undrawn) - undrawn < MAX_FAILURES_IN_A_ROW:
            target = None
            if turns is not None:
                # A kept take counts for its position only once it is saved.
                if (target := turns.next(settled=False)) is None:
                    self.finish()
                    target = turns.next(settled=True)
                if target is None:
                    break
            at = start(placing, session.scene, seed, attempt, target)
            asked = terms(placing, attempt, rule, limit, seed, target) | dict(about or {})
            journal = session.begin(at, label, attempt, asked)
            self._room.pause(True)
            try:
                ending, kept = run_take(
                    world, operator, at, journal,
                    rule=rule, limit=limit, until_success=until_success, clock=clock, watch=watch,
                    measured=clock.measured,
                )  # fmt: skip
            finally:
                self._room.pause(False)
            session.settle(read_journal(journal.path))
            if kept:
                self._room.give(journal.path)
            self._tell(Took(attempt, ending, kept, journal.frames, journal.late, self._total()))
            self._rest(pause)
            failures = 0 if kept else failures + 1
            if turns is None and failures >= MAX_FAILURES_IN_A_ROW:
                self.finish()
                raise NothingKept(failures, ending.outcome.value)
            attempt += 1
        self.finish()
        if self._total() < episodes and len(self._room.undrawn) > undrawn:
            raise NotDrawn(len(self._room.undrawn), len(session.live), episodes)

    def _total(self) -> int:
        """Episodes that count, saved or only kept so far."""
        return len(self._session.live) + self._room.open

    def finish(self) -> None:
        """Save every take that waits to be drawn."""
        self._room.finish()

    def close(self) -> None:
        """Stop drawing; what is not saved stays kept on disk."""
        self._room.close()

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._room.collect()
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            self._room.collect()
