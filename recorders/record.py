"""Recording at the pace of the clock: take after take, kept at once, drawn and saved between takes and at the end.

Kept means the journal is on disk; saved means LeRobot loads the episode. The operator goes on after the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curation.episodes import StagedEpisode
from curation.errors import DataError, StudioError
from curation.frames import Ending, Frame

from .clock import RealTime
from .crew import Crew, Gate, Undrawn, drawing_crew
from .journal import read_journal
from .operators import Operator
from .placements import Placing, start
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


@dataclass(frozen=True)
class Saved:
    """An episode is in the dataset."""

    index: int
    episode_id: str


@dataclass(frozen=True)
class Drawing:
    """Kept takes still to be drawn."""

    left: int


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


def terms(placing: Placing, attempt: int, rule: Keep, limit: int, seed: int) -> Terms:
    """What is asked of an attempt, as its journal and its episode store it."""
    asked = placing.nominal(attempt)
    note = placing.note(attempt)
    return {
        "asked": None if asked is None else list(asked),
        **({"note": note} if note else {}),
        "jitter": placing.jitter,
        "keep": rule.value,
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
        self._may_draw = Gate()
        self._crew: Crew | None = None
        self.undrawn: list[Path] = []

    def finish_kept(self) -> list[Path]:
        """Save takes kept by an earlier process.

        Returns:
            Journals of takes that wait for a decision: unfinished ones, and kept ones that cannot be drawn.
        """
        kept, unfinished = self._session.waiting()
        for take in kept:
            self._draw(self._session.journal(take.header["episode_id"]))
        self.finish()
        return unfinished + self.undrawn

    def record(
        self,
        world: World,
        operator: Operator,
        label: str,
        placing: Placing,
        *,
        episodes: int,
        seed: int,
        rule: Keep,
        limit: int,
        clock: RealTime,
        pause: float = 0.0,
        watch: Callable[[Frame], None] = lambda frame: None,
    ) -> None:
        """Take until the dataset holds `episodes` kept ones, then save them all.

        Args:
            world, operator: as in `run_take`.
            label: of the operator, stored per episode.
            placing: where blocks go.
            episodes: the total the dataset shall hold.
            seed: of the session.
            rule: which takes to keep.
            limit: most frames of a take.
            clock: paces the frames.
            pause: time between takes [s], in which kept ones are drawn and saved.
            watch: sees every frame.

        Raises:
            NothingKept: after `MAX_FAILURES_IN_A_ROW`.
            NotDrawn: if the total is not reached, because kept takes cannot be drawn.
        """
        session = self._session
        undrawn = len(self.undrawn)
        attempt = session.next_attempt
        failures = 0
        while (
            session.store.total_episodes + self._open < episodes and len(self.undrawn) - undrawn < MAX_FAILURES_IN_A_ROW
        ):
            at = start(placing, session.scene, seed, attempt)
            journal = session.begin(at, label, attempt, terms(placing, attempt, rule, limit, seed))
            self._may_draw.close()
            try:
                ending, kept = run_take(
                    world, operator, at, journal,
                    rule=rule, limit=limit, clock=clock, watch=watch, measured=clock.measured,
                )  # fmt: skip
            finally:
                self._may_draw.open()
            session.settle(read_journal(journal.path))
            if kept:
                self._draw(journal.path)
            total = session.store.total_episodes + self._open
            self._tell(Took(attempt, ending, kept, journal.frames, journal.late, total))
            self._rest(pause)
            failures = 0 if kept else failures + 1
            if failures >= MAX_FAILURES_IN_A_ROW:
                self.finish()
                raise NothingKept(failures, ending.outcome.value)
            attempt += 1
        self.finish()
        if session.store.total_episodes < episodes:
            raise NotDrawn(len(self.undrawn), session.store.total_episodes, episodes)

    def finish(self) -> None:
        """Save every take that waits to be drawn."""
        while self._open:
            self._tell(Drawing(self._open))
            self._collect(wait=True)

    def close(self) -> None:
        """Stop drawing; what is not saved stays kept on disk."""
        if self._crew is not None:
            self._crew.stop()
            self._crew = None

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._collect(wait=False)
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            self._collect(wait=False)

    @property
    def _open(self) -> int:
        return 0 if self._crew is None else self._crew.open_jobs

    def _draw(self, journal: Path) -> None:
        if self._crew is None:
            session = self._session
            self._crew = drawing_crew(session.root, session.scene, session.store.encoding, self._may_draw)
        self._crew.give(journal)

    def _collect(self, *, wait: bool) -> None:
        if self._crew is None:
            return
        for result in self._crew.results(wait=wait):
            if isinstance(result, Undrawn):
                self.undrawn.append(result.journal)
                self._tell(result)
                continue
            staged = StagedEpisode.load(result)
            index = self._session.save(staged)
            self._tell(Saved(index, staged.row.episode_id))
