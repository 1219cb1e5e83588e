"""A screen that asks: a form at the left, what it would do at the right, the verdict and the command below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.choice import Choice
from studio.tui.widgets.form_row import FormRow, Question
from studio.words import line_of


class FormScreen(StudioScreen):
    """Subclasses give `questions` and `changed`, and say what Enter does.

    Attributes:
        FIRST: the question where one begins; the first one if empty.
        asked: number of the answers as they stand; what was found out about others is late and is left aside.
    """

    FIRST: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "field before", show=False),
        Binding("pagedown", "scroll(10)", "right side down", show=False),
        Binding("pageup", "scroll(-10)", "right side up", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self.asked = 0

    def questions(self) -> list[Question]:
        """The lines of the form."""
        raise NotImplementedError

    def changed(self, answers: dict[str, str]) -> None:
        """Another answer was given; `answers` are all of them."""
        raise NotImplementedError

    def beside(self) -> Iterable[Widget]:
        """The right side."""
        with VerticalScroll(id="form-side", can_focus=False):
            yield Static(id="form-plan", markup=False)

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="form"):
            with VerticalScroll(id="form-rows", can_focus=False):
                for question in self.questions():
                    yield FormRow(question)
                    yield Static(id=f"wrong-{question.name}", classes="wrong", markup=False)
            yield from self.beside()
        with Vertical(id="form-foot"):
            yield Static(id="form-verdict", markup=False)
            yield Static(id="form-command", markup=False)

    def on_mount(self) -> None:
        self._show_rows()
        self.query_one(f"#{self.FIRST or self.query(FormRow).first().question.name}").focus()
        self._answered()

    @on(Input.Changed)
    @on(Choice.Changed)
    def _answered(self) -> None:
        self._show_rows()
        self.blame()
        self.asked += 1
        self.changed(self.answers)

    def _show_rows(self) -> None:
        """Show the rows that matter."""
        answers = self.answers
        for row in self.query(FormRow):
            condition = row.question.only_if
            row.display = condition is None or answers[condition[0]] in condition[1]

    @property
    def answers(self) -> dict[str, str]:
        """By the question's name, as they stand."""
        return {row.question.name: row.value for row in self.query(FormRow)}

    def plan(self, words: str | Text) -> None:
        """What it would do, on the right side."""
        self.query_one("#form-plan", Static).update(words)

    def say(self, words: str, colour: str = "muted") -> None:
        """The verdict."""
        self.query_one("#form-verdict", Static).update(Text(words, themed(self.app)[colour]))

    def show_command(self, words: Sequence[str] = ()) -> None:
        """The command that does the same; none without words."""
        line = Text(f"$ {line_of(words)}", themed(self.app)["muted"]) if words else ""
        self.query_one("#form-command", Static).update(line)

    def blame(self, field: str = "", words: str = "") -> None:
        """Say under a field what is wrong with its answer; nothing is, without a field."""
        for row in self.query(FormRow):
            name = row.question.name
            told = self.query_one(f"#wrong-{name}", Static)
            told.update(words if name == field else "")
            told.display = name == field
            if name == field:
                self.call_after_refresh(told.scroll_visible, animate=False)
            row.set_class(name == field, "-wrong")

    def action_scroll(self, lines: int) -> None:
        """Look further down or up the right side."""
        self.query_one("#form-side").scroll_relative(y=lines, animate=False)
