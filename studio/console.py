"""What people see: progress and diagnostics on stderr, data on stdout, exit codes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from studio.jobs import PROGRESS, VARIABLE, write_json

_EVERY_S = 0.2
"""Least time between two writings of a job's progress [s]."""


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
        self._job = _JobProgress(Path(os.environ[VARIABLE])) if os.environ.get(VARIABLE) else None

    def step(self, text: str) -> None:
        """One event worth a line."""
        if self._job:
            self._job.say(text)
        self._clear()
        print(text, file=self._err, flush=True)

    def progress(self, text: str) -> None:
        """A passing state: shown on a terminal only, on one line that the next one replaces."""
        if self._job:
            self._job.say(text)
        if not self._live:
            return
        self._clear()
        width = shutil.get_terminal_size().columns - 1
        self._err.write(text[:width])
        self._err.flush()
        self._open_line = True

    def advance(self, done: float, of: float) -> None:
        """How much of the whole is made; shown where the command runs as a job in the background."""
        if self._job:
            self._job.count(done, of)

    def about(self, folder: Path) -> None:
        """The folder that is written into, for whoever follows the command while it runs as a job."""
        if self._job:
            self._job.name(folder)

    def result(self, text: str, data: Any) -> None:
        """The command's result, as text or as JSON."""
        self._clear()
        print(json.dumps(data, indent=2, default=str) if self._json else text, file=self._out, flush=True)

    def _clear(self) -> None:
        if self._open_line:
            self._err.write("\r\x1b[K")
            self._open_line = False


class _JobProgress:
    """Writes how far a job is into its folder, for `studio.jobs` to read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PROGRESS
        self._values: dict[str, Any] = {"done": 0, "of": 0, "text": "", "about": "", "first": 0, "since": time.time()}
        self._written = -1.0

    def say(self, text: str) -> None:
        self._values["text"] = text
        self._write()

    def name(self, folder: Path) -> None:
        self._values["about"] = str(folder.absolute())
        self._write(now=True)

    def count(self, done: float, of: float) -> None:
        if not self._values["of"]:
            self._values |= {"first": done, "since": time.time()}
        self._values |= {"done": done, "of": of}
        self._write(now=done >= of)

    def _write(self, *, now: bool = False) -> None:
        if not now and time.monotonic() - self._written < _EVERY_S:
            return
        self._written = time.monotonic()
        try:
            write_json(self._path, {**self._values, "at": time.time()})
        except OSError:
            # A full disk must end the command with its own words, not with these.
            return
