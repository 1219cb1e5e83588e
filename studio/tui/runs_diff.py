"""What differs between two trainings, over the ledger: what was asked, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.tui.runs_columns import rate_words
from studio.tui.theme import themed
from training.ledger import Line, differences, level

Colours = dict[str, str]


class DiffScreen(ModalScreen[None]):
    """As `studio runs A B` tells it.

    Args:
        a, b: the trainings.
        every: the whole ledger, which tells how many trainings of a group there are.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,d,enter,q", "dismiss", "close"),
        Binding("pagedown,down", "scroll(6)", "down", show=False),
        Binding("pageup,up", "scroll(-6)", "up", show=False),
    ]

    def __init__(self, a: Line, b: Line, every: Sequence[Line]) -> None:
        super().__init__()
        self._pair = (a, b)
        self._every = every

    def compose(self) -> ComposeResult:
        a, b = self._pair
        with VerticalScroll(classes="sheet wide-sheet", id="diff") as sheet:
            sheet.border_title = f"{a.told['name']} and {b.told['name']}"
            sheet.border_subtitle = "Esc closes"
            yield Static(told(a, b, self._every, themed(self.app)))

    def action_scroll(self, lines: int) -> None:
        """Look further down or up."""
        self.query_one("#diff").scroll_relative(y=lines, animate=False)


def told(a: Line, b: Line, every: Sequence[Line], colours: Colours) -> Group:
    """Two tables and what a comparison can say at all."""
    names = (str(a.told["name"]), str(b.told["name"]))
    apart = [(key, word(one), word(other)) for key, one, other in differences(a.told, b.told)]
    came = [
        ("state", a.state, b.state),
        ("step", str(a.step), str(b.step)),
        ("last loss", word(a.loss), word(b.loss)),
        ("evaluation", _shown(a), _shown(b)),
    ]
    parts: list[Any] = [_table("what was asked", names, apart, colours)] if apart else [
        Text("Nothing that was asked differs.", colours["muted"])
    ]  # fmt: skip
    parts += [Text(), _table("what came of it", names, came, colours)]
    if said := level((a, b), every):
        parts += [Text(), Text(said, colours["warning"])]
    elif a.shown and b.shown and a.shown.conditions != b.shown.conditions:
        more = "The evaluations were not made alike; studio compare says whether they can be compared."
        parts += [Text(), Text(more, colours["warning"])]
    return Group(*parts)


def word(value: Any) -> str:
    """A setting in a cell."""
    if value is None or value == "":
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _shown(line: Line) -> str:
    return rate_words(line.shown) if line.shown is not None else "none yet"


def _table(head: str, names: tuple[str, str], rows: list[tuple[str, str, str]], colours: Colours) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=f"bold {colours['foreground']}", expand=True)
    table.add_column(head, style=colours["muted"], ratio=4, overflow="fold")
    for name in names:
        table.add_column(name, style=colours["foreground"], ratio=3, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
