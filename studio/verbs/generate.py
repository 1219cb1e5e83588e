"""generate: episodes as fast as the machine makes them."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from recorders.fleet import fleet, save_made
from recorders.placements import Placing
from recorders.record import MAX_FAILURES_IN_A_ROW, NothingKept, Recorder
from recorders.session import Session
from studio.console import Console
from studio.options import process_count
from studio.verbs.asked import Asked, console_event, offer, tell_holes, tell_if_full
from studio.verbs.summary import summary


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
    placing = asked.check()
    session = asked.open()
    recorder = Recorder(session, lambda event: console_event(console, event, asked.episodes))
    try:
        offer(console, session, recorder.finish_kept())
        recorder.close()
        tell_if_full(console, session, asked.episodes)
        if session.store.total_episodes < asked.episodes:
            _fill(options, console, session, placing)
    finally:
        recorder.close()
        session.close()
    tell_holes(console, session, placing)
    console.result(*summary(session.root))
    return 0


def _fill(options: Generate, console: Console, session: Session, placing: Placing) -> None:
    """Make attempts until the dataset is full.

    Raises:
        NothingKept: if attempt after attempt fails.
    """
    asked = options.recording
    began, failures, had = time.monotonic(), 0, session.store.total_episodes
    attempts = fleet(
        session,
        asked.who,
        placing,
        seed=asked.seed,
        processes=process_count(options.processes),
        rule=asked.keep,
        limit=asked.limit_frames,
    )
    with closing(attempts):
        for made in attempts:
            footer, index = save_made(session, made)
            total = session.store.total_episodes
            rate = 60 * (total - had) / (time.monotonic() - began)
            what = "not kept" if index is None else f"saved episode {index}"
            driven = f"{footer['outcome']}, {footer['frames']} frames"
            console.step(f"take {made.attempt}: {driven}, {what} ({total}/{asked.episodes}, {rate:.1f}/min)")
            if total >= asked.episodes:
                return
            failures = 0 if index is not None else failures + 1
            if failures >= MAX_FAILURES_IN_A_ROW:
                raise NothingKept(failures, footer["outcome"])
