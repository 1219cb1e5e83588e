"""A person who records from a plain command: the same booth as under a screen, told in lines on stderr."""

from __future__ import annotations

import queue
import sys

from curation.errors import OK, StudioError
from recorders.devices.choose import choose
from recorders.devices.keys import HeldKeys, KeySource
from recorders.devices.terminal import NoTerminal
from recorders.signals import Closed, Event, Invited, Message, Rang, Tick
from studio.console import Console
from studio.desk import Desk
from studio.paths import dataset_path
from studio.preview import preview
from studio.qr import qr
from studio.sitting import scene_of, sit
from studio.spoken import line, progress
from studio.verbs.record import Record
from studio.verbs.summary import summary


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
        elif text := line(event):
            console.step(text)
        if isinstance(event, Invited) and sys.stderr.isatty():
            console.step(qr(event.address))
        if isinstance(event, Rang) and sys.stderr.isatty():
            sys.stderr.write("\a")

    with preview(options.preview, scene_of(options)) as look:

        def show(tick: Tick) -> None:
            console.progress(progress(tick, options.recording))
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
