"""Recording, live. The booth records in its own process; this screen shows it and passes on keys, and may fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import events, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from recorders.signals import Bell, Closed, Finished, Invited, Masked, Rang, Ready, Said, Stage, Stored, Tick
from studio.spoken import line
from studio.tui.maps import MapHolder
from studio.tui.record.invitation import InvitationSheet
from studio.tui.record.live import LiveRecording
from studio.tui.record.panels import Doings, Driving, KeyCard, MeterView, StageLine
from studio.tui.record.spots import Spots
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import outcome_style, themed
from studio.tui.widgets.pixels import Pixels

LOOK_S, BEAT_S = 0.1, 0.05
TALL, WIDE = 40, 110
"""From how many lines and columns on the pictures and the map grow."""


class RecordScreen(StudioScreen):
    """One sitting."""

    NAME = "record"
    BACK = "stop"
    CSS_PATH = "record.tcss"
    HELP = (
        "Drive the block into the bowl. A take begins with the first motion or Enter, and is on disk from its first "
        "frame; Enter or → keeps it, ← or d puts it away, and one more key says why. Nothing is ever deleted."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "nothing", "start, save"),
        Binding("right", "nothing", "save", show=False),
        Binding("left,d", "nothing", "discard"),
        Binding("r", "nothing", "new scene"),
        Binding("s", "nothing", "skip"),
        Binding("u", "nothing", "undo"),
        Binding("U", "nothing", "restore", show=False),
        Binding("m", "nothing", "hand or joints", show=False),
        Binding("minus,equals_sign", "nothing", "slower, faster", show=False),
        Binding("space", "nothing", "stand still", show=False),
        Binding("escape", "nothing", "stop", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if not isinstance(studio.live, LiveRecording):
            studio.live = start(place)
        self.live: LiveRecording = studio.live
        self.spots = Spots(self.live.options)

    def body(self) -> Iterable[Widget]:
        yield StageLine(self.live.options.recording.operator)
        with Horizontal(id="pictures"):
            yield Pixels("overhead", id="overhead_cam")
            yield Pixels("wrist", id="wrist_cam")
            with Vertical(id="gauges"):
                yield MeterView()
        with Horizontal(id="below"):
            yield MapHolder(self.live.scene())
            with Vertical(id="side"):
                yield Driving()
                yield Doings()
                yield KeyCard(self.live.options.recording.operator)

    def on_mount(self) -> None:
        self.query_one(KeyCard).display = self.live.options.recording.by_person
        self.set_interval(BEAT_S, self.live.beat)
        self.set_interval(LOOK_S, self._look)
        for event in list(self.live.booth.events):
            self._tell(event, again=True)
        if restarted := self.shell.restarted_after:
            # A toast goes away, and whoever drives looks at the block.
            self._say(f"screen restarted: {restarted}", themed(self.app)["error"])
        # Textual tells the App alone that the terminal's window has lost the focus.
        self.watch(self.app, "app_focus", self.live.attend, init=False)
        self._read_placements()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.height >= TALL, "-tall")
        self.set_class(event.size.width >= WIDE, "-wide")

    # Keys.

    def on_key(self, event: events.Key) -> None:
        if not self.live.running:
            if event.key in ("escape", "enter"):
                event.stop()
                self.action_back()
            return
        key = event.character if event.character and event.character.isprintable() else event.key
        known = self.live.typed("space" if key == " " else key)
        if known:
            event.stop()
            event.prevent_default()

    def on_screen_suspend(self) -> None:
        self.live.attend(False)

    def on_screen_resume(self) -> None:
        self.live.attend(True)

    def action_nothing(self) -> None:
        """Keys are passed to the booth before bindings are looked at; the bindings are here to be shown."""

    def action_back(self) -> None:
        """Leave once the sitting is over; before that, Esc asks the booth to stop."""
        if self.live.running:
            self.live.stop()
            return
        self.live.close()
        self.studio.live = None
        super().action_back()

    # What the booth says.

    def _look(self) -> None:
        for event in self.live.listen():
            self._tell(event)
        tick = self.live.tick
        if tick is not None and self.live.running:
            self._show(tick)
        for name, image in (self.live.pictures() or {}).items():
            self.query_one(f"#{name}", Pixels).show(image)
        if blind := self.live.blind:
            for pixels in self.query(Pixels):
                pixels.empty = blind
                pixels.show(None)

    def _show(self, tick: Tick) -> None:
        practice = self.live.options.practice
        self.query_one(StageLine).show(tick, practice=practice)
        if tick.stage is not Stage.READY or tick.gauges:
            self.query_one(MeterView).show(tick.gauges)
        self.query_one(Driving).show(tick, f"keys: {self.live.source.name}. {self.live.source.note}")
        self.query_one(Doings).ask(why=self.live.desk.asks_why, advice=tick.advice)
        block = tick.block if tick.physics is not None else None
        self.query_one(MapHolder).spots(self.spots.now(tick), block=block, tip=tick.tip[:2])

    def _tell(self, event: object, *, again: bool = False) -> None:
        colours = themed(self.app)
        match event:
            case Rang(bell):
                if not again:
                    self.app.bell()
                if bell is Bell.TIME:
                    self._say("time is up: Enter keeps it, ← discards", colours["warning"])
            case Finished():
                self.spots.finished(event)
                self._say_finished(event)
            case Stored():
                self._say(f"episode {event.index} saved", colours["muted"])
            case Masked():
                self.spots.masked(event.episode_id, masked=event.masked)
                word = "put to the trash; U restores it" if event.masked else "restored"
                self._say(f"take {event.episode_id[:8]} {word}", colours["warning"])
            case Said(text, grave):
                self._say(text, colours["error" if grave else "muted"])
            case Invited():
                self._say(line(event), colours["muted"])
                if not again:
                    self.app.push_screen(InvitationSheet(event))
            case Ready(attempt, block, target):
                where = f"{target}: " if target else ""
                self._say(f"take {attempt}  {where}block at {block[0]:.3f} {block[1]:.3f}", colours["muted"])
            case Closed(code, text):
                self._over()
                self._say(text, colours["success" if code == 0 else "error"])
                self._say("Esc or Enter returns.", colours["muted"])

    def _over(self) -> None:
        """The sitting has ended: say so everywhere, and let no restart of the screen begin another."""
        self.studio.live = None
        self.studio.trail[-1] = Place("library", self.place.dataset) if self.place.dataset else Place()
        tick = self.live.tick or Tick(stage=Stage.OVER)
        self.query_one(StageLine).show(replace(tick, stage=Stage.OVER), practice=self.live.options.practice)
        self.query_one(KeyCard).display = False

    def _say_finished(self, event: Finished) -> None:
        colours = themed(self.app)
        line = Text(f"{event.outcome.replace('_', ' ')} ", outcome_style(event.outcome))
        seconds = event.frames / self.live.options.recording.scene.fps
        word = "kept" if event.kept else event.why or "discarded, to the trash"
        if self.live.options.practice:
            word = "practice"
        line.append(f"{seconds:.1f} s, ", colours["muted"])
        line.append(word, colours["success" if event.kept else "warning"])
        self.query_one(Doings).add(line)

    def _say(self, text: str, colour: str) -> None:
        self.query_one(Doings).add(Text(text, colour))

    @work(thread=True)
    def _read_placements(self) -> None:
        """What the dataset holds already, for the map."""
        found = self.spots.read()
        self.app.call_from_thread(self.spots.known, found)


def start(place: Place) -> LiveRecording:
    """Begin the sitting that a place describes, with the best source of keys there is."""
    from studio.tui.record.keys import source_of

    return LiveRecording(place.what, source_of(place.what))
