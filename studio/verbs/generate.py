"""generate: episodes as fast as the machine makes them."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from curation.errors import UsageError
from recorders.fleet import fleet, save_made
from recorders.placements import Placing
from recorders.record import MAX_FAILURES_IN_A_ROW, NothingKept
from recorders.schedule import Turns
from recorders.session import Session
from studio.console import Console
from studio.options import process_count
from studio.verbs.asked import Asked
from studio.verbs.summary import summary
from studio.verbs.told import finish_waiting, require_all, tell_close, tell_doubts, tell_holes, tell_if_full


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Generate episodes unpaced, several at once, into a LeRobot dataset."""

    recording: Asked
    processes: int = 0
    """Attempts worked on at once; 0 is one per processor core."""
    json: bool = False
    """Print the summary as JSON."""


def generate(options: Generate, console: Console) -> int:
    """Generate until the dataset holds the asked number of episodes; prints its summary."""
    asked = options.recording
    process_count(options.processes)
    if asked.by_person:
        raise UsageError(f"{asked.operator} is a person, who records in real time: studio record.")
    placing = asked.check()
    tell_close(console, asked, placing)
    tell_doubts(console, asked.who)
    session = asked.open()
    try:
        finish_waiting(console, session)
        goal, turns = asked.goal(placing, session), asked.turns(placing, session)
        tell_if_full(console, session, goal)
        if len(session.live) < goal:
            _fill(options, console, session, placing, turns, goal)
    finally:
        session.close()
    tell_holes(console, session, placing)
    console.result(*summary(session.root))
    require_all(turns, placing)
    return 0


def _fill(
    options: Generate, console: Console, session: Session, placing: Placing, turns: Turns | None, goal: int
) -> None:
    """Make attempts until the dataset is full, or no position wants more.

    Raises:
        NothingKept: if attempt after attempt fails; with `turns`, each position is given up by itself instead.
    """
    asked = options.recording
    began, failures, had = time.monotonic(), 0, len(session.live)
    attempts = fleet(
        session,
        asked.who,
        placing,
        turns,
        seed=asked.seed,
        processes=process_count(options.processes),
        rule=asked.rule,
        limit=asked.limit_frames,
    )
    with closing(attempts):
        for made in attempts:
            footer, index = save_made(session, made)
            total = len(session.live)
            rate = 60 * (total - had) / (time.monotonic() - began)
            what = "not kept" if index is None else f"saved episode {index}"
            driven = f"{footer['outcome']}, {footer['frames']} frames"
            console.step(f"take {made.attempt}: {driven}, {what} ({total}/{goal}, {rate:.1f}/min)")
            console.advance(total, goal)
            if total >= goal:
                return
            failures = 0 if index is not None else failures + 1
            if turns is None and failures >= MAX_FAILURES_IN_A_ROW:
                raise NothingKept(failures, footer["outcome"])
