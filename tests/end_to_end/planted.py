"""The studio on screen, with faults planted in the record screen; each key from F6 on sets one off.

Run as a program; the words after it are those of `studio tui`.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from textual import work

from studio import cli


def plant() -> None:
    """Put the faults in."""
    from studio.tui.record import panels, screen

    heard, rendered = screen.RecordScreen.on_key, panels.MeterView.render
    broken: set[str] = set()

    @work(thread=True)
    def fail_in_worker(self: Any) -> None:
        raise RuntimeError("planted in a worker")

    def on_key(self: Any, event: Any) -> None:
        match event.key:
            case "f6":
                raise RuntimeError("planted in a handler")
            case "f7":
                fail_in_worker(self)
            case "f8":
                broken.add("render")
                self.query_one(panels.MeterView).refresh()
            case "f9":
                self.set_timer(0.01, lambda: 1 / 0)
            case "f10":
                time.sleep(1.5)
            case _:
                heard(self, event)

    def render(self: Any) -> Any:
        if broken:
            broken.clear()
            raise RuntimeError("planted in render")
        return rendered(self)

    screen.RecordScreen.on_key = on_key
    panels.MeterView.render = render


if __name__ == "__main__":
    plant()
    sys.exit(cli.run(["tui", *sys.argv[1:]]))
