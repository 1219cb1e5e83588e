"""The form before a recording: where to, who drives, where the block goes, how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from curation.errors import StudioError
from studio.paths import dataset_path
from studio.tui.maps import MapHolder
from studio.tui.messages import FormChecked
from studio.tui.screen import StudioScreen
from studio.tui.setup_form import Form, answers, check, command_line, command_words, record_options, with_dataset
from studio.tui.setup_questions import setup_questions, shown_questions
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.choice import Choice
from studio.tui.widgets.form_row import NO, YES, FormRow
from studio.tui.words import path_words

WAIT_S = 0.15
"""Time after the last change until the form is checked [s]."""


class SetupScreen(StudioScreen):
    """Asks what `studio record` asks, checks it as that does, and shows the command that does the same."""

    NAME = "new recording"
    HELP = (
        "Everything studio record asks, with the same checks; the command that does the same is shown below. "
        "A dataset that exists is recorded on."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "start", priority=True),
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "field before", show=False),
        Binding("ctrl+g", "background", "generate in the background"),
        Binding("ctrl+t", "targets", "find positions"),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._form = place.what if isinstance(place.what, Form) else with_dataset(Form(), place.dataset)
        self._said: dict[str, Any] | None = None
        self._starting = False
        self._wait: Timer | None = None

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="setup"):
            with VerticalScroll(id="setup-form", can_focus=False):
                for question in setup_questions(self._form):
                    yield FormRow(question)
                    if question.name == "to":
                        yield Static(id="to-note", classes="muted")
            with Vertical(id="setup-side"):
                yield MapHolder(id="setup-map")
        with Vertical(id="setup-foot"):
            yield Static(id="setup-verdict", markup=False)
            yield Static(id="setup-command", markup=False)

    def on_mount(self) -> None:
        self.query_one("#to").focus()
        self._changed()

    # The form

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.input.id:
            self._answer(event.input.id, event.value)

    @on(Choice.Changed)
    def _chose(self, event: Choice.Changed) -> None:
        switch = event.value in (YES, NO)
        self._answer(event.choice.id or "", event.value == YES if switch else event.value)

    def _answer(self, name: str, value: Any) -> None:
        self._form = replace(self._form, **{name: value})
        self._changed()

    def _changed(self) -> None:
        """Show the rows that matter, and check soon."""
        shown = shown_questions(self._form)
        for row in self.query(FormRow):
            row.display = row.question.name in shown
        self._said = None
        self._starting = False
        if self._wait is not None:
            self._wait.stop()
        self._wait = self.set_timer(WAIT_S, lambda: self._check(self._form))

    @work(thread=True, exclusive=True, group="check")
    def _check(self, form: Form) -> None:
        """The command's own checks; the scene is loaded here, so they may take a moment."""
        try:
            said = answers(form)
            line = command_line("record", said)
            asked = check(said)
            placing = asked.where.placing()
            cells = max(1, placing.cells)
            spots = [spot[:2] for spot in map(placing.nominal, range(min(cells, 500))) if spot]
        except StudioError as error:
            self.post_message(FormChecked(form, None, str(error), "", ()))
        else:
            self.post_message(FormChecked(form, said, "", line, tuple(spots)))

    @on(FormChecked)
    def _checked(self, message: FormChecked) -> None:
        if message.form != self._form:
            return
        colours = themed(self.app)
        self._said = message.said
        verdict, command = self.query_one("#setup-verdict", Static), self.query_one("#setup-command", Static)
        if message.said is None:
            verdict.update(Text(message.why, colours["error"]))
            command.update("")
        else:
            verdict.update(Text("Ready: Enter starts.", colours["success"]))
            command.update(Text(f"$ {message.line}", colours["muted"]))
            self.query_one(MapHolder).spots([(x, y, "planned") for x, y in message.spots])
        self.query_one("#to-note", Static).update(self._note())
        self.refresh_bindings()
        if self._starting:
            self._starting = False
            if self._said is not None:
                self.action_start()

    def _note(self) -> str:
        if self._form.practice:
            return "practice: no dataset is touched"
        if not self._form.to.strip():
            return ""
        return "exists: recorded on" if self._form.resumes else f"new, in {path_words(self.studio.home)}"

    # What the keys do

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The expert alone can drive in the background."""
        return not (action == "background" and self._form.by_person)

    def action_start(self) -> None:
        """Open the record screen in the place of the form."""
        if self._said is None:
            # Typed before the last check was done: it starts as soon as that says so.
            self._starting = True
            self._check(self._form)
            return
        try:
            options = record_options(self._said)
        except StudioError as error:
            self.shell.tell(error)
            return
        root = None if self._form.practice else dataset_path(options.recording.to)
        self.shell.replace(Place("record", root, options))

    def action_background(self) -> None:
        """Let the expert work in a job."""
        if self._said is None:
            self.notify("The form is not right yet.", severity="warning")
            return
        try:
            said = answers(replace(self._form, practice=False), in_background=True)
            job = self.studio.jobs.start(["generate", *command_words(said)])
        except StudioError as error:
            self.shell.tell(error)
            return
        self.shell.replace(Place("jobs", None, job.id))

    def action_targets(self) -> None:
        """Choose positions on the map."""
        self.go("targets")
