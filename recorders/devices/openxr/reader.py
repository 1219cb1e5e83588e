"""The process that reads a controller: one OpenXR session from its beginning to its end, a hundred readings a second.

A runtime's library runs in here and nowhere else. What it prints goes to STUDIO_XR_LOG, and if it hangs or crashes,
this process is replaced and the recording goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from curation.errors import StudioError
from recorders.crew import as_child
from recorders.devices.beside import Connected, Over, Stop, Told, report
from recorders.devices.controller import RATE_HZ, Pulse, Side

from .errors import HeadsetGone

LOG = "STUDIO_XR_LOG"
"""Environment variable: a file for what runtimes print."""
SLEEPS_S = 3.0
"""A headset that has not let the session have its controllers by then wants a hand [s]."""
SLEEPS = "The headset sleeps: put it on (some wake only when worn), or close its menu."


def read_hand(hand: Side, line: Connection) -> None:
    """Read until told to stop, or until the session is over.

    Args:
        hand: which one.
        line: is sent reports, and sends pulses or `Stop`.
    """
    as_child(nice=0)
    _keep_quiet()
    try:
        _read(hand, line)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody listens any more
    except StudioError as error:
        report(line, Over(str(error), error.exit_code))
    except Exception as error:  # noqa: BLE001  a fault of ours, told by the parent
        report(line, Over(f"unexpected {type(error).__name__} while reading the headset: {error}"))


def _read(hand: Side, line: Connection) -> None:
    from .session import Session

    session = Session(hand)
    try:
        line.send(Connected(f"{session.runtime}, {hand} hand"))
        began, awake, due = time.monotonic(), False, time.monotonic()
        while not _obeys(session.pulse, line):
            for text in session.poll():
                line.send(Told(text))
            line.send(session.read())
            awake = awake or session.focused
            if not awake and time.monotonic() - began > SLEEPS_S:
                awake = True
                line.send(Told(SLEEPS))
            # A reading that is late is not made up for.
            due = max(due + 1 / RATE_HZ, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
    finally:
        session.close()


def _obeys(pulse: Callable[[Pulse], None], line: Connection) -> bool:
    """Pass on pulses; whether the session shall end."""
    while line.poll():
        said = line.recv()
        if isinstance(said, Stop):
            return True
        if isinstance(said, Pulse):
            pulse(said)
    return False


def _keep_quiet() -> None:
    """Runtimes and loader print on the terminal that screens are drawn on."""
    os.environ.setdefault("XR_LOADER_DEBUG", "none")
    path = os.environ.get(LOG) or os.devnull
    try:
        with Path(path).open("ab") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
    except OSError as error:
        raise HeadsetGone(f"{LOG}={path} cannot be written: {error}") from error
