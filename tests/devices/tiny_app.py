"""A small application under the studio's driver, which tells on a pipe what reaches it. Run by tests, in a terminal."""

from __future__ import annotations

import os
import sys

from textual import events
from textual.app import App, ComposeResult
from textual.widgets import Input

from recorders.devices.keys import KeyEvent
from studio.tui.driver import DRIVER, KEYS


class TinyApp(App[None]):
    """Tells keys that bindings and widgets get, what is in its text field, and the strokes."""

    BINDINGS = [("f2", "bound", ""), ("ctrl+b", "bound", ""), ("ctrl+q", "quit", "")]

    def __init__(self, pipe: int) -> None:
        super().__init__(driver_class=DRIVER)
        self.pipe = pipe
        self.seen: list[events.Key] = []

    def tell(self, *words: str) -> None:
        os.write(self.pipe, (" ".join(words) + "\n").encode())

    def compose(self) -> ComposeResult:
        yield Input()

    def on_mount(self) -> None:
        KEYS.start(self.stroke)
        self.set_timer(0.3, lambda: self.tell("ready", str(KEYS.releases)))

    def stroke(self, event: KeyEvent) -> None:
        self.tell("stroke", event.key or "-", str(event.stroke))

    async def on_event(self, event: events.Event) -> None:
        # What no widget takes comes back here.
        if isinstance(event, events.Key) and not any(event is seen for seen in self.seen):
            self.seen.append(event)
            self.tell("key", event.key, repr(event.character))
        await super().on_event(event)

    def on_input_changed(self, event: Input.Changed) -> None:
        self.tell("field", event.value)

    def action_bound(self) -> None:
        self.tell("bound")


TinyApp(int(sys.argv[1])).run()
