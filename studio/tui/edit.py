"""Edit: what would become of datasets, shown while it is typed; Enter makes it in the background."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from curation.errors import StudioError, UsageError
from studio.tui.edit_form import Edit, line_of, questions, words_of
from studio.tui.messages import EditSeen
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.choice import Choice
from studio.tui.widgets.form_row import FormRow

WAIT_S = 0.3
"""Time after the last change until the plan is looked at [s]."""
TABLE_FROM = 120
"""Columns of the terminal from which the plan's table has room."""
LONGEST_S = 60.0
"""Time for a command to say what is wrong with its words [s]."""
_PARSE = "import sys; from studio.cli import parsed; parsed(sys.argv[1], sys.argv[2:])"
SHOWN_NOTES = 30
"""Episodes that are left out and named with their reason."""


class EditScreen(StudioScreen):
    """A form at the left, the difference it would make at the right, the command below."""

    NAME = "edit"
    HELP = (
        "Every edit makes a new dataset; sources are never changed. At the right is what would become of them, with "
        "every reason and every difference. Enter makes it in a job, proved frame by frame before it gets its name."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "apply", "make it", priority=True),
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "field before", show=False),
        Binding("pagedown", "scroll(10)", "plan down", show=False),
        Binding("pageup", "scroll(-10)", "plan up", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if not isinstance(place.what, Edit):
            raise TypeError("the edit screen is about an Edit")
        self._edit = place.what
        self._words: list[str] | None = None
        self._wait: Timer | None = None
        self._asked = 0

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="edit"):
            with VerticalScroll(id="edit-form", can_focus=False):
                yield from map(FormRow, questions(self._edit))
            with VerticalScroll(id="edit-side", can_focus=False):
                yield Static(id="edit-plan", markup=False)
        with Vertical(id="edit-foot"):
            yield Static(id="edit-verdict", markup=False)
            yield Static(id="edit-command", markup=False)

    def on_mount(self) -> None:
        self.query_one("#to").focus()
        self._changed()

    @on(Input.Changed)
    @on(Choice.Changed)
    def _changed(self) -> None:
        """Show the rows that matter, and look at the plan soon."""
        answers = self._answers()
        for row in self.query(FormRow):
            condition = row.question.only_if
            row.display = condition is None or answers[condition[0]] in condition[1]
        self._words = None
        self._say("looking ...", "muted")
        if self._wait is not None:
            self._wait.stop()
        self._asked += 1
        number = self._asked
        narrow = self.size.width < TABLE_FROM
        self._wait = self.set_timer(WAIT_S, lambda: self._look(number, answers, narrow))

    def _answers(self) -> dict[str, str]:
        return {row.question.name: row.value for row in self.query(FormRow)}

    @work(thread=True, exclusive=True, group="plan")
    def _look(self, number: int, answers: dict[str, str], narrow: bool) -> None:
        """What the command itself would show."""
        try:
            words = words_of(self._edit, answers)
            text = preview_of(words, narrow)
        except StudioError as error:
            self.post_message(EditSeen(number, None, str(error)))
        else:
            self.post_message(EditSeen(number, words, text))

    @on(EditSeen)
    def _show(self, message: EditSeen) -> None:
        if message.number != self._asked:
            return
        self._words = message.words
        if message.words is None:
            self.query_one("#edit-plan", Static).update("")
            self.query_one("#edit-command", Static).update("")
            self._say(message.text, "error")
            return
        self.query_one("#edit-plan", Static).update(self._coloured(message.text))
        self.query_one("#edit-command", Static).update(Text(f"$ {line_of(message.words)}", themed(self.app)["muted"]))
        self._say("Ready: Enter makes it.", "success")

    def _coloured(self, text: str) -> Text:
        colours = themed(self.app)
        marks = {"-": "error", "+": "success", "~": "warning", "!": "error", "?": "warning"}
        lines = [Text(line, colours[marks.get(line[:1], "foreground")]) for line in text.splitlines()]
        return Text("\n").join(lines)

    def _say(self, words: str, colour: str) -> None:
        self.query_one("#edit-verdict", Static).update(Text(words, themed(self.app)[colour]))

    def action_apply(self) -> None:
        """Make it in a job."""
        if self._words is None:
            self.notify("The plan is not ready yet.", severity="warning")
            return
        try:
            job = self.studio.jobs.start(self._words)
        except StudioError as error:
            self.shell.tell(error)
            return
        self.shell.replace(Place("jobs", None, job.id))

    def action_scroll(self, lines: int) -> None:
        """Look further down or up the plan."""
        self.query_one("#edit-side").scroll_relative(y=lines, animate=False)


def preview_of(words: list[str], narrow: bool) -> str:
    """What a command would do, without doing it; in sentences where there is little room.

    Raises:
        StudioError: it would refuse.
    """
    from studio.cli import parsed
    from studio.plan_text import plan_text
    from studio.planned import seen

    try:
        module, options = parsed(words[0], words[1:], quiet=True)
    except (SystemExit, AttributeError):
        # A fault makes tyro ask the output for its encoding, and that of a screen has none.
        raise UsageError(_what_is_wrong(words)) from None
    planned = module.planned(options)
    lines = []
    for to, sight in seen(planned).items():
        lines += [f"{to.name}:", plan_text(sight, narrow=narrow), ""]
    if planned.notes:
        lines += ["left out:", *(f"- {note}" for note in planned.notes[:SHOWN_NOTES])]
        if len(planned.notes) > SHOWN_NOTES:
            lines.append(f"- and {len(planned.notes) - SHOWN_NOTES} more")
    return "\n".join(lines)


def _what_is_wrong(words: list[str]) -> str:
    """What a command says of words that are none of its; in a process of its own, for this one's output is a screen."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PARSE, *words], capture_output=True, encoding="utf-8", timeout=LONGEST_S,
            check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "These answers are no command."
    # tyro draws a box: a title, what is wrong, a rule, help.
    told = [line.strip(" │") for line in done.stderr.splitlines()[1:]]
    wrong = " ".join(told[: next((at for at, line in enumerate(told) if not line.strip("─")), len(told))])
    return wrong or "These answers are no command."
