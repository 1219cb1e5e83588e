"""Runs: every training and evaluation, what they are of and what came of them; here they are stopped and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from curation.errors import StudioError
from studio.jobs import Job
from studio.paths import runs_home
from studio.tui.filtered import FilteredScreen
from studio.tui.following import Following, name_of
from studio.tui.messages import LedgerRead
from studio.tui.runs_columns import columns, words
from studio.tui.runs_diff import DiffScreen
from studio.tui.runs_read import DAMAGED, EVALUATED, TRAINING, Entry, RunsRead, filtered
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.watch_ask import checkpoint_sheet
from studio.tui.watching import Watching
from studio.tui.widgets.bars import TopBar
from studio.tui.widgets.rows import Rows
from studio.tui.words import counted
from training.ledger import Line
from training.stopping import ask_to_stop

POLL_S = 2.0
"""How often folders are looked at [s]."""
EMPTY = (
    "Nothing was trained yet.\n\n"
    "n trains a policy on a dataset:   studio train DATASET --to NAME\n"
    "e evaluates one from elsewhere:   studio evaluate hf:owner/name"
)


class RunsScreen(FilteredScreen):
    """The ledger above, the highlighted line in full below."""

    NAME = "runs"
    HELP = (
        "Trainings with their evaluations below them; the rate of a training is of its largest one as trained, with "
        "count and 95 % interval. Space marks two, d shows what differs. Filter: words that occur, or state:done, "
        "policy:act, dataset:pos2, run:near, kind:evaluation."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open"),
        Binding("slash", "filter", "filter"),
        Binding("space", "mark", "mark"),
        Binding("d", "differ", "what differs"),
        Binding("s", "stop", "stop"),
        Binding("r", "resume", "go on"),
        Binding("e", "evaluate", "evaluate"),
        Binding("m", "report", "report"),
        Binding("n", "train", "train"),
        Binding("w", "watch", "watch it think"),
        Binding("j", "jobs", "jobs", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._reader = RunsRead(runs_home())
        self._all: list[Entry] | None = None
        self._jobs: list[Job] = []
        self._marked: list[str] = []

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="runs-top"):
            yield Input(placeholder="/ filters: act state:done dataset:pos2", compact=True, id="filter")
            yield Static(id="runs-counts")
        yield Static(id="filter-error", classes="error", markup=False)
        shown = columns(lambda entry: str(entry.folder) in self._marked, self.studio.clock, themed(self.app))
        yield Rows(shown, lambda entry: entry.kind == EVALUATED, id="runs")
        yield Static(EMPTY, id="runs-empty", classes="hint", markup=False)
        yield Static(id="run-words", markup=False)

    def on_mount(self) -> None:
        self.query_one("#filter-error").display = False
        self.query_one("#runs-empty").display = False
        self.query_one(Rows).focus()
        self.look_now()
        self.look_every(POLL_S)

    # Reading

    def on_screen_resume(self) -> None:
        self.look_now()

    def look(self) -> None:
        self.post_message(LedgerRead(self._reader.entries(), self.studio.jobs.all()))

    @on(LedgerRead)
    def _show_read(self, message: LedgerRead) -> None:
        self._all, self._jobs = message.entries, message.jobs
        self.show_rows()

    def show_rows(self) -> None:
        """Filter, and keep the cursor on its line."""
        everything = self._all or []
        rows = self.query_one(Rows)
        before = self.chosen
        listed = [entry for entry in everything if self.fits(entry)]
        folders = [entry.folder for entry in listed]
        rows.show(listed, folders.index(before.folder) if before and before.folder in folders else rows.cursor)
        there = bool(everything)
        rows.display = self.query_one("#run-words").display = self.query_one("#runs-top").display = there
        self.query_one("#runs-empty").display = not there
        trainings = sum(entry.kind == TRAINING for entry in listed)
        counts = f"{counted(trainings, 'training')} · {counted(len(listed) - trainings, 'evaluation')}"
        marks = f" · {len(self._marked)} marked" if self._marked else ""
        self.query_one("#runs-counts", Static).update(counts + marks)
        self.query_one(TopBar).show_jobs(sum(not job.state.over for job in self._jobs))
        self.refresh_bindings()

    @on(Rows.Highlighted)
    def _highlighted(self, message: Rows.Highlighted) -> None:
        shown = words(message.item, self.size.width - 4, themed(self.app))
        self.query_one("#run-words", Static).update(shown)
        self.refresh_bindings()

    @on(Rows.Chosen)
    def _chosen(self) -> None:
        self.action_open()

    @property
    def chosen(self) -> Entry | None:
        """The highlighted line."""
        entry: Entry | None = self.query_one(Rows).item
        return entry

    # Filter and marks

    def tested(self, text: str) -> Callable[[Entry], bool]:
        return filtered(text)

    def action_mark(self) -> None:
        """Mark or unmark the highlighted training; of three the first loses its mark."""
        entry = self.chosen
        if entry is None or entry.kind != TRAINING or entry.wrong:
            return
        name = str(entry.folder)
        self._marked = [other for other in self._marked if other != name] + [name] * (name not in self._marked)
        self._marked = self._marked[-2:]
        self.query_one(Rows).action_cursor(1)
        self.show_rows()

    def action_differ(self) -> None:
        """Show what differs between the two marked trainings."""
        lines = {str(e.folder): e.line for e in self._all or [] if e.kind == TRAINING and e.line is not None}
        pair = [line for name in self._marked if (line := lines.get(name)) is not None]
        if len(pair) == 2:
            self.app.push_screen(DiffScreen(pair[0], pair[1], list(lines.values())))

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing for the highlighted line are not shown."""
        if not self.is_mounted:
            return True
        entry = self.chosen
        training = entry is not None and entry.kind == TRAINING and not entry.wrong
        match action:
            case "filter":
                return bool(self._all)
            case "open":
                return entry is not None
            case "mark":
                return training
            case "differ":
                return len(self._marked) == 2
            case "stop":
                return entry is not None and (entry.state == "running" or self._job_of(entry) is not None)
            case "resume":
                return training and entry is not None and entry.state in ("stopped", "killed", "failed")
            case "watch":
                return entry is not None and entry.line is not None and not entry.wrong
            case "evaluate":
                return entry is None or entry.state != DAMAGED
            case "report":
                return entry is not None and not entry.wrong and _rated(entry)
        return True

    def _job_of(self, entry: Entry) -> Job | None:
        """The job that writes this folder now."""
        _, job = Following(entry.folder).at(self._jobs)
        return job if job is not None and not job.state.over else None

    def action_open(self) -> None:
        """Look at the training or evaluation."""
        entry = self.chosen
        if entry is not None:
            screen = "training" if entry.kind == TRAINING else "evaluation"
            self.shell.go(Place(screen, None, Following(entry.folder)))

    def action_stop(self) -> None:
        """Ask it to end: a training with a checkpoint, an evaluation with every finished episode."""
        entry = self.chosen
        if entry is None:
            return
        try:
            if job := self._job_of(entry):
                self.studio.jobs.cancel(job.id)
            elif entry.line is not None:
                ask_to_stop(entry.line.run)
        except StudioError as error:
            self.shell.tell(error)
            return
        name = name_of(entry.folder)
        how = f"studio train --resume {name} goes on." if entry.kind == TRAINING else "The same command goes on."
        self.notify(f"{entry.folder.name} is asked to stop. {how}", markup=False)
        self.look_now()

    def action_resume(self) -> None:
        """Go on with a training from its last whole checkpoint."""
        entry = self.chosen
        if entry is not None and (job := self.begin(["train", "--resume", name_of(entry.folder)])):
            self.shell.go(Place("training", None, Following(entry.folder, job.id)))

    def action_evaluate(self) -> None:
        """Ask how the highlighted policy shall be evaluated."""
        entry = self.chosen
        if entry is None or entry.line is None:
            self.shell.go(Place("evaluate", None, None))
            return
        self.shell.go(Place("evaluate", None, _checkpoint(entry, entry.line)))

    def action_watch(self) -> None:
        """Ask where, and watch the highlighted policy think."""
        entry = self.chosen
        if entry is None or entry.line is None:
            return

        def go(words: list[str] | None) -> None:
            if words is not None:
                self.shell.go(Place("watch", None, Watching(words=words)))

        self.app.push_screen(checkpoint_sheet(_checkpoint(entry, entry.line)), go)

    def action_report(self) -> None:
        """Make a page about it, in a job."""
        entry = self.chosen
        if entry is None:
            return
        about = entry.folder
        name = name_of(about) if entry.kind == TRAINING else entry.evaluation.name if entry.evaluation else str(about)
        if job := self.begin(["report", name]):
            self.shell.go(Place("jobs", None, job.id))

    def action_train(self) -> None:
        """Ask for a training."""
        self.shell.go(Place("train"))

    def action_jobs(self) -> None:
        """Show what runs in the background."""
        self.shell.go(Place("jobs"))


def _checkpoint(entry: Entry, line: Line) -> str:
    """The checkpoint of a line, as the command line names it."""
    name = name_of(line.run.folder)
    step = entry.evaluation.step if entry.evaluation is not None else None
    return name if step is None else f"{name}@{step:06d}"


def _rated(entry: Entry) -> bool:
    """Whether there is an episode to report."""
    if entry.evaluation is not None:
        return bool(entry.evaluation.rows)
    return entry.line is not None and any(one.rows for one in entry.line.evaluations)
