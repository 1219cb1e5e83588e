"""One of a few, on one line: left and right change it, and all are in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from studio.tui.theme import themed


class Choice(Widget, can_focus=True):
    """Shows its options side by side, the chosen one lit.

    Args:
        options: the names.
        value: the one chosen first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "the one before", show=False),
        Binding("right,space", "move(1)", "the next one", show=False),
    ]
    value: reactive[str] = reactive("")

    @dataclass
    class Changed(Message):
        """Another option was chosen."""

        choice: Choice
        value: str

        @property
        def control(self) -> Choice:
            return self.choice

    def __init__(self, options: Sequence[str], value: str, **more: Any) -> None:
        super().__init__(**more)
        self.options = list(options)
        self.set_reactive(Choice.value, value)

    def action_move(self, step: int) -> None:
        """Choose a neighbour; from the last the first follows."""
        place = self.options.index(self.value) if self.value in self.options else 0
        self.value = self.options[(place + step) % len(self.options)]

    def watch_value(self) -> None:
        self.post_message(self.Changed(self, self.value))

    def on_click(self, event: events.Click) -> None:
        start = 0
        for option in self.options:
            width = len(option) + 2 * self._margin
            if start <= event.x < start + width:
                self.value = option
            start += width + 1

    @property
    def _margin(self) -> int:
        """Cells beside each option: none where there is no room for all."""
        return 1 if sum(len(option) + 3 for option in self.options) - 1 <= self.size.width else 0

    def render(self) -> RenderResult:
        colours = themed(self.app)
        text = Text(no_wrap=True)
        beside = " " * self._margin
        for option in self.options:
            if option == self.value:
                look = f"bold {colours['foreground']} on {colours['chosen' if self.has_focus else 'line']}"
            else:
                look = colours["muted"]
            text.append(f"{beside}{option}{beside}", look).append(" ")
        return text

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return min(container.width, sum(len(option) + 3 for option in self.options))
