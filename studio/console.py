"""What people see: progress and diagnostics on stderr, data on stdout, exit codes."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any, TextIO


class Console:
    """Progress on a terminal overwrites one line; elsewhere each step is a line.

    Args:
        as_json: whether the result is printed as JSON instead of text.
    """

    def __init__(self, *, as_json: bool = False, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._live = self._err.isatty()
        self._open_line = False

    def step(self, text: str) -> None:
        """One event worth a line."""
        self._clear()
        print(text, file=self._err, flush=True)

    def progress(self, text: str) -> None:
        """A passing state: shown on a terminal only, on one line that the next one replaces."""
        if not self._live:
            return
        self._clear()
        width = shutil.get_terminal_size().columns - 1
        self._err.write(text[:width])
        self._err.flush()
        self._open_line = True

    def result(self, text: str, data: Any) -> None:
        """The command's result, as text or as JSON."""
        self._clear()
        print(json.dumps(data, indent=2, default=str) if self._json else text, file=self._out, flush=True)

    def _clear(self) -> None:
        if self._open_line:
            self._err.write("\r\x1b[K")
            self._open_line = False
