"""How child processes are ended, and what they said last."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from curation.errors import INTERRUPTED

STUBBORN_S = 20.0
"""How long a child that was asked twice may take before it is killed [s]."""


def ask(child: subprocess.Popen[bytes]) -> None:
    """Ask a child to stop, as Ctrl+C would."""
    with suppress(OSError):
        child.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))


def end(child: subprocess.Popen[bytes]) -> int:
    """End a child that did not stop by itself; returns the exit code of something interrupted."""
    deadline = time.monotonic() + STUBBORN_S
    ask(child)
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    if child.poll() is None:
        child.kill()
    child.wait()
    return INTERRUPTED


def last_words(log: Path) -> str:
    """The last thing a failed process said, as a sentence."""
    lines = [line.strip() for line in _tail(log).splitlines() if line.strip()]
    last = next(
        (line for line in reversed(lines) if not line.startswith(("File ", "^", "warnings."))), "it said nothing"
    )
    last = last.removeprefix("studio train: ")
    return last if last.endswith((".", "!", "?")) else f"{last}."


def _tail(path: Path, most: int = 20_000) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most))
            return file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
