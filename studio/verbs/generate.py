"""generate: episodes as fast as the machine makes them."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field

from curation.errors import UsageError
from recorders.fleet import fleet, save_made
from recorders.operators.named import Who
from recorders.placements import Placing, require_recordable
from recorders.record import MAX_FAILURES_IN_A_ROW, NothingKept, Recorder
from recorders.session import Session
from recorders.take import Keep
from recorders.world.gl import require_opengl
from recorders.world.scene import Scene
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio.console import Console
from studio.options import Episodes, Where, process_count
from studio.verbs.record import console_event, offer, open_session, require_count, tell_holes, tell_if_full
from studio.verbs.summary import summary


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Generate episodes unpaced, several at once, into a LeRobot dataset."""

    to: str
    """The dataset: a folder, or a bare name under STUDIO_DATA (default ./datasets). Must be new without --resume."""
    operator: str = "expert"
    """Who drives: expert."""
    episodes: Episodes = 20
    """Episodes the dataset shall hold at the end; with --resume the total."""
    where: Where = field(default_factory=Where)
    keep: Keep = Keep.SUCCESS
    """Which takes become episodes."""
    seed: int = 0
    """Of every random choice; stored per episode."""
    limit: float = TIME_LIMIT_S
    """Time limit of an episode in seconds."""
    noise: float = 0.0
    """Noise on the body joints' targets in degrees."""
    resume: bool = False
    """Continue an existing dataset recorded with the same settings."""
    processes: int = 0
    """Attempts worked on at once; 0 is one per processor core, which is where it stopped paying."""
    json: bool = False
    """Print the summary as JSON."""
    scene: Scene = field(default_factory=Scene)


def generate(options: Generate, console: Console) -> int:
    """Generate until the dataset holds the asked number of episodes; prints its summary."""
    require_opengl()
    process_count(options.processes)
    who = Who(name=options.operator, noise=options.noise)
    if options.keep is Keep.VERDICT:
        raise UsageError(f"--keep verdict needs a person; {who.name} gives none. Valid: all, success.")
    placing = options.where.placing()
    require_recordable(placing, options.scene, options.seed)
    require_count(options.episodes, options.limit)
    session = open_session(options.to, options.scene, resume=options.resume)
    recorder = Recorder(session, lambda event: console_event(console, event, options.episodes))
    try:
        offer(console, session, recorder.finish_kept())
        recorder.close()
        tell_if_full(console, session, options.episodes)
        if session.store.total_episodes < options.episodes:
            _fill(options, console, session, who, placing)
    finally:
        recorder.close()
        session.close()
    tell_holes(console, session, placing)
    console.result(*summary(session.root))
    return 0


def _fill(options: Generate, console: Console, session: Session, who: Who, placing: Placing) -> None:
    """Make attempts until the dataset is full.

    Raises:
        NothingKept: if attempt after attempt fails.
    """
    began, failures, had = time.monotonic(), 0, session.store.total_episodes
    attempts = fleet(
        session,
        who,
        placing,
        seed=options.seed,
        processes=process_count(options.processes),
        rule=options.keep,
        limit=round(options.limit * session.scene.fps),
    )
    with closing(attempts):
        for made in attempts:
            footer, index = save_made(session, made)
            total = session.store.total_episodes
            rate = 60 * (total - had) / (time.monotonic() - began)
            what = "not kept" if index is None else f"saved episode {index}"
            driven = f"{footer['outcome']}, {footer['frames']} frames"
            console.step(
                f"take {made.attempt}: {driven}, {what} ({total}/{options.episodes}, {rate:.1f}/min)"
            )
            if total >= options.episodes:
                return
            failures = 0 if index is not None else failures + 1
            if failures >= MAX_FAILURES_IN_A_ROW:
                raise NothingKept(failures, footer["outcome"])
