"""Watch: a policy thinks, frame by frame: what it means to do, what it did, and how sure it is.

The screen drives nothing: it looks through a history. Frames are made, where they can be, by a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from curation.errors import StudioError
from recorders.events import next_event
from studio.tui.messages import WatchSeen
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.watch_ask import go_on_sheet
from studio.tui.watch_camera import NEARER, OVERHEAD, TURN_DEG, FreeCamera, opened_views
from studio.tui.watch_sight import Sight
from studio.tui.watch_words import LAYERS, facts, heading, joint_note, loading_heading, said, series, strands, window
from studio.tui.watching import Watching
from studio.tui.widgets.joint_plot import JointPlot
from studio.tui.widgets.vote_strip import VoteStrip
from studio.tui.widgets.whisker_view import Strand, WhiskerView
from studio.tui.words import path_words
from studio.watching.moment import Moment

if TYPE_CHECKING:
    from studio.views import Views

LOOK_S, TICK_S, DRAW_S = 0.15, 0.05, 0.05
"""How often the process is listened to, how often what runs moves on, and how often pictures are looked for [s]."""
AHEAD = 5
"""Frames that may be made before they are looked at."""
TEN = 10
CLOSE_S = 4.0
"""What graphs show of an episode from close [s]."""
FACTS, GRAPHS = 35, 13
"""Least columns of the words beside the pictures; lines below the pictures on a terminal of 24."""
LAYOUTS = (("overhead", "free"), ("overhead",), ("free",))
"""Pictures that are shown beside each other; fewer are larger."""


class WatchScreen(StudioScreen):
    """Shows one watched episode."""

    NAME = "watch"
    HELP = (
        "Green is where the policy goes until it is asked again, darker green what it means to do then, or a blend "
        "of grey chunks; blue what it meant before, yellow the way taken, dotted what then came. Below: what happened "
        "when (G grasp, L lift, D drop, R release, S success), each chunk's vote for the gripper (blue closed, amber "
        "open, newest lowest), every joint with its lag and mean error. Enter goes on from here; nothing is lost."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "run", "run, pause"),
        Binding("left,comma", "step(-1)", "one back"),
        Binding("right,full_stop", "step(1)", "one on"),
        Binding("enter", "go_on", "go on from here"),
        Binding("n", "event(1)", "next event"),
        Binding("p", "event(-1)", "event before"),
        Binding("shift+left,pageup", f"step(-{TEN})", "ten back", show=False),
        Binding("shift+right,pagedown", f"step({TEN})", "ten on", show=False),
        Binding("home", "end(0)", "first frame", show=False),
        Binding("end", "end(-1)", "last frame", show=False),
        Binding("s", "layer('samples')", "samples"),
        Binding("f", "layer('denoising')", "denoising", show=False),
        Binding("g", "layer('ghosts')", "past chunks", show=False),
        Binding("z", "zoom", "graphs of all", show=False),
        Binding("v", "layout", "which pictures", show=False),
        Binding("j", f"turn(-{TURN_DEG}, 0, 1)", "camera left", show=False),
        Binding("l", f"turn({TURN_DEG}, 0, 1)", "camera right", show=False),
        Binding("i", f"turn(0, -{TURN_DEG}, 1)", "camera higher", show=False),
        Binding("k", f"turn(0, {TURN_DEG}, 1)", "camera lower", show=False),
        Binding("plus,equals_sign", f"turn(0, 0, {1 / NEARER})", "camera nearer", show=False),
        Binding("minus", f"turn(0, 0, {NEARER})", "camera farther", show=False),
        Binding("c", "follow", "follow the gripper", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if not isinstance(place.what, Watching):
            raise TypeError("the watch screen shows a watched episode")
        self._watching = place.what
        self._sight: Sight | None = None
        self._views: Views | None = None
        self._sightless = False
        self._plays = False
        self._since = 0.0
        self._wanted: int | None = None
        self._layers = frozenset(LAYERS)
        self._close = True
        self._layout = 0
        self._camera = FreeCamera()
        self._drawn: object = None
        self._strands: tuple[object, Sequence[Strand]] = (None, ())

    def body(self) -> Iterable[Widget]:
        yield Static(id="watch-title", markup=False)
        yield Static(id="watch-said", markup=False)
        with Horizontal(id="watch-pictures"):
            yield WhiskerView("overhead", id="watch-overhead")
            yield WhiskerView("free", id="watch-free")
            yield Static(id="watch-facts", markup=False)
        yield VoteStrip(id="watch-votes")
        yield JointPlot("no frames yet", id="watch-joints")

    def on_mount(self) -> None:
        if self._watching.process is None and not self._watching.folder:
            # What is made begins to run: that is what one came for.
            self._plays = True
        self._lay_out()
        self._show_state()
        self.look_now()
        self.look_every(LOOK_S)
        self.set_interval(TICK_S, self._tick)
        self.set_interval(DRAW_S, self._look_at)

    def on_resize(self, event: events.Resize) -> None:
        """Share the lines anew."""
        self._lay_out()

    def on_unmount(self) -> None:
        if self._views is not None:
            self._views.close()
        # A screen that failed comes back to what goes on.
        if self.place not in self.studio.trail:
            self._leave(self._watching)

    @work(thread=True, exit_on_error=False)
    def _leave(self, watching: Watching) -> None:
        watching.close()

    # Reading

    def look(self) -> None:
        self.post_message(WatchSeen(self._watching.look()))

    @on(WatchSeen)
    def _seen(self, message: WatchSeen) -> None:
        if message.sight is not None and message.sight is not self._sight:
            self._sight = message.sight
            self._watching.at = min(self._watching.at, len(self._sight.history) - 1)
            self.refresh_bindings()
        for doubt in self._watching.doubts():
            self.notify(doubt, severity="warning", timeout=8, markup=False)
        self._show_state()
        self._draw()

    def _open_views(self, sight: Sight) -> None:
        try:
            self._views = opened_views(sight.history.told["scene"]["scene"])
        except StudioError as error:
            self._blind(str(error))

    # Moving

    @property
    def moment(self) -> Moment | None:
        """The one looked at."""
        if self._sight is None or not len(self._sight.history):
            return None
        moment: Moment = self._sight.history[self._watching.at]
        return moment

    @property
    def state(self) -> str:
        """loading, running, paused, over or failed."""
        if self._watching.wrong:
            return "failed"
        if self._sight is None or self._watching.loading:
            return "loading"
        return "running" if self._plays else "paused"

    def _tick(self) -> None:
        """Move on where it runs, or where a frame that was waited for is there."""
        if self._sight is not None and self.is_current:
            if self._plays:
                self._run_on(self._sight)
            elif self._wanted is not None:
                self._to(self._wanted)

    def _run_on(self, sight: Sight) -> None:
        """As many frames as the time since the last one, as far as they are made."""
        now, fps, last = time.monotonic(), sight.history.fps, len(sight.history) - 1
        if self._watching.live:
            self._watching.until(self._watching.at + AHEAD)
        frames = int((now - self._since) * fps)
        if frames < 1:
            return
        # A process that makes them slower is not caught up with in a leap.
        self._since = now if self._watching.at + frames > last else self._since + frames / fps
        self._to(min(self._watching.at + frames, last))
        if self._watching.at == last and not self._watching.live and not self._watching.loading:
            self._plays = False
            self._show_state()

    def _to(self, frame: int) -> None:
        """Look at a frame; one that is not made yet is asked for and waited for."""
        assert self._sight is not None
        last = len(self._sight.history) - 1
        self._wanted = None
        if frame > last and self._watching.live:
            self._watching.until(frame)
            self._wanted = frame
        self._watching.at = max(0, min(frame, last))
        self._draw()

    # Drawing

    def _lay_out(self) -> None:
        """Pictures as large as leave room for words and graphs."""
        width, height = self.size
        lines = max(4, min(height - GRAPHS - 3, round(0.46 * height)))
        shown = LAYOUTS[self._layout]
        each = min(round(lines * 8 / 3), max(8, (width - FACTS) // len(shown)))
        self.query_one("#watch-pictures").styles.height = lines
        for name in ("overhead", "free"):
            view = self.query_one(f"#watch-{name}")
            view.display, view.styles.width = name in shown, each
        self.query_one("#watch-votes").styles.height = 3 if height < 36 else 5
        self._drawn = None
        self._draw()

    def _show_state(self) -> None:
        """The line that says what goes on or what is wrong; gone where there is nothing to say."""
        colours, watching = themed(self.app), self._watching
        text, grave = said(watching, self._sight)
        told = self.query_one("#watch-said", Static)
        told.display = bool(text)
        told.update(Text(text, colours["error" if grave else "muted"]))
        if self._sight is None:
            title = loading_heading(watching.name, self.state, self.size.width - 2, colours)
            self.query_one("#watch-title", Static).update(title)

    def _draw(self) -> None:
        """Words, strip and graphs of the moment; pictures come when they are drawn."""
        sight, moment = self._sight, self.moment
        if sight is None or moment is None:
            return
        key = (sight, moment.frame, self._layers, self._close, self.size, self.state)
        if key == self._drawn:
            return
        self._drawn = key
        colours, width = themed(self.app), max(20, self.size.width - 2)
        self.query_one("#watch-title", Static).update(heading(sight, moment, self.state, width, colours))
        box = self.query_one("#watch-facts")
        self.query_one("#watch-facts", Static).update(
            facts(sight, moment, self._layers, max(4, box.size.height), colours)
        )
        span = window(sight, moment, round(CLOSE_S * sight.history.fps) if self._close else None)
        votes = self.query_one(VoteStrip)
        votes.show(sight.votes, sight.events, sight.history.asked, span, moment.frame)
        seconds, state, action, predicted = series(sight, moment, span)
        notes = tuple(map(joint_note, sight.tracked))
        self.query_one(JointPlot).show(seconds, state, action, moment.time, predicted, notes)

    def _look_at(self) -> None:
        """Ask for pictures of the moment, and show the newest with the lines of the moment."""
        sight, moment = self._sight, self.moment
        if sight is None or moment is None or not self.is_current:
            return
        if self._views is None and not self._sightless:
            self._open_views(sight)
        views = self._views
        if views is None:
            return
        views.want(moment.physics, self._camera.orbit(moment.tip))
        pictures = views.pictures()
        if views.error:
            self._blind(views.error)
        if pictures is None:
            return
        key = (sight, moment.frame, self._layers)
        if key != self._strands[0]:
            self._strands = (key, strands(sight, moment, self._layers))
        for name, image in pictures.items():
            view = self.query_one("#watch-overhead" if name == OVERHEAD else "#watch-free", WhiskerView)
            view.see(image, views.eyes()[name], self._strands[1])

    def _blind(self, why: str) -> None:
        self._sightless = True
        for view in self.query(WhiskerView):
            view.empty = why
            view.show(None)

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not shown."""
        if action in ("run", "step", "event", "end", "go_on"):
            return self._sight is not None
        if action == "layer" and self._sight is not None and parameters[0] == "samples":
            return bool(self._sight.history.told["samples"])
        return True

    def action_run(self) -> None:
        """Run or pause; from the last frame of an episode that is over, run it again from the first."""
        assert self._sight is not None
        self._plays, self._since, self._wanted = not self._plays, time.monotonic(), None
        if self._plays and not self._watching.live and self._watching.at == len(self._sight.history) - 1:
            self._to(0)
        if not self._plays:
            # No more than is there by now.
            self._watching.until(self._watching.at)
        self._drawn = None
        self._draw()

    def action_step(self, frames: int) -> None:
        """So many frames on or back, and pause."""
        start = self._watching.at if self._wanted is None else self._wanted
        self._plays = False
        self._to(start + frames)

    def action_end(self, where: int) -> None:
        """To the first frame, or the last one made."""
        assert self._sight is not None
        self._plays = False
        self._to(0 if where == 0 else len(self._sight.history) - 1)

    def action_event(self, way: int) -> None:
        """To the next thing that happened, or the one before."""
        assert self._sight is not None
        self._plays = False
        last = len(self._sight.history) - 1
        # An event of the end is seen in the last frame, and is then behind.
        happened = [event for event in self._sight.events if not (way > 0 and min(event.frame, last) <= self._at)]
        found = next_event(happened, self._at, back=way < 0)
        if found is None:
            self.notify("Nothing happened after this frame." if way > 0 else "Nothing happened before it.", timeout=2)
            self._to(self._at)
            return
        self._to(min(found.frame, last))

    @property
    def _at(self) -> int:
        return self._watching.at

    def action_layer(self, name: str) -> None:
        """Leave something out of the pictures, or show it again."""
        self._layers ^= {name}
        self.notify(f"{LAYERS[name]} {'on' if name in self._layers else 'off'}", timeout=1.5)
        self._draw()

    def action_zoom(self) -> None:
        """Graphs of four seconds around the moment, or of the whole episode."""
        self._close = not self._close
        self._draw()

    def action_layout(self) -> None:
        """Both pictures, or one of them larger."""
        self._layout = (self._layout + 1) % len(LAYOUTS)
        self._lay_out()

    def action_turn(self, azimuth: float, elevation: float, distance: float) -> None:
        """Go around with the free camera."""
        self._camera = self._camera.turned(azimuth, elevation, distance)

    def action_follow(self) -> None:
        """Look at the gripper wherever it goes, or at the table."""
        self._camera = replace(self._camera, follows=not self._camera.follows)

    def action_go_on(self) -> None:
        """Ask what shall be otherwise from here on."""
        sight = self._sight
        assert sight is not None
        self._plays = False
        self._draw()
        sheet = go_on_sheet(sight.history, self._at, live=self._watching.live)

        def take(words: list[str] | None) -> None:
            if words is not None:
                self._watching.go_on(self._at, words)
                self.look_now()

        self.app.push_screen(sheet, take)

    def action_back(self) -> None:
        """Leave; what was made meanwhile is kept, and its folder is said."""
        watching, app = self._watching, self.shell
        super().action_back()
        if watching.process is not None:
            app.run_worker(partial(_close, app, watching), thread=True, exit_on_error=False)


def _close(app: Any, watching: Watching) -> None:
    """Wait beside the screens until a process has kept what it made; for a thread."""
    kept: Path | None = watching.close()
    if kept is not None:
        app.call_from_thread(app.notify, f"Kept in {path_words(kept)}; W lists what was watched.", markup=False)
