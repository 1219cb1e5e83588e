"""Many unpaced takes at once, in processes of one machine, committed in the order of their attempts.

A worker drives, draws and encodes attempts, some in lockstep where a policy answers for all of them in one forward
pass; the parent only logs and commits. Attempts are given out ahead of what may be needed, and what was not committed,
because it lies beyond the last one wanted or a kill came first, is dropped and comes again, equal: which episodes a
dataset gets depends on the seed alone. So those that were made together are made together again, without a trace of the
ones that are in the log already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.episodes import StagedEpisode
from curation.errors import StudioError
from curation.frames import Ending, Placement
from curation.layout import STAGING
from curation.targets import Target
from curation.video import Encoding

from .crew import Crew, draw_take
from .journal import Journal, read_journal
from .operators import Operator
from .operators.named import Who, make_operator
from .placements import Placing, start
from .record import terms
from .referee import JUDGE, Referee, Rule
from .rollout import Start
from .schedule import Turns
from .session import Session, Terms, begin_take
from .take import Ended, Log, TakeFailed, Unwritten, keeps, run_takes
from .world.scene import Scene, fingerprint
from .world.sim import SimWorld, worlds_of

BATCH = "batch"
"""Term of an attempt: the first of those that it was made together with, and how many they were."""


@dataclass(frozen=True)
class Job:
    """One attempt to make; without terms it is in the log already, and only drives along with its batch."""

    attempt: int
    start: Start
    terms: Terms | None


@dataclass(frozen=True)
class Made:
    """One attempt made: its journal, its stage folder if it was kept, and why it failed if it did not end."""

    attempt: int
    journal: Path
    staged: Path | None
    failed: str = ""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a fleet makes.

    Attributes:
        who: drives.
        placing: where blocks go.
        seed: of the session.
        rule: which takes become episodes.
        limit: most frames of an episode.
        worlds: driven in lockstep by one process; more than one helps a policy only.
        most: attempts in all, those in the log included; None goes on.
    """

    who: Who
    placing: Placing
    seed: int
    rule: Rule
    limit: int
    worlds: int = 1
    most: int | None = None


def fleet(session: Session, order: Order, turns: Turns | None, *, processes: int) -> Generator[Made]:
    """Attempts in order, from the session's next one on, until the caller stops asking or no position wants more.

    The caller settles each attempt before it asks for the next.

    Args:
        session: whose staging folder the workers write to.
        order: what is made.
        turns: whose turn it is among the positions of a list; without it they are taken one after the other.
        processes: how many batches are worked on at once.
    """
    work = _Work(session.root, session.scene, fingerprint(session.scene), order, session.store.encoding)
    crew = Crew("generating", processes, _work, work)
    following = session.next_attempt
    ready: dict[int, Made] = {}
    given, ghosts = following, _unfinished(session, order)

    def give() -> None:
        nonlocal given, ghosts
        while given - following <= processes * max(2, order.worlds):
            batch = _batch(session, order, turns, given, ghosts, settled=given == following)
            wanted = [job for job in batch if job.terms is not None]
            if not wanted:
                return
            crew.give(batch, results=len(wanted))
            given, ghosts = given + len(wanted), []

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


def save_made(session: Session, made: Made, hold: str = "") -> tuple[dict[str, Any], int | None]:
    """Log an attempt and commit it if it was kept; returns its footer and episode index.

    Args:
        session: it belongs to.
        made: the attempt.
        hold: who holds back what is kept: the episode lies in the trash from the start. "" holds nothing back.

    Raises:
        StudioError: if the attempt failed; its frames wait as an unfinished take.
    """
    take = session.adopt(made.journal)
    if take.footer is None:
        raise StudioError(made.failed)
    if hold and take.footer["kept"]:
        session.mask([take.header["episode_id"]], True, hold)
    session.settle(take)
    index = None if made.staged is None else session.save(StagedEpisode.load(made.staged))
    return take.footer, index


def _unfinished(session: Session, order: Order) -> list[Mapping[str, Any]]:
    """The logged attempts of a batch that lacks others."""
    following = session.next_attempt
    lines: dict[int, Mapping[str, Any]] = {
        int(line["attempt"]): line for line in session.attempts if line.get("operator") == order.who.label
    }
    first, size = lines.get(following - 1, {}).get(BATCH) or (following, 0)
    if first + size <= following or size > order.worlds:
        return []
    found = [lines.get(attempt, {}) for attempt in range(first, following)]
    return found if all(line.get(BATCH) == [first, size] for line in found) else []


