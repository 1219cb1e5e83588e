"""Help and questions over a screen."""

from __future__ import annotations

from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from studio.tui.theme import themed

_UNSAID = ("screen.copy", "app.focus", "scroll_", "page_", "cursor_", "select_", "delete_", "copy", "cut", "paste")
"""Beginnings of actions of Textual's own that say nothing about a screen."""


class HelpScreen(ModalScreen[None]):
    """The keys of the screen below, from its bindings, under a sentence about it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "close", show=False),
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help", classes="sheet") as sheet:
            sheet.border_title = f"Help: {getattr(self._about, 'NAME', '') or 'this screen'}"
            sheet.border_subtitle = "Esc closes"
            yield Static(getattr(self._about, "HELP", ""), id="help-words", markup=False)
            yield Static(id="help-keys")

    def on_mount(self) -> None:
        self.query_one("#help-keys", Static).update(self._keys())

    def _keys(self) -> Table:
        colours = themed(self.app)
        rows = keys_of(self._about)
        columns = 2 if self.app.size.width >= 76 and len(rows) > 8 else 1
        grid = Table.grid(padding=(0, 2))
        half = -(-len(rows) // columns)
        for _ in range(columns):
            grid.add_column(justify="right", no_wrap=True)
            grid.add_column()
        for row in range(half):
            cells: list[Text] = []
            for column in range(columns):
                place = row + column * half
                key, words = rows[place] if place < len(rows) else ("", "")
                cells += [Text(key, f"bold {colours['accent']}"), Text(words, colours["foreground"])]
            grid.add_row(*cells)
        return grid


def keys_of(screen: Screen[Any]) -> list[tuple[str, str]]:
    """Key and words of every binding that works on a screen, keys of one action together, in its order."""
    found: dict[str, list[str]] = {}
    for _, binding, _, _ in screen.active_bindings.values():
        if not binding.description or binding.action.startswith(_UNSAID):
            continue
        keys = found.setdefault(binding.description.lower(), [])
        display = screen.app.get_key_display(binding)
        if display not in keys:
            keys.append(display)
    return [(f"{keys[0]}-{keys[-1]}" if len(keys) > 3 else " ".join(keys), words) for words, keys in found.items()]


class LeaveScreen(ModalScreen[bool]):
    """Asks before a recording is ended by leaving."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter", "answer(True)", "stop it and quit"),
        Binding("escape", "answer(False)", "stay"),
    ]

    def __init__(self, recording: str) -> None:
        super().__init__()
        self._recording = recording

    def compose(self) -> ComposeResult:
        colours = themed(self.app)
        text = Text(f"{self._recording} is being recorded.\n\n", colours["foreground"])
        text.append("q", f"bold {colours['accent']}").append("    stop and quit: what was kept is saved first\n")
        text.append("Esc", f"bold {colours['accent']}").append("  stay")
        yield Static(text, classes="sheet question")

    def action_answer(self, leave: bool) -> None:
        """Close with the answer."""
        self.dismiss(leave)
