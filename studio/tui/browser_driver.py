"""Textual's driver for a browser page, made to outlive an App that failed.

textual-serve reads one stream for the life of the page: a greeting once, then packets, and an exit packet that
closes the page. A second App in the same process must not greet again, and a failed one must not say exit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from textual.drivers.web_driver import WebDriver

_GREETING = b"__GANGLION__\n"


def _without_greeting(send: Callable[[bytes], int], data: bytes) -> int:
    return 0 if data == _GREETING else send(data)


class BrowserDriver(WebDriver):
    """One for every App, all on the same page."""

    _greeted: ClassVar[bool] = False
    _page_size: ClassVar[tuple[int, int] | None] = None

    def start_application_mode(self) -> None:
        send = self._write
        if BrowserDriver._greeted:
            self._size = BrowserDriver._page_size or self._size
            self._write = partial(_without_greeting, send)
        super().start_application_mode()
        self._write = send
        BrowserDriver._greeted = True

    def stop_application_mode(self) -> None:
        if getattr(self._app, "crash", None) is None:
            super().stop_application_mode()
            return
        self.exit_event.set()
        self._input_reader.close()

    def on_meta(self, packet_type: str, payload: dict[str, Any]) -> None:
        if packet_type == "resize":
            BrowserDriver._page_size = (payload["width"], payload["height"])
        super().on_meta(packet_type, payload)
