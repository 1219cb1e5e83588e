"""Ask a training that runs on this machine to end with a checkpoint, whoever started it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from curation.errors import UsageError
from training.runs import Run, state_of


def ask_to_stop(run: Run) -> None:
    """As Ctrl+C where it was started: it writes a checkpoint of its last step and ends.

    Raises:
        UsageError: it does not run here.
    """
    number = run.read().get("pid")
    if state_of(run) != "running" or not isinstance(number, int) or not _trains(number):
        raise UsageError(f"{run.name} is not being trained on this machine; there is nothing to stop.")
    try:
        os.kill(number, getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
    except OSError as error:
        raise UsageError(f"Process {number}, which trains {run.name}, cannot be asked to stop: {error}.") from error


def _trains(number: int) -> bool:
    """Whether a process trains; numbers of processes that ended are given again to others."""
    if sys.platform != "linux":
        return True
    with suppress(OSError):
        return b"training.child" in Path(f"/proc/{number}/cmdline").read_bytes()
    return False
