"""Many unpaced takes at once, in processes of one machine, committed in the order of their attempts.

A worker drives, draws and encodes an attempt; the parent only logs and commits. Attempts are given out ahead of what
may be needed, and what was not committed, because it lies beyond the last one wanted or a kill came first, is dropped
and comes again, equal: which episodes a dataset gets depends on the seed alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.episodes import StagedEpisode
from curation.errors import StudioError
from curation.layout import STAGING
from curation.video import Encoding

from .crew import Crew, draw_take
from .journal import read_journal
from .operators.named import Who, make_operator
from .placements import Placing, start
from .record import terms
from .rollout import Start
from .schedule import Turns
from .session import Session, Terms, begin_take
from .take import Keep, TakeFailed, run_take
from .world.scene import Scene, compile_scene, fingerprint
from .world.sim import SimWorld


@dataclass(frozen=True)
class Job:
    """One attempt to make."""

    attempt: int
    start: Start
    terms: Terms


@dataclass(frozen=True)
class Made:
    """One attempt made: its journal, its stage folder if it was kept, and why it failed if it did not end."""

    attempt: int
    journal: Path
    staged: Path | None
    failed: str = ""


def fleet(
    session: Session,
    who: Who,
    placing: Placing,
    turns: Turns | None,
    *,
    seed: int,
    processes: int,
    rule: Keep,
    limit: int,
) -> Generator[Made]:
    """Attempts in order, from the session's next one on, until the caller stops asking or no position wants more.

    The caller settles each attempt before it asks for the next.

    Args:
        session: whose staging folder the workers write to.
        who: drives.
        placing: where blocks go.
        turns: whose turn it is among the positions of a list.
        seed: of the session.
        processes: how many attempts are worked on at once.
        rule: which takes are drawn.
        limit: most frames of an episode.
    """
    crew = Crew("generating", processes, _work, session.root, session.scene, who, rule, limit, session.store.encoding)
    following = session.next_attempt
    ready: dict[int, Made] = {}
    given = following

    def give() -> None:
        nonlocal given
        while given - following <= 2 * processes:
            target = None if turns is None else turns.next(settled=given == following)
            if turns is not None and target is None:
                return
            at = start(placing, session.scene, seed, given, target)
            crew.give(Job(given, at, terms(placing, given, rule, limit, seed, target) | dict(who.about)))
            given += 1

    try:
        give()
        while given > following:
            for made in crew.results(wait=True):
                ready[made.attempt] = made
            while following in ready:
                yield ready.pop(following)
                following += 1
                give()
    finally:
        crew.stop()
        session.drop_staged()


def save_made(session: Session, made: Made) -> tuple[dict[str, Any], int | None]:
    """Log an attempt and commit it if it was kept; returns its footer and episode index.

    Raises:
        StudioError: if the attempt failed; its frames wait as an unfinished take.
    """
    take = session.adopt(made.journal)
    if take.footer is None:
        raise StudioError(made.failed)
    session.settle(take)
    index = None if made.staged is None else session.save(StagedEpisode.load(made.staged))
    return take.footer, index


def _work(
    jobs: Iterator[Job],
    send: Callable[[Any], None],
    root: Path,
    scene: Scene,
    who: Who,
    rule: Keep,
    limit: int,
    encoding: Encoding,
) -> None:
    # The software rasteriser would start a thread per core in every worker; read when the context is made.
    os.environ["LP_NUM_THREADS"] = "1"
    world = SimWorld(scene, compile_scene(scene))
    operator = make_operator(who, world)
    name = fingerprint(scene)
    for job in jobs:
        journal = begin_take(root, scene, name, job.start, who.label, job.attempt, job.terms, STAGING)
        try:
            _, kept = run_take(
                world, operator, job.start, journal, rule=rule, limit=limit, until_success=who.until_success
            )
        except TakeFailed as error:
            send(Made(job.attempt, journal.path, None, str(error)))
            continue
        staged = draw_take(read_journal(journal.path), root, scene, world.painter, encoding) if kept else None
        send(Made(job.attempt, journal.path, staged))
