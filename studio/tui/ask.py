"""A few questions on a sheet over a screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from curation.errors import StudioError
from studio.tui.widgets.choice import Choice
from studio.tui.widgets.form_row import FormRow, Question

Answers = dict[str, str]


class Ask(ModalScreen[Any]):
    """Asks, and closes with what `take` makes of the answers; None if it was left.

    Args:
        title: of the sheet.
        questions: its lines.
        take: turns answers into the result; a `StudioError` it raises is shown, and the sheet stays open.
        words: above the questions.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "leave it"),
        Binding("enter", "take", "go on", priority=True),
        Binding("down", "app.focus_next", "next", show=False),
        Binding("up", "app.focus_previous", "before", show=False),
    ]

    def __init__(
        self, title: str, questions: Sequence[Question], take: Callable[[Answers], Any], words: str = ""
    ) -> None:
        super().__init__()
        self._heading = title
        self._questions = questions
        self._take = take
        self._words = words

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet ask") as sheet:
            sheet.border_title = self._heading
            sheet.border_subtitle = "Enter goes on, Esc leaves it"
            if self._words:
                yield Static(self._words, classes="muted ask-words", markup=False)
            yield from map(FormRow, self._questions)
            yield Static(id="ask-error", classes="error", markup=False)

    def on_mount(self) -> None:
        self._show_asked()

    @on(Choice.Changed)
    def _show_asked(self) -> None:
        answers = self._answers()
        for row in self.query(FormRow):
            condition = row.question.only_if
            row.display = condition is None or answers[condition[0]] in condition[1]

    @on(Input.Changed)
    def _forget_error(self) -> None:
        self.query_one("#ask-error", Static).update("")

    def action_take(self) -> None:
        """Close with the result, or say what is wrong."""
        try:
            result = self._take(self._answers())
        except StudioError as error:
            self.query_one("#ask-error", Static).update(str(error))
            return
        self.dismiss(result)

    def _answers(self) -> Answers:
        return {row.question.name: row.value for row in self.query(FormRow)}
