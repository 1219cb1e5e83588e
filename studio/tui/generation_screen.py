"""A generation as it goes, or as it went: what is kept where, what is not and why, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from curation.errors import StudioError
from studio.jobs import Job, State
from studio.tui.evaluation_sight import window_of
from studio.tui.evaluation_words import AsWide
from studio.tui.following import Following
from studio.tui.generation_sight import GenerationSight, GenerationWatch, Measure, shades_of, spots_of
from studio.tui.generation_words import advance, asked_words, heading, legend, positions, rates, unproven_words, why_not
from studio.tui.maps import MapHolder
from studio.tui.messages import GenerationSeen
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.bars import TopBar
from studio.tui.widgets.table_kinds import WHOLE

POLL_S = 0.7
"""How often the dataset is looked at [s]."""


class GenerationScreen(StudioScreen):
    """Follows one `studio generate`, whoever started it."""

    NAME = "generation"
    HELP = (
        "Every attempt as it is logged, kept or not, and why. The map shows the yield of each position: what was "
        "accepted, or with m what succeeded, and how often a classifier that decides was right, as far as the truth is "
        "known. Rates stand with count and 95 % interval."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop"),
        Binding("r", "resume", "go on"),
        Binding("m", "measure", "other rate"),
        Binding("z", "zoom", "closer, or all"),
        Binding("t", "triage", "triage"),
        Binding("o", "library", "episodes"),
        Binding("pagedown,down", "scroll(4)", "down", show=False),
        Binding("pageup,up", "scroll(-4)", "up", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._following = place.what if isinstance(place.what, Following) else Following(place.dataset)
        self._watch: GenerationWatch | None = None
        self._sight: GenerationSight | None = None
        self._job: Job | None = None
        self._close = True
        self._measure: Measure = "kept"
        self._drawn: object = None

    def body(self) -> Iterable[Widget]:
        with Vertical(id="evaluation-head"):
            yield Static(id="generation-title", markup=False)
            yield Static(id="generation-bar", markup=False)
            yield Static(id="generation-verdict", markup=False)
        with Horizontal(id="evaluation-middle"):
            with Vertical(id="evaluation-left"):
                yield MapHolder(id="evaluation-map")
                yield Static(id="generation-legend")
            with VerticalScroll(id="evaluation-side", can_focus=False):
                yield Static(id="evaluation-facts", markup=False)

    def on_mount(self) -> None:
        self.look_now()
        self.look_every(POLL_S)

    def on_screen_resume(self) -> None:
        self.look_now()

    def look(self) -> None:
        following, job = self._following.at(self.studio.jobs.all())
        if following.folder is not None and (self._watch is None or following.folder != self._following.folder):
            self._watch = GenerationWatch(following.folder)
        sight = self._watch.look() if self._watch is not None else None
        self.post_message(GenerationSeen(following, job, sight, job.log(4000) if job is not None else ""))

    @on(GenerationSeen)
    def _show(self, message: GenerationSeen) -> None:
        self._following, self._job, self._sight = message.following, message.job, message.sight
        self.query_one(TopBar).name_dataset(message.following.folder)
        colours, width, state = themed(self.app), max(20, self.size.width - 2), self.state
        name = message.following.folder.name if message.following.folder is not None else ""
        self.query_one("#generation-title", Static).update(heading(self._sight, name, state, width, colours))
        self.query_one("#generation-bar", Static).update(advance(self._sight, self._job, state, width, colours))
        told = self.query_one("#generation-verdict", Static)
        words, colour = self._verdict(state, message.said)
        told.display = bool(words)
        told.update(Text(words, colours[colour]))
        self._draw()
        self.refresh_bindings()

    @property
    def state(self) -> str:
        """running, stopping, stopped, failed, lost, done, starting, damaged; or at rest where nobody knows more."""
        sight, job = self._sight, self._job
        if sight is not None and sight.wrong:
            return "damaged"
        if job is not None and not job.state.over:
            begun = sight is not None and sight.found is not None
            return "stopping" if job.state is State.STOPPING else "running" if begun else "starting"
        if sight is not None and sight.held:
            return "running"
        if job is not None:
            return "stopped" if job.state is State.CANCELLED else job.state.value
        if sight is None or sight.found is None:
            return "starting"
        wanted = sight.found.wanted
        return "at rest" if wanted is None else "done" if sight.made >= wanted else "stopped"

    def _verdict(self, state: str, said: str) -> tuple[str, str]:
        """What to do now, in words, and their colour."""
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
        command = self._job.command if self._job is not None else ""
        match state:
            case "damaged":
                return self._sight.wrong if self._sight is not None else "", "error"
            case "failed" | "lost":
                return f"{last} r goes on: {command}", "error"
            case "stopped":
                way = f"r goes on: {command}" if command else "The command that began it goes on, with equal attempts."
                return f"Stopped; every attempt is on file. {way}", "warning"
            case "stopping":
                return "Asked to stop; every finished attempt is on file.", "warning"
            case "starting":
                return self._job.progress.text or "loading ..." if self._job is not None else "", "muted"
            case "running" if self._job is None:
                return "Another process makes it, and stops it.", "muted"
            case "done" if self._sight is not None and self._sight.found is not None and self._sight.found.unproven:
                return unproven_words(self._sight.found), "warning"
        return "", "muted"

    def _draw(self) -> None:
        """Map, rates, reasons and positions."""
        sight = self._sight
        if sight is None:
            return
        key = (sight, self.size, self._close, self._measure)
        if key == self._drawn:
            return
        self._drawn = key
        colours, measure = themed(self.app), self._measure
        spots = spots_of(sight, measure)
        window = window_of(spots) if self._close else None
        table = self.query_one(MapHolder)
        table.scene(sight.scene or None)
        table.spots(spots, window=window or WHOLE, mixing=True, shades=shades_of(sight, measure))
        self.query_one("#generation-legend", Static).update(legend(measure, colours))
        parts: list[RenderableType] = [
            rates(sight, colours),
            AsWide(lambda width: why_not(sight, width, colours)),
            AsWide(lambda width: positions(sight, measure, width, colours)),
            asked_words(sight.found, colours),
        ]
        self.query_one("#evaluation-facts", Static).update(Group(*parts))

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not shown."""
        if not self.is_mounted:
            return True
        match action:
            case "stop":
                return self._job is not None and self._job.state is State.RUNNING
            case "resume":
                return self._job is not None and self.state in ("stopped", "failed", "lost")
            case "zoom":
                return self._sight is not None and window_of(spots_of(self._sight, self._measure)) is not None
            case "triage" | "library":
                return self._sight is not None and self._sight.found is not None
        return True

    def action_stop(self) -> None:
        """Ask it to end; finished attempts stay."""
        if self._job is None:
            return
        try:
            self.studio.jobs.cancel(self._job.id)
        except StudioError as error:
            self.shell.tell(error)
            return
        self.notify("Asked to stop; r goes on with the attempts that are missing.")
        self.look_now()

    def action_resume(self) -> None:
        """The same command again: it makes what is missing."""
        if self._job is None:
            return
        words = list(self._job.argv)
        if "--attempts" not in words and "--resume" not in words and self._sight is not None and self._sight.found:
            words.append("--resume")
        if job := self.begin(words):
            self._following = Following(self._following.folder, job.id)
            self.look_now()

    def action_measure(self) -> None:
        """Show another number on the map."""
        order = self._sight.measures if self._sight is not None else ("kept",)
        at = order.index(self._measure) if self._measure in order else -1
        self._measure = order[(at + 1) % len(order)]
        self._draw()

    def action_zoom(self) -> None:
        """Look at the positions from close, or at the whole table."""
        self._close = not self._close
        self._draw()

    def action_triage(self) -> None:
        """Look through what was kept."""
        self.shell.go(Place("triage", self._following.folder))

    def action_library(self) -> None:
        """Show what was kept."""
        self.shell.go(Place("library", self._following.folder))

    def action_scroll(self, lines: int) -> None:
        """Look further down or up the numbers."""
        self.query_one("#evaluation-side").scroll_relative(y=lines, animate=False)
