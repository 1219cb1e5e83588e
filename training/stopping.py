"""Ask a training that runs on this machine to end with a checkpoint, whoever started it."""

from __future__ import annotations

import os
import signal
import sys

from curation.errors import UsageError
from training.alone import here, trains
from training.runs import Run, state_of


def ask_to_stop(run: Run) -> None:
    """As Ctrl+C where it was started: it writes a checkpoint of its last step and ends.

    Raises:
        UsageError: it does not run here.
    """
    number = run.read().get("pid")
    if state_of(run) != "running" or not isinstance(number, int) or not _is_ours(run, number):
        raise UsageError(f"{run.name} is not being trained on this machine; there is nothing to stop.")
    try:
        os.kill(number, getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))
    except OSError as error:
        raise UsageError(f"Process {number}, which trains {run.name}, cannot be asked to stop: {error}.") from error


def _is_ours(run: Run, number: int) -> bool:
    """Whether that process trains this run here; numbers of processes that ended are given again to others."""
    return trains(number, run.folder) if sys.platform == "linux" else run.read().get("host", here()) == here()
