"""Where a headset's browser finds its page, as an address and as a QR code."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from recorders.signals import Invited
from studio.qr import modules


class InvitationSheet(ModalScreen[None]):
    """The page's address; recording goes on behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter,space", "dismiss", "close", show=False)]

    def __init__(self, invited: Invited) -> None:
        super().__init__()
        self._invited = invited

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="invitation", classes="sheet") as sheet:
            sheet.border_title = "Open in the headset's browser"
            sheet.border_subtitle = "Esc closes"
            yield Static(Text(self._invited.address, "bold", justify="center"))
            # In its own colours: a camera wants light modules that are light.
            yield Static(Text(modules(self._invited.address), "white on black"))
