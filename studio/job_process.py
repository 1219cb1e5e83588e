"""The process around a job's command: starts it, passes a cancel on to it, writes how it ended.

Run as `python -m studio.job_process FOLDER`; imports nothing heavy.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from studio.jobs import BEAT, CANCEL, EXIT, JOB, VARIABLE, write_json

POLL_S = 0.1
"""How often the command and the cancel file are looked at [s]."""
BEATS = 5
"""Looks between two beats."""


def main(folder: Path) -> None:
    """Run the job of a folder to its end."""
    asked = json.loads((folder / JOB).read_bytes())
    # Whoever ends the session we were started from does not mean the job; its cancel file does.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)
    child = subprocess.Popen(
        [sys.executable, "-m", "studio.cli", *asked["argv"]],
        cwd=asked["cwd"],
        stdin=subprocess.DEVNULL,
        env={**os.environ, VARIABLE: str(folder)},
        process_group=0 if sys.platform != "win32" else None,
    )
    code = _watch(child, folder, asked["grace"])
    write_json(folder / EXIT, {"code": code, "ended": datetime.now(UTC).isoformat()})


def _watch(child: subprocess.Popen[bytes], folder: Path, grace: list[float]) -> int:
    """Wait for the command; from a cancel on, ask it to end with growing force. Returns its exit code."""
    force: Iterator[tuple[float, signal.Signals]] | None = None
    due, looks = 0.0, 0
    while (code := child.poll()) is None:
        if looks % BEATS == 0:
            (folder / BEAT).touch()
        looks += 1
        if force is None and (folder / CANCEL).exists():
            force = _force(grace)
            due = time.monotonic()
        if force is not None and time.monotonic() >= due:
            wait, number = next(force, (3600.0, signal.SIGTERM))
            _signal(child, number)
            due = time.monotonic() + wait
        time.sleep(POLL_S)
    return code


def _force(grace: list[float]) -> Iterator[tuple[float, signal.Signals]]:
    """Signals, each with the seconds to wait before the next."""
    if sys.platform == "win32":
        yield grace[0] + grace[1], signal.SIGTERM
        return
    yield grace[0], signal.SIGINT
    yield grace[1], signal.SIGTERM
    while True:
        yield 1.0, signal.SIGKILL


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the command and the processes it started."""
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            child.send_signal(number)
        else:
            os.killpg(child.pid, number)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
