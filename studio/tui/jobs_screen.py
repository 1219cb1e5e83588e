"""Jobs: what runs in the background, how far it is, what it says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from curation.errors import StudioError
from studio.jobs import Job, State
from studio.tui.following import Following
from studio.tui.messages import JobsRead
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.bars import TopBar
from studio.tui.widgets.log_tail import LogTail
from studio.tui.widgets.outcome_bar import progress_bar
from studio.tui.widgets.rows import Column, Rows
from studio.tui.words import clock_words

POLL_S = 0.7
"""How often the jobs are looked at [s]."""
FOLLOWED = {"train": "training", "evaluate": "evaluation", "generate": "generation"}
"""Commands with a screen of their own."""
_LOOKS = {
    State.RUNNING: "accent",
    State.STOPPING: "warning",
    State.DONE: "success",
    State.FAILED: "error",
    State.CANCELLED: "warning",
    State.LOST: "error",
}


class JobsScreen(StudioScreen):
    """The table of jobs and the log of the highlighted one."""

    NAME = "jobs"
    HELP = (
        "Commands in the background. They go on when the studio is closed; a cancelled one ends as after Ctrl+C, "
        "and what it kept is saved."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "look at it"),
        Binding("c,delete", "cancel", "cancel"),
        Binding("l", "wide", "log only"),
        Binding("end,G", "follow", "follow the log", show=False),
        Binding("n", "record", "new"),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._wanted: str = place.what if isinstance(place.what, str) else ""

    def body(self) -> Iterable[Widget]:
        with Vertical(id="jobs-all"):
            yield Rows(self._columns(), lambda job: False, id="jobs")
            yield Static(id="jobs-empty", classes="hint")
        with Vertical(id="jobs-one"):
            yield Static(id="job-command", markup=False)
            yield LogTail(id="job-log")

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        self._read()
        self.set_interval(POLL_S, self._poll)

    def on_screen_resume(self) -> None:
        self._read()

    def _poll(self) -> None:
        """Look again, unless another screen is in front: a recording must not be disturbed."""
        if self.is_current:
            self._read()

    @work(thread=True, exclusive=True, group="jobs")
    def _read(self) -> None:
        self.post_message(JobsRead(self.studio.jobs.all()))

    @on(JobsRead)
    def _show(self, message: JobsRead) -> None:
        rows = self.query_one(Rows)
        names = [job.id for job in message.jobs]
        chosen = self._wanted or (self.chosen.id if self.chosen else "")
        if chosen in names:
            self._wanted = ""
        rows.show(message.jobs, names.index(chosen) if chosen in names else 0)
        rows.display = self.query_one("#jobs-one").display = bool(names)
        empty = self.query_one("#jobs-empty", Static)
        empty.display = not names
        empty.update("Nothing runs in the background. n asks for a recording; with the expert, Ctrl+G runs it here.")
        self.query_one(TopBar).show_jobs(sum(not job.state.over for job in message.jobs))

    @on(Rows.Highlighted)
    def _show_one(self) -> None:
        job = self.chosen
        if job is None:
            return
        colours = themed(self.app)
        self.query_one("#job-command", Static).update(Text(f"$ {job.command}", colours["muted"]))
        self.query_one(LogTail).show(job.id, job.log())
        self.refresh_bindings()

    @property
    def chosen(self) -> Job | None:
        """The highlighted job."""
        job: Job | None = self.query_one(Rows).item
        return job

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what runs can be cancelled, and only some commands have a screen of their own."""
        if not self.is_mounted or action not in ("open", "cancel", "wide", "follow"):
            return True
        job = self.chosen
        if job is None:
            return False
        if action == "open":
            return job.argv[0] in FOLLOWED
        return action != "cancel" or job.state is State.RUNNING

    def action_open(self) -> None:
        """Look at what the job makes."""
        if self.chosen is not None:
            screen = FOLLOWED[self.chosen.argv[0]]
            self.shell.go(Place(screen, None, Following(self.chosen.progress.about, self.chosen.id)))

    def action_cancel(self) -> None:
        """Ask the highlighted job to end."""
        if self.chosen is None:
            return
        try:
            job = self.studio.jobs.cancel(self.chosen.id)
        except StudioError as error:
            self.shell.tell(error)
        else:
            self.notify(f"{job.id} is asked to end; what it kept is saved first.")
            self._read()

    def action_wide(self) -> None:
        """Give the log the whole screen, or not."""
        self.query_one("#jobs-all").display = not self.query_one("#jobs-all").display

    def action_follow(self) -> None:
        """Go to the end of the log and stay there."""
        self.query_one(LogTail).follow()

    def action_record(self) -> None:
        """Ask for a recording."""
        self.go("setup")

    def _columns(self) -> list[Column[Job]]:
        colours = themed(self.app)

        def quiet(text: str) -> Text:
            return Text(text, colours["muted"])

        return [
            Column("job", 22, lambda job: Text(job.id, colours["foreground"])),
            Column("state", 10, lambda job: Text(_state(job), colours[_LOOKS[job.state]])),
            Column("progress", 22, lambda job: _bar(job, 22, colours)),
            Column("", 7, lambda job: quiet(_count(job))),
            Column("time", 6, lambda job: Text(clock_words(job.seconds(self.studio.clock()))), right=True),
            Column("left", 6, lambda job: quiet(_left(job)), right=True),
            Column("said last", 0, lambda job: quiet(job.progress.text), least=110),
        ]


def _state(job: Job) -> str:
    return job.state.value + (f" ({job.code})" if job.state is State.FAILED else "")


def _bar(job: Job, width: int, colours: dict[str, str]) -> Text:
    share = 1.0 if job.state is State.DONE else job.progress.share
    return progress_bar(share, width, colours[_LOOKS[job.state]], colours["line"])


def _count(job: Job) -> str:
    return f"{job.progress.done:g}/{job.progress.of:g}" if job.progress.of else ""


def _left(job: Job) -> str:
    return "" if job.state.over or job.progress.left_s is None else clock_words(job.progress.left_s)
