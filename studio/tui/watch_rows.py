"""Which episode of an evaluation shall be watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from studio.tui.theme import outcome_style, themed
from studio.tui.widgets.rows import Column, Rows
from studio.tui.words import outcome_word
from training.evaluated import Row


class RowSheet(ModalScreen[int | None]):
    """The rows of an evaluation; closes with the number of the chosen one. Begins at the first that failed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "watch"),
        Binding("n", "failed", "next failure"),
        Binding("escape", "dismiss(None)", "leave it", show=False),
    ]

    def __init__(self, rows: Sequence[Row]) -> None:
        super().__init__()
        self._rows = list(rows)

    def compose(self) -> ComposeResult:
        muted = themed(self.app)["muted"]
        columns: list[Column[Row]] = [
            Column("row", 5, lambda one: Text(str(one.index)), right=True),
            Column("outcome", 14, lambda one: Text(outcome_word(one.outcome), outcome_style(one.outcome))),
            Column("frames", 6, lambda one: Text(str(one.told.get("frames", ""))), right=True),
            Column("x", 6, lambda one: Text(f"{one.x:.3f}", muted), right=True),
            Column("y", 6, lambda one: Text(f"{one.y:.3f}", muted), right=True),
            Column("", 0, lambda one: Text("" if one.feasible else "the arm cannot do it", muted)),
        ]
        with Vertical(classes="sheet", id="row-sheet") as sheet:
            sheet.border_title = "Watch which episode?"
            sheet.border_subtitle = "Enter watches, n next failure, Esc leaves it"
            yield Rows(columns, lambda one: not one.feasible)

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        failed = next((at for at, one in enumerate(self._rows) if not one.success), 0)
        rows.show(self._rows, failed)
        rows.focus()

    @on(Rows.Chosen)
    def action_choose(self) -> None:
        """Close with the highlighted one."""
        row: Row | None = self.query_one(Rows).item
        self.dismiss(None if row is None else row.index)

    def action_failed(self) -> None:
        """Go to the next one that failed, or stay."""
        rows = self.query_one(Rows)
        later = (at for at, one in enumerate(self._rows) if at > rows.cursor and not one.success)
        rows.cursor = next(later, rows.cursor)
