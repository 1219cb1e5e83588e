"""A table of many rows: only what is in sight is drawn, so thousands cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.tui.theme import themed


@dataclass(frozen=True)
class Column[Item]:
    """One column.

    Attributes:
        title: above it.
        width: in cells; 0 takes what is left.
        cell: draws an item; a long text is cut.
        right: whether it is flush right.
        least: width of the table from which on it is shown.
    """

    title: str
    width: int
    cell: Callable[[Item], Text]
    right: bool = False
    least: int = 0


class Rows[Item](ScrollView, can_focus=True):
    """Rows under a line of titles, with a cursor.

    Args:
        columns: from left to right.
        faded: which items are drawn faint.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "row above", show=False),
        Binding("down", "cursor(1)", "row below", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", "end(0)", "first row", show=False),
        Binding("end", "end(-1)", "last row", show=False),
    ]
    cursor: reactive[int] = reactive(0)

    @dataclass
    class Highlighted(Message):
        """The cursor is on another item."""

        rows: Rows[Any]
        item: Any

        @property
        def control(self) -> Rows[Any]:
            return self.rows

    @dataclass
    class Chosen(Message):
        """An item was clicked twice."""

        rows: Rows[Any]
        item: Any

        @property
        def control(self) -> Rows[Any]:
            return self.rows

    def __init__(self, columns: Sequence[Column[Item]], faded: Callable[[Item], bool], **more: Any) -> None:
        super().__init__(**more)
        self._columns = columns
        self._faded = faded
        self.items: list[Item] = []

    def show(self, items: Sequence[Item], cursor: int) -> None:
        """Show these items, with the cursor on one of them."""
        self.items = list(items)
        self.virtual_size = Size(self.size.width, len(self.items) + 1)
        self.set_reactive(Rows.cursor, max(0, min(cursor, len(self.items) - 1)))
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(self.Highlighted(self, self.item))

    @property
    def item(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self.cursor] if self.items else None

    def watch_cursor(self) -> None:
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(self.Highlighted(self, self.item))

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.items) + 1)
        self._scroll_to_cursor()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        row = event.y - 1 + round(self.scroll_y)
        if event.y > 0 and row < len(self.items):
            self.cursor = row
            if event.chain == 2:
                self.post_message(self.Chosen(self, self.item))

    def action_cursor(self, by: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(self.cursor + by, len(self.items) - 1))

    def action_page(self, by: int) -> None:
        """Move the cursor by what is in sight."""
        self.action_cursor(by * max(1, self.size.height - 2))

    def action_end(self, where: int) -> None:
        """Go to the first or the last row."""
        self.cursor = 0 if where == 0 else max(0, len(self.items) - 1)

    def render_line(self, y: int) -> Strip:
        colours, width = themed(self.app), self.size.width
        columns = [column for column in self._columns if column.least <= width]
        if y == 0:
            cells = [Text(column.title, colours["muted"]) for column in columns]
            return self._strip(columns, cells, width, "")
        row = y - 1 + round(self.scroll_y)
        if row >= len(self.items):
            return Strip.blank(width, self.rich_style)
        item = self.items[row]
        cells = [column.cell(item) for column in columns]
        if self._faded(item):
            for cell in cells:
                cell.stylize(colours["muted"])
        lit = colours["chosen" if self.has_focus else "chosen-quiet"] if row == self.cursor else ""
        return self._strip(columns, cells, width, lit)

    def _strip(self, columns: Sequence[Column[Item]], cells: list[Text], width: int, lit: str) -> Strip:
        fixed = sum(column.width + 1 for column in columns)
        line = Text(" ", no_wrap=True, end="")
        for column, cell in zip(columns, cells, strict=True):
            room = column.width or max(4, width - fixed - 1)
            cell.truncate(room, overflow="ellipsis")
            pad = " " * (room - cell.cell_len)
            line.append_text(Text(pad).append_text(cell) if column.right else cell.copy().append(pad)).append(" ")
        line.truncate(width)
        line.append(" " * (width - line.cell_len))
        if lit:
            line.stylize(f"on {lit}")
        base = self.rich_style
        drawn = [segment for segment in line.render(self.app.console) if segment.text]
        return Strip([Segment(part.text, base + part.style if part.style else base) for part in drawn], width)

    def _scroll_to_cursor(self) -> None:
        if self.is_mounted and self.size.height > 1:
            # The titles stay in sight, so the row must be one line below the top.
            top = round(self.scroll_y)
            room = self.size.height - 1
            if self.cursor < top:
                self.scroll_to(y=self.cursor, animate=False, immediate=True)
            elif self.cursor >= top + room:
                self.scroll_to(y=self.cursor - room + 1, animate=False, immediate=True)
