"""A classifier's whole calibration card on a sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

if TYPE_CHECKING:
    from classifiers.card import Card


class CardSheet(ModalScreen[None]):
    """The card as `studio card` prints it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,c,q,enter", "dismiss", "close", show=False)]

    def __init__(self, card: Card) -> None:
        super().__init__()
        self._card = card

    def compose(self) -> ComposeResult:
        from classifiers.card_text import card_lines

        with VerticalScroll(classes="sheet wide-sheet", id="card-sheet") as sheet:
            sheet.border_title = "Calibration card"
            sheet.border_subtitle = "↑ ↓ scroll, Esc closes"
            yield Static("\n".join(card_lines(self._card)), markup=False)