def _batch(
    session: Session,
    order: Order,
    turns: Turns | None,
    given: int,
    ghosts: Sequence[Mapping[str, Any]],
    *,
    settled: bool,
) -> list[Job]:
    """The next attempts that are made together, after those of them that are in the log.

    Args:
        session, order, turns: as in `fleet`.
        given: attempts given out or logged.
        ghosts: lines of the log.
        settled: whether everything given out is settled.
    """
    first, size = ghosts[0][BATCH] if ghosts else (given, order.worlds)
    targets: list[Target | None] = []
    while given + len(targets) < first + size and (order.most is None or given + len(targets) < order.most):
        target = None if turns is None else turns.next(settled=settled and not targets)
        if turns is not None and target is None:
            break
        targets.append(target)
    jobs = [_job(session, order, given + number, target) for number, target in enumerate(targets)]
    if order.worlds == 1:
        return jobs
    together = {BATCH: [first, size if ghosts else len(targets)]}
    return [*map(_again, ghosts), *(replace(job, terms={**(job.terms or {}), **together}) for job in jobs)]


def _job(session: Session, order: Order, attempt: int, target: Target | None) -> Job:
    at = start(order.placing, session.scene, order.seed, attempt, target)
    asked = terms(order.placing, attempt, order.rule.name, order.limit, order.seed, target)
    audited: dict[str, Any] = {} if order.rule.judged else {"audited": order.rule.audits(at.seed)}
    audited |= {} if order.rule.ends == JUDGE else {"ends": order.rule.ends}
    return Job(attempt, at, asked | audited | dict(order.who.about))


def _again(line: Mapping[str, Any]) -> Job:
    """An attempt as the log has it."""
    at = Placement(line["x"], line["y"], line["yaw_deg"])
    return Job(int(line["attempt"]), Start(int(line["seed"]), at), None)


@dataclass(frozen=True)
class _Work:
    """All that a worker needs."""

    root: Path
    scene: Scene
    scene_fingerprint: str
    order: Order
    encoding: Encoding


def _work(jobs: Iterator[Sequence[Job]], send: Callable[[Any], None], work: _Work) -> None:
    # The software rasteriser would start a thread per core in every worker; read when the context is made.
    os.environ["LP_NUM_THREADS"] = "1"
    worlds = worlds_of(work.scene, work.order.worlds)
    operator = make_operator(work.order.who, *worlds)
    referee = None if work.order.rule.referee is None else work.order.rule.referee()
    for batch in jobs:
        for made in _made(work, batch, worlds, operator, referee):
            send(made)


def _made(
    work: _Work, batch: Sequence[Job], worlds: Sequence[SimWorld], operator: Operator, referee: Referee | None
) -> Iterator[Made]:
    """The attempts of a batch as they end, without those that are in the log."""
    order = work.order
    logs = [_log(work, job) for job in batch]

    def settle(number: int, ending: Ending) -> tuple[Ending, bool]:
        if referee is None:
            return ending, keeps(order.rule.keep, ending)
        kept, why = referee.word(number)
        ending = replace(ending, report={**ending.report, "referee": why})
        return ending, keeps(order.rule.keep, ending) if order.rule.judged else kept

    driver = operator if referee is None else referee.around(operator)
    ended = run_takes(
        worlds[: len(batch)], driver, [job.start for job in batch], logs,
        settle=settle, limit=order.limit, until_success=order.rule.judge_ends and order.who.until_success,
    )  # fmt: skip
    for one in ended:
        log = logs[one.number]
        if isinstance(log, Journal):
            yield Made(batch[one.number].attempt, log.path, _staged(work, worlds[0], log, one), _failure(one))


def _log(work: _Work, job: Job) -> Log:
    if job.terms is None:
        return Unwritten()
    label = work.order.who.label
    return begin_take(work.root, work.scene, work.scene_fingerprint, job.start, label, job.attempt, job.terms, STAGING)


def _staged(work: _Work, world: SimWorld, log: Journal, one: Ended) -> Path | None:
    if not one.kept:
        return None
    return draw_take(read_journal(log.path), work.root, work.scene, world.painter, work.encoding)


def _failure(one: Ended) -> str:
    return str(TakeFailed(one.failed, one.frames)) if one.failed else ""
