"""A recording that goes on while screens come and go: the booth, its source of keys and its pictures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from curation.errors import StudioError
from curation.frames import Image
from recorders.devices.display import Display
from recorders.devices.keys import REPEAT_S, KeyEvent, KeySource, Stroke
from recorders.operators.keymap import DECIDE, REASONS, Intent, drive_key
from recorders.signals import Beat, Closed, Event, Message, Tick, Wish
from recorders.world.scene import Scene
from studio.booth_process import BoothProcess
from studio.desk import Desk
from studio.paths import dataset_path
from studio.sitting import scene_of
from studio.tui.driver import TerminalKeys
from studio.verbs.record import Record

if TYPE_CHECKING:
    from studio.views import Views

SAVING_S = 600.0
"""Longest time that leaving waits for kept takes to be drawn [s]; what is not saved then is saved at the next start."""


class LiveRecording:
    """One sitting under the screens.

    Args:
        options: of the recording.
        source: of the keys that drive.

    Attributes:
        booth: the process that records.
        desk: sorts key strokes.
        source: of the keys.
    """

    def __init__(self, options: Record, source: KeySource) -> None:
        self.options = options
        self.source = source
        self.booth = BoothProcess(options, releases=source.releases, chords=source.chords)
        self.desk = Desk(self.booth.drive, self.booth.send)
        self._views: Views | None = None
        self._drawn = -1.0
        self._typed = ("", 0.0)
        source.start(self._stroke)

    @property
    def name(self) -> str:
        """What is recorded into."""
        return "practice" if self.options.practice else dataset_path(self.options.recording.to).name

    @property
    def running(self) -> bool:
        return self.booth.running

    @property
    def tick(self) -> Tick | None:
        return self.booth.tick

    def typed(self, key: str) -> bool:
        """A key that the terminal gave to a screen; whether it means anything while recording.

        A source with key-up that hears the same keys tells what drives itself, or tells all.
        """
        if isinstance(self.source, TerminalKeys) and self.source.releases:
            return key in DECIDE or key in REASONS or drive_key(key) is not None
        if self.source.releases and drive_key(key) is not None:
            return True
        now = time.monotonic()
        again = key == self._typed[0] and now - self._typed[1] < REPEAT_S
        self._typed = (key, now)
        return self.desk.stroke(KeyEvent(key, Stroke.REPEAT if again else Stroke.PRESS, now))

    def attend(self, attended: bool) -> None:
        """Whether the record screen has the person's eyes and keys: the window has the focus, nothing lies over it."""
        if isinstance(self.source, Display):
            self.source.arm(attended)
        elif isinstance(self.source, TerminalKeys):
            if attended:
                self.source.start(self._stroke)
            else:
                self.source.stop()
        if not attended:
            self.release_keys()

    def beat(self) -> None:
        """Tell the booth that a screen is alive."""
        self.booth.send(Beat())

    def listen(self) -> list[Event]:
        """New events, oldest first."""
        fresh = self.booth.listen()
        for event in fresh:
            self.desk.hear(event)
            if isinstance(event, Closed):
                self.source.stop()
        return fresh

    def pictures(self) -> dict[str, Image] | None:
        """The newest pictures of the cameras, if there are new ones; asks for the next."""
        tick = self.booth.tick
        if tick is None or tick.physics is None:
            return None
        if self._views is None:
            self._views = self._open_views()
        if tick.stamp != self._drawn:
            self._drawn = tick.stamp
            self._views.want(tick.physics)
        return self._views.pictures()

    @property
    def blind(self) -> str:
        """Why there are no pictures; "" while there are."""
        return "" if self._views is None else self._views.error

    def send(self, message: Message) -> None:
        self.booth.send(message)

    def release_keys(self) -> None:
        """Let go of every key."""
        self.booth.release()

    def stop(self) -> None:
        """Ask the booth to stop; a take in progress waits for a decision or stays unfinished."""
        self.booth.send(Wish(Intent.STOP))

    def close(self) -> None:
        """End the recording: what was kept is drawn and saved, an undecided take stays unfinished."""
        until = time.monotonic() + SAVING_S
        # The first word ends the take, the second leaves the question whether to keep it, the third the sitting.
        asked = 0.0
        while self.booth.running and time.monotonic() < until:
            if time.monotonic() - asked > 0.5:
                asked = time.monotonic()
                self.stop()
            self.beat()
            self.listen()
            time.sleep(0.05)
        self.source.stop()
        self.booth.close()
        if self._views is not None:
            self._views.close()

    def _open_views(self) -> Views:
        from studio.tui import graphics
        from studio.views import Views

        size = graphics.picture_size()
        return Views(self.scene(), width=size["width"], height=size["height"])

    def scene(self) -> Scene:
        """The scene that is recorded."""
        try:
            return scene_of(self.options)
        except StudioError:
            return self.options.recording.scene  # the booth tells what is wrong

    def _stroke(self, event: KeyEvent) -> None:
        """A stroke from the source; what the display hears and decides, the terminal tells as well."""
        if not isinstance(self.source, Display) or event.stroke is Stroke.BLUR or drive_key(event.key) is not None:
            self.desk.stroke(event)
