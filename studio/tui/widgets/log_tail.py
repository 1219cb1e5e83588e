"""The end of a growing text; follows it until the person scrolls up."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static


class LogTail(VerticalScroll, can_focus=True):
    """Scrolls to the end whenever there is more, as long as the end is in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("end", "follow", "to the end", show=False)]

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._of = ""
        self._text: str | None = None
        self._words = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self._words

    def on_mount(self) -> None:
        self.anchor()

    def show(self, of: str, text: str) -> None:
        """Show the text of `of`; another `of` starts at its end."""
        if of == self._of and text == self._text:
            return
        other = of != self._of
        self._of, self._text = of, text
        self._words.update(text.rstrip("\n") or "(it has said nothing yet)")
        if other:
            self.call_after_refresh(self.follow)

    def follow(self) -> None:
        """Go to the end."""
        self.scroll_end(animate=False)

    def action_follow(self) -> None:
        """Go to the end."""
        self.follow()
