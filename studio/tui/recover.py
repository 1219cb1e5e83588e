"""Asks what becomes of unfinished takes."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.overview import Card
from studio.tui.theme import themed
from studio.tui.words import counted


class RecoverScreen(ModalScreen[list[str]]):
    """Closes with the options of `studio recover` that were chosen; None if nothing is to happen.

    Args:
        card: the dataset.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "answer('--keep')", "keep"),
        Binding("d", "answer('--discard')", "discard"),
        Binding("f,enter", "answer('')", "finish kept takes only"),
        Binding("escape", "dismiss(None)", "leave them"),
    ]

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card

    def compose(self) -> ComposeResult:
        sheet = Static(self._words(), classes="sheet question")
        sheet.border_title = f"Takes that wait in {self._card.name}"
        yield sheet

    def action_answer(self, option: str) -> None:
        """Close with the choice."""
        self.dismiss([option] if option else [])

    def _words(self) -> Text:
        card, colours = self._card, themed(self.app)
        key, quiet = f"bold {colours['accent']}", colours["muted"]
        text = Text()
        if card.waiting:
            text.append(f"{counted(card.waiting, 'take')} kept and not drawn yet: saved in any case.\n", quiet)
        if card.unfinished:
            text.append(f"{counted(card.unfinished, 'take')} broken off before the end.\n\n", quiet)
            text.append("k", key).append("    keep them: judged where they stop, drawn and saved\n")
            text.append("d", key).append("    discard them: they move to the dataset's trash\n")
        text.append("f", key).append("    finish kept takes, leave the others\n")
        text.append("Esc", key).append("  leave everything as it is")
        return text
