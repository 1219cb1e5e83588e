"""record: episodes at the pace of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recorders.clock import RealTime
from recorders.operators.named import PEOPLE, make_operator
from recorders.record import Recorder
from recorders.world.sim import SimWorld
from studio.console import Console
from studio.preview import preview, require_terminal
from studio.verbs.asked import Asked, console_event, offer, require_all, tell_holes, tell_if_full
from studio.verbs.summary import summary


@dataclass(frozen=True, kw_only=True)
class Record:
    """Record episodes in real time into a LeRobot dataset."""

    recording: Asked
    pause: float = 0.0
    """Time between takes in seconds, in which kept takes are drawn and saved."""
    preview: bool = False
    """Draw the overhead camera in the terminal while recording."""
    keys: Literal["auto", "terminal", "kitty", "display", "browser"] = "auto"
    """Where a person's keys come from; the best source there is by default."""
    auto_stop: bool = True
    """End and keep a person's take as soon as the judge sees success; --no-auto-stop leaves it to the keys."""
    practice: bool = False
    """Drive without recording anything."""
    json: bool = False
    """Print the summary as JSON."""


def record(options: Record, console: Console) -> int:
    """Record until the dataset holds the asked number of episodes; prints its summary."""
    asked = options.recording
    if asked.operator in PEOPLE or options.practice:
        from studio.keys_session import record_by_keys

        return record_by_keys(options, console)
    placing = asked.check()
    if options.preview:
        require_terminal()
    session = asked.open()
    goal, turns = asked.goal(placing), asked.turns(placing, session)
    world = SimWorld(session.scene)
    recorder = Recorder(session, lambda event: console_event(console, event, goal))
    try:
        offer(console, session, recorder.finish_kept())
        tell_if_full(console, session, goal)
        with preview(options.preview, session.scene) as watch:
            recorder.record(
                world,
                make_operator(asked.who, world),
                asked.who.label,
                placing,
                turns,
                episodes=goal,
                seed=asked.seed,
                rule=asked.rule,
                limit=asked.limit_frames,
                clock=RealTime(session.scene.fps),
                pause=options.pause,
                watch=watch,
            )
    finally:
        recorder.close()
        world.close()
        session.close()
    tell_holes(console, session, placing)
    console.result(*summary(session.root))
    require_all(turns, placing)
    return 0
