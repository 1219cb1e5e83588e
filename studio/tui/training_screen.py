"""A training as it goes: its loss curve, pace, checkpoints and last words; from here it is stopped and gone on with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from curation.errors import StudioError
from studio.jobs import Job, State
from studio.tui.following import Following, name_of
from studio.tui.messages import TrainingSeen
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.training_sight import TrainingSight, TrainingWatch
from studio.tui.training_words import advance, heading, kept_words, numbers, verdict
from studio.tui.widgets.bars import TopBar
from studio.tui.widgets.log_tail import LogTail
from studio.tui.widgets.loss_plot import NONE, LossPlot
from studio.tui.widgets.outcome_bar import progress_bar
from studio.tui.words import cut
from training.runs import Run
from training.stopping import ask_to_stop

POLL_S = 0.7
"""How often the folder is looked at [s]."""


class TrainingScreen(StudioScreen):
    """Follows one training, whoever started it."""

    NAME = "training"
    HELP = (
        "The loss of every logged step; triangles are checkpoints. A stop asks for a checkpoint first, and going on "
        "leads to the same numbers as if nothing had happened. It goes on when the studio is closed."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop"),
        Binding("r", "resume", "go on"),
        Binding("e", "evaluate", "evaluate"),
        Binding("l", "wide", "log only"),
        Binding("end,G", "follow", "follow the log", show=False),
        Binding("R", "runs", "runs"),
        Binding("n", "train", "train anew"),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if not isinstance(place.what, Following):
            raise TypeError("the training screen follows a training")
        self._following = place.what
        self._watch: TrainingWatch | None = None
        self._sight: TrainingSight | None = None
        self._job: Job | None = None
        self._asked = False

    def body(self) -> Iterable[Widget]:
        with Vertical(id="training-head"):
            yield Static(id="training-title", markup=False)
            yield Static(id="training-bar", markup=False)
            yield Static(id="training-verdict", markup=False)
        with Horizontal(id="training-middle"):
            yield LossPlot(id="training-plot")
            yield Static(id="training-numbers", markup=False)
        with Vertical(id="training-foot"):
            yield LogTail(id="training-log")

    def on_mount(self) -> None:
        self.query_one(LogTail).focus()
        self.look_now()
        self.look_every(POLL_S)

    def on_screen_resume(self) -> None:
        self.look_now()

    def look(self) -> None:
        following, job = self._following.at(self.studio.jobs.all())
        if following.folder is not None and following.folder != self._following.folder:
            self._watch = None
        if self._watch is None and following.folder is not None:
            self._watch = TrainingWatch(following.folder)
        sight = self._watch.look() if self._watch is not None else None
        said = job.log(20_000) if job is not None else ""
        self.post_message(TrainingSeen(following, job, sight, said))

    @on(TrainingSeen)
    def _show(self, message: TrainingSeen) -> None:
        self._following, self._job, self._sight = message.following, message.job, message.sight
        if self.state not in ("running", "stopping"):
            self._asked = False
        self.query_one(TopBar).name_dataset(message.following.folder)
        self._draw(message.said)
        self.refresh_bindings()

    @property
    def state(self) -> str:
        """Of the training, or of the job that is about to begin it."""
        job, sight = self._job, self._sight
        if sight is None or sight.state == "starting":
            if job is None:
                return "starting" if self._following.folder is None else "damaged"
            return "starting" if not job.state.over else "failed" if job.state is State.FAILED else job.state.value
        if sight.state == "running":
            asked = self._asked or (job is not None and job.state is State.STOPPING)
            return "stopping" if asked else "running"
        goes_on = job is not None and job.state is State.RUNNING and sight.state in ("stopped", "killed", "failed")
        return "starting" if goes_on else sight.state

    def _draw(self, said: str) -> None:
        colours, width, state, sight = themed(self.app), max(20, self.size.width - 2), self.state, self._sight
        begun = sight is not None and sight.state != "starting"
        log = sight.said if sight is not None and sight.said else said
        self.query_one(LogTail).show(f"{self._following.folder}{begun}", log)
        title, bar, told = (self.query_one(f"#training-{name}", Static) for name in ("title", "bar", "verdict"))
        if sight is None or not begun:
            self._draw_waiting(state, said, width)
            return
        title.update(heading(sight, state, width, colours))
        bar.update(advance(sight, state, width, colours))
        words = verdict(sight, state, colours)
        told.update(words)
        told.display = bool(words.plain)
        empty = "no loss logged yet" if state == "running" else "no loss was logged"
        self.query_one(LossPlot).show(sight.points, sight.held_out, sight.kept, empty)
        seconds = self._job.seconds(self.studio.clock()) if self._job is not None else None
        if state == "damaged":
            self.query_one("#training-numbers", Static).update("")
            return
        facts = numbers(sight, seconds, colours)
        kept = kept_words(sight.kept, sight.broken, colours)
        self.query_one("#training-numbers", Static).update(Group(facts, Text(), kept))

    def _draw_waiting(self, state: str, said: str, width: int) -> None:
        """Before there is a folder: what the job says."""
        colours = themed(self.app)
        job = self._job
        lines = [line for line in said.splitlines() if line.strip()]
        now = lines[-1] if lines and state != "starting" else (job.progress.text if job is not None else "")
        name = self._following.folder.name if self._following.folder else job.id if job is not None else ""
        title = Text(cut(name, width - 12), f"bold {colours['foreground']}")
        title.append(f"  {'nothing is there' if state == 'damaged' else state}", colours["muted"])
        self.query_one("#training-title", Static).update(title)
        share = job.progress.share if job is not None and state == "starting" else 0.0
        bar = progress_bar(share, width, colours["accent"], colours["line"])
        self.query_one("#training-bar", Static).update(bar)
        told = self.query_one("#training-verdict", Static)
        told.display = bool(now)
        told.update(Text(now, colours["error" if state == "failed" else "muted"]))
        self.query_one(LossPlot).show(NONE, empty="waiting for the first loss" if state == "starting" else " ")
        self.query_one("#training-numbers", Static).update("")

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not shown."""
        if not self.is_mounted:
            return True
        match action:
            case "stop":
                return self.state == "running" or (self.state == "starting" and self._job is not None)
            case "resume":
                return self.state in ("stopped", "killed", "failed") and bool(self._sight and self._sight.kept)
            case "evaluate":
                return bool(self._sight and self._sight.kept)
        return True

    def action_stop(self) -> None:
        """Ask for a checkpoint and the end."""
        try:
            if self._job is not None and not self._job.state.over:
                self.studio.jobs.cancel(self._job.id)
            elif self._sight is not None:
                ask_to_stop(Run(self._sight.folder))
        except StudioError as error:
            self.shell.tell(error)
            return
        self._asked = True
        if self._sight is not None:
            name = name_of(self._sight.folder)
            self.notify(f"{name} writes a checkpoint and stops. studio train --resume {name} goes on.", markup=False)
        self.look_now()

    def action_resume(self) -> None:
        """Go on from the last whole checkpoint."""
        folder = self._following.folder
        if folder is not None and (job := self.begin(["train", "--resume", name_of(folder)])):
            self._following = Following(folder, job.id)
            self.look_now()

    def action_evaluate(self) -> None:
        """Ask how this policy shall be evaluated."""
        if self._following.folder is not None:
            self.shell.go(Place("evaluate", None, name_of(self._following.folder)))

    def action_wide(self) -> None:
        """Give the log the whole screen, or not."""
        wide = not self.has_class("-all")
        self.set_class(wide, "-all")
        for part in ("#training-head", "#training-middle"):
            self.query_one(part).display = not wide

    def action_follow(self) -> None:
        """Go to the end of the log and stay there."""
        self.query_one(LogTail).follow()

    def action_runs(self) -> None:
        """Show every training."""
        self.shell.go(Place("runs"))

    def action_train(self) -> None:
        """Ask for another training, on the same dataset."""
        data = dict(self._sight.told.get("dataset") or {}) if self._sight is not None else {}
        self.shell.go(Place("train", Path(data["path"]) if data.get("path") else None))
