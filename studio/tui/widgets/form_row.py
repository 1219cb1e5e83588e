"""One question of a form: its name, where it is answered, its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Label

from studio.tui.widgets.choice import Choice

YES, NO = "yes", "no"


@dataclass(frozen=True)
class Question:
    """What a row asks.

    Attributes:
        name: of its answer.
        label: before the field.
        value: what stands there at first.
        unit: behind the field.
        options: what can be chosen; empty where anything can be typed.
        hint: shown in an empty field.
        wide: whether a long text is typed.
        only_if: name of a choice, and its values with which this is asked; always if None.
    """

    name: str
    label: str
    value: str = ""
    unit: str = ""
    options: tuple[str, ...] = ()
    hint: str = ""
    wide: bool = False
    only_if: tuple[str, tuple[str, ...]] | None = None


class FormRow(Horizontal):
    """A question on one line."""

    def __init__(self, question: Question) -> None:
        super().__init__(classes="row", id=f"row-{question.name}")
        self.question = question

    def compose(self) -> ComposeResult:
        asked = self.question
        yield Label(asked.label, classes="label")
        if asked.options:
            yield Choice(asked.options, asked.value, id=asked.name)
        else:
            classes = "wide" if asked.wide else ""
            yield Input(asked.value, placeholder=asked.hint, compact=True, id=asked.name, classes=classes)
        if asked.unit:
            yield Label(asked.unit, classes="unit")

    @property
    def value(self) -> str:
        """The answer as it stands."""
        field: Any = self.query_one(f"#{self.question.name}")
        return str(field.value)


def yes_no(value: bool) -> str:
    """A switch as one of two words."""
    return YES if value else NO
