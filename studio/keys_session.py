"""A person who records from a plain command: the same booth as under a screen, told in lines on stderr."""

from __future__ import annotations

import queue
import sys

from curation.errors import OK, StudioError
from recorders.devices.choose import choose
from recorders.devices.keys import HeldKeys, KeySource
from recorders.devices.terminal import NoTerminal
from recorders.operators.keymap import REASONS
from recorders.signals import Closed, Event, Finished, Masked, Message, Rang, Ready, Said, Stage, Stored, Tick
from studio.console import Console
from studio.desk import Desk
from studio.paths import dataset_path
from studio.preview import preview
from studio.sitting import scene_of, sit
from studio.verbs.asked import Asked
from studio.verbs.record import Record
from studio.verbs.summary import summary

STAGES = {
    Stage.READY: "READY: drive or press Enter; i k j l y h move, o c grip, u undo, Esc stop",
    Stage.REVIEW: "KEEP IT? Enter keeps, d discards",
    Stage.DONE: "DONE: u takes the last one back, Enter or Esc ends",
    Stage.SAVING: "drawing and saving kept takes",
}

WITH_CONTROLLER = STAGES | {
    Stage.READY: "READY: squeeze and drive; trigger grips, A keeps, B discards, stick click: forward; Esc stops",
    Stage.REVIEW: "KEEP IT? A or Enter keeps, B or d discards",
    Stage.DONE: "DONE: u takes the last one back; A, Enter or Esc ends",
}
WITH_LEADER = STAGES | {
    Stage.READY: "READY: Enter starts, and the arm nears the leader; m or space holds it; u undo, Esc stop",
}
TO_CORRECT = "READY: Enter lets the policy drive; any key that drives takes over, p hands back, Esc stops"


def record_by_keys(options: Record, console: Console) -> int:
    """Hold one sitting in this terminal; returns the exit code."""
    source = _keys(options, console)
    held = HeldKeys(releases=source is not None and source.releases, chords=source is not None and source.chords)
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    desk = Desk(held.tell, inbox.put)
    closed: list[Closed] = []

    def tell(event: Event) -> None:
        desk.hear(event)
        if isinstance(event, Closed):
            closed.append(event)
        elif line := _line(event):
            console.step(line)
        if isinstance(event, Rang) and sys.stderr.isatty():
            sys.stderr.write("\a")

    with preview(options.preview, scene_of(options)) as look:

        def show(tick: Tick) -> None:
            console.progress(_progress(tick, options.recording))
            if options.preview:
                look(tick.physics)

        if source is not None:
            source.start(desk.stroke)
        try:
            sit(options, held, inbox, tell, show, beats=False)
        finally:
            if source is not None:
                source.stop()
    if closed[0].code != OK:
        raise Ended(closed[0])
    console.step(closed[0].text)
    if not options.practice:
        console.result(*summary(dataset_path(options.recording.to)))
    return OK


def _keys(options: Record, console: Console) -> KeySource | None:
    """Where keys come from; None where there are none and a controller decides.

    Raises:
        UsageError: there are none and keys are needed.
    """
    try:
        choice = choose(options.keys)
    except NoTerminal:
        if options.recording.operator != "vr" or options.keys != "auto":
            raise
        console.step("keys: none here; the controller's buttons decide")
        return None
    source = choice.source
    console.step(f"keys: {source.name}; {source.note}" + (f" ({choice.why})" if choice.why else ""))
    return source


class Ended(StudioError):
    """The sitting ended with an error, which is told as it was."""

    def __init__(self, closed: Closed) -> None:
        super().__init__(closed.text)
        self.exit_code = closed.code


def _line(event: Event) -> str:
    match event:
        case Ready(attempt, (x, y, _), target):
            return f"take {attempt}: block at ({x:g}, {y:g}){' ' + target if target else ''}"
        case Finished() if event.kept:
            return f"take: {event.outcome}, {event.frames} frames, kept"
        case Finished():
            why = ", ".join(f"{key} {words}" for key, words in REASONS.items())
            return f"take: {event.outcome}, {event.frames} frames, {event.why or 'discarded. Why? ' + why}"
        case Stored(index, _):
            return f"saved episode {index}"
        case Masked(episode_id, masked):
            return f"take {episode_id[:8]} {'put to the trash; U restores it' if masked else 'restored'}"
        case Said(text, _):
            return text
    return ""


def _progress(tick: Tick, asked: Asked) -> str:
    if asked.corrects and tick.stage is Stage.READY:
        return TO_CORRECT
    if tick.stage is not Stage.RECORDING:
        words = {"vr": WITH_CONTROLLER, "leader": WITH_LEADER}.get(asked.operator, STAGES)
        return words.get(tick.stage, str(tick.stage))
    keys = "".join(tick.driving)
    red = f"  discard? {tick.advice}" if tick.advice else ""
    goal = f"{tick.kept} of {tick.goal}" if tick.goal else str(tick.kept)
    stop = f"  stopped by {tick.stopped_at}" if tick.stopped_at else ""
    who = f"{tick.by} drives" if asked.corrects else tick.phase
    delay = f"  {sum(tick.delays[1:]):.0f} ms" if tick.delays else ""
    return f"RECORDING {tick.seconds:4.1f} s  {who}  {tick.mode} x{tick.pace:g} [{keys}]{delay}  {goal} kept{stop}{red}"
