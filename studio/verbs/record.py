"""record: episodes at the pace of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from curation.errors import UnknownChoice, UsageError
from curation.notes import CLASSIFIER
from recorders.clock import RealTime
from recorders.devices.web import PORT
from recorders.operators.named import make_operator
from recorders.placements import Placing
from recorders.record import Recorder
from recorders.schedule import Turns
from recorders.session import Session
from recorders.world.sim import SimWorld
from studio.console import Console
from studio.preview import preview, require_terminal
from studio.verbs.asked import Asked
from studio.verbs.summary import summary
from studio.verbs.told import (
    console_event,
    finish_waiting,
    require_all,
    tell_close,
    tell_doubts,
    tell_holes,
    tell_if_full,
)


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
    hand: Literal["right", "left"] = "right"
    """Which controller drives, with --operator vr."""
    headset: Literal["openxr", "web"] = "openxr"
    """With --operator vr: a headset of this PC, or one whose own browser opens the studio's page."""
    lan: bool = False
    """With --headset web: let this machine's network reach the page; else only the machine itself does, and USB."""
    page_port: int = PORT
    """With --headset web: the page's TCP port; 0 takes a free one."""
    motion: Path | None = None
    """With --operator vr: a motion log in place of the headset."""
    motion_log: Path | None = None
    """With --operator vr: a new file into which all readings of the controller are written."""
    port: str = ""
    """With --operator leader: its serial port; by default STUDIO_LEADER_PORT, or the only one there is."""
    leader_id: str = ""
    """With --operator leader: the id it was calibrated under with LeRobot; by default the only one there is."""
    auto_stop: bool = True
    """End and keep a person's take as soon as the judge sees success; --no-auto-stop leaves it to the keys."""
    done_by: str = "judge"
    """Who ends a person's take: judge, or classifier:NAME, which has a card and watches the cameras; what it ends waits
    for the person's word."""
    practice: bool = False
    """Drive without recording anything."""
    json: bool = False
    """Print the summary as JSON."""


def record(options: Record, console: Console) -> int:
    """Record until the dataset holds the asked number of episodes; prints its summary."""
    asked = options.recording
    if asked.classifier:
        raise UsageError(f"--keep {asked.keep} is for studio generate; record all, and let studio score tell.")
    if options.done_by != "judge" and not options.done_by.startswith(CLASSIFIER):
        raise UnknownChoice("word for --done-by", options.done_by, ("judge", f"{CLASSIFIER}NAME"))
    if options.done_by != "judge" and not asked.by_person:
        raise UsageError(f"--done-by {options.done_by} ends a person's takes, and {asked.operator} is none.")
    require_device(options)
    placing = asked.check()
    tell_close(console, asked, placing)
    tell_doubts(console, asked.who)
    if asked.by_person or options.practice:
        from studio.keys_session import record_by_keys

        return record_by_keys(options, console)
    if options.preview:
        require_terminal()
    session = asked.open()
    try:
        finish_waiting(console, session)
        goal, turns = asked.goal(placing, session), asked.turns(placing, session)
        tell_if_full(console, session, goal)
        _fill(options, console, session, placing, turns, goal)
    finally:
        session.close()
    tell_holes(console, session, placing)
    console.result(*summary(session.root))
    require_all(turns, placing)
    return 0


def require_device(options: Record) -> None:
    """Refuse options of a device that does not drive.

    Raises:
        UsageError: naming the option.
    """
    of = {
        "--motion": ("vr", options.motion),
        "--motion-log": ("vr", options.motion_log),
        "--headset": ("vr", options.headset if options.headset != "openxr" else None),
        "--port": ("leader", options.port),
        "--leader-id": ("leader", options.leader_id),
    }
    lacks = {"vr": "controller", "leader": "leader arm"}
    for name, (operator, value) in of.items():
        if value and operator != options.recording.operator:
            raise UsageError(
                f"{name} {value} is for --operator {operator}; {options.recording.operator} has no {lacks[operator]}."
            )
    if options.headset != "web" and (options.lan or options.page_port != PORT):
        raise UsageError("--lan and --page-port are for --headset web; nothing else is reached over the network.")
    if options.headset == "web" and options.motion is not None:
        raise UsageError(f"--motion {options.motion} drives in place of a headset; leave --headset web away.")
    if not 0 <= options.page_port < 65536:
        raise UsageError(f"--page-port {options.page_port} is none; valid: 1 to 65535, or 0 for a free one.")


def _fill(
    options: Record, console: Console, session: Session, placing: Placing, turns: Turns | None, goal: int
) -> None:
    """Take until the dataset is full, or no position wants more."""
    asked = options.recording
    recorder = Recorder(session, lambda event: console_event(console, event, goal))
    world = SimWorld(session.scene)
    try:
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
                until_success=asked.who.until_success,
                pause=options.pause,
                watch=watch,
                about=asked.who.about,
            )
    finally:
        recorder.close()
        world.close()
