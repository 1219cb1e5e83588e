"""An evaluation as it goes, or as it went: where episodes succeeded, how they ended, and how sure the rate is."""

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
from studio.tui.evaluation_sight import EvaluationSight, EvaluationWatch, spots_of, window_of
from studio.tui.evaluation_words import AsWide, advance, heading, legend, more, outcomes, rates
from studio.tui.following import Following
from studio.tui.maps import MapHolder
from studio.tui.messages import EvaluationSeen
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.watch_rows import RowSheet
from studio.tui.watching import Watching
from studio.tui.widgets.table_kinds import WHOLE

POLL_S = 0.7
"""How often the folder is looked at [s]."""
LABELS_FROM = 120
"""Columns of the terminal from which cells say how many of their episodes succeeded."""


class EvaluationScreen(StudioScreen):
    """Follows one evaluation, whoever started it."""

    NAME = "evaluation"
    HELP = (
        "Every row as it is written. The map shows where the block was put; cells with several episodes say how many "
        "of them succeeded. Success counts where the arm can do it, with count and 95 % interval, under the "
        "conditions named below."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop"),
        Binding("r", "resume", "go on"),
        Binding("z", "zoom", "closer, or all"),
        Binding("m", "report", "make a report"),
        Binding("e", "evaluate", "evaluate again"),
        Binding("R", "runs", "runs"),
        Binding("w", "watch", "watch one"),
        Binding("pagedown,down", "scroll(4)", "down", show=False),
        Binding("pageup,up", "scroll(-4)", "up", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if not isinstance(place.what, Following):
            raise TypeError("the evaluation screen follows an evaluation")
        self._following = place.what
        self._watch: EvaluationWatch | None = None
        self._sight: EvaluationSight | None = None
        self._job: Job | None = None
        self._close = True
        self._drawn: object = None

    def body(self) -> Iterable[Widget]:
        with Vertical(id="evaluation-head"):
            yield Static(id="evaluation-title", markup=False)
            yield Static(id="evaluation-bar", markup=False)
            yield Static(id="evaluation-verdict", markup=False)
        with Horizontal(id="evaluation-middle"):
            with Vertical(id="evaluation-left"):
                yield MapHolder(id="evaluation-map")
                yield Static(legend(themed(self.app)), id="evaluation-legend")
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
            self._watch = EvaluationWatch(following.folder)
        sight = self._watch.look() if self._watch is not None else None
        self.post_message(EvaluationSeen(following, job, sight, job.log(4000) if job is not None else ""))

    @on(EvaluationSeen)
    def _show(self, message: EvaluationSeen) -> None:
        self._following, self._job, self._sight = message.following, message.job, message.sight
        colours, width, state = themed(self.app), max(20, self.size.width - 2), self.state
        name = message.job.argv[1] if message.job is not None and len(message.job.argv) > 1 else ""
        self.query_one("#evaluation-title", Static).update(heading(self._sight, name, state, width, colours))
        self.query_one("#evaluation-bar", Static).update(advance(self._sight, self._job, state, width, colours))
        told = self.query_one("#evaluation-verdict", Static)
        words, colour = self._verdict(state, message.said)
        told.display = bool(words)
        told.update(Text(words, colours[colour]))
        self._draw()
        self.refresh_bindings()

    @property
    def state(self) -> str:
        """running, stopping, stopped, failed, done, starting, damaged; or at rest where no job is known."""
        running = self._job is not None and not self._job.state.over
        if self._sight is not None and self._sight.evaluation is None and running:
            return "starting"
        if self._sight is not None and self._sight.wrong:
            return "damaged"
        if self._job is None:
            return "at rest" if self._sight is not None else "starting"
        match self._job.state:
            case State.RUNNING:
                return "starting" if self._sight is None else "running"
            case State.CANCELLED:
                return "stopped"
            case state:
                return state.value

    def _verdict(self, state: str, said: str) -> tuple[str, str]:
        """What to do now, in words, and their colour."""
        command = self._job.command if self._job is not None else ""
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
        match state:
            case "damaged":
                return self._sight.wrong if self._sight is not None else "", "error"
            case "failed" | "lost":
                return f"{last} r tries again: {command}", "error"
            case "stopped":
                return f"Stopped. r goes on with the episodes that are missing: {command}", "warning"
            case "stopping":
                return "Asked to stop; every finished episode is on disk.", "warning"
            case "starting":
                return self._job.progress.text if self._job is not None else "", "muted"
        return "", "muted"

    def _draw(self) -> None:
        """Map, rates and outcomes."""
        sight = self._sight
        if sight is None or sight.evaluation is None:
            return
        key = (len(sight.rows), sight.wrong, self.size.width, self._close)
        if key == self._drawn:
            return
        self._drawn = key
        colours = themed(self.app)
        spots = spots_of(sight.rows, labels=self.size.width >= LABELS_FROM)
        window = window_of(spots) if self._close else None
        table = self.query_one(MapHolder)
        table.scene(dict(sight.evaluation.told.get("scene") or {}).get("scene"))
        table.spots(spots, window=window or WHOLE, mixing=True)
        parts: list[RenderableType] = [Text("no episode is finished yet\n", colours["muted"])]
        if sight.rows:
            parts = [rates(sight, colours), AsWide(lambda width: outcomes(sight, width, colours))]
        parts.append(more(sight, colours))
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
                return self._job is not None and self._job.argv[:1] == ("evaluate",) and self.state in (
                    "stopped", "failed", "lost"
                )  # fmt: skip
            case "zoom":
                return self._sight is not None and window_of(spots_of(self._sight.rows)) is not None
            case "report" | "watch":
                return self._sight is not None and bool(self._sight.rows)
        return True

    def action_stop(self) -> None:
        """Ask it to end; finished episodes stay."""
        if self._job is None:
            return
        try:
            self.studio.jobs.cancel(self._job.id)
        except StudioError as error:
            self.shell.tell(error)
            return
        self.notify("Asked to stop; r goes on with the episodes that are missing.")
        self.look_now()

    def action_resume(self) -> None:
        """The same command again: it runs what is missing."""
        if self._job is not None and (job := self.begin(self._job.argv)):
            self._following = Following(self._following.folder, job.id)
            self.look_now()

    def action_zoom(self) -> None:
        """Look at the placements from close, or at the whole table."""
        self._close = not self._close
        self._draw()

    def action_report(self) -> None:
        """Make a page about it, in a job."""
        evaluation = self._sight.evaluation if self._sight is not None else None
        if evaluation is None:
            return
        if job := self.begin(["report", evaluation.name if evaluation.run else str(evaluation.folder)]):
            self.shell.go(Place("jobs", None, job.id))

    def action_watch(self) -> None:
        """Ask which episode, and watch the policy think in it again."""
        if self._sight is None or self._sight.evaluation is None:
            return
        folder = self._sight.folder

        def go(row: int | None) -> None:
            if row is not None:
                self.shell.go(Place("watch", None, Watching(words=["watch", "--row", f"{folder}:{row}"])))

        self.app.push_screen(RowSheet(self._sight.rows), go)

    def action_evaluate(self) -> None:
        """Ask for another evaluation of the same checkpoint."""
        evaluation = self._sight.evaluation if self._sight is not None else None
        self.shell.go(Place("evaluate", None, evaluation.name if evaluation is not None else None))

    def action_runs(self) -> None:
        """Show every training and evaluation."""
        self.shell.go(Place("runs"))

    def action_scroll(self, lines: int) -> None:
        """Look further down or up the numbers."""
        self.query_one("#evaluation-side").scroll_relative(y=lines, animate=False)
