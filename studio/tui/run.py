"""Runs the application, and starts it again where a screen failed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from multiprocessing import resource_tracker

from curation.errors import StudioError
from studio.tui.app import Crash, StudioApp
from studio.tui.state import Place, Studio

SOON_S = 5.0
"""A screen that fails again within this time is not opened a third time [s]."""
MOST, WITHIN_S = 5, 30.0
"""So many crashes in so many seconds end the application."""


class KeepsCrashing(StudioError):
    """The application failed again and again."""

    def __init__(self, crash: Crash) -> None:
        super().__init__(
            f"The screens failed {MOST} times within {WITHIN_S:g} s, the last time with {crash.what}. This is a fault "
            f"of ours; details are in {crash.log}. Everything saved is intact, and every action is also a command: "
            "studio --help."
        )


def run(studio: Studio, run_app: Callable[[StudioApp], None] | None = None) -> None:
    """Show the application until the person leaves.

    Args:
        studio: where to begin, and what goes on.
        run_app: runs one App to its end.

    Raises:
        KeepsCrashing: after `MOST` crashes.
    """
    if sys.platform != "win32":
        # Processes are spawned through this one, which hands on stderr as it is now: Textual's has no file.
        resource_tracker.ensure_running()
    crashes: deque[tuple[float, Place]] = deque(maxlen=MOST)
    last: Crash | None = None
    while True:
        app = StudioApp(studio, after=last)
        (run_app or _run)(app)
        last = app.crash
        if last is None or studio.leaving:
            return
        studio.crashed()
        moment, place = time.monotonic(), studio.trail[-1]
        if crashes and crashes[-1][1] == place and moment - crashes[-1][0] < SOON_S:
            studio.trail[:] = [Place()]
        crashes.append((moment, place))
        if len(crashes) == MOST and moment - crashes[0][0] < WITHIN_S:
            raise KeepsCrashing(last)


def _run(app: StudioApp) -> None:
    asyncio.run(_shown(app))


async def _shown(app: StudioApp) -> None:
    """Run an App that leaves in order when the terminal goes away or the process is asked to end."""
    loop = asyncio.get_running_loop()
    if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _leave, app)
        # Not through the loop: Textual answers the SIGCONT that comes with it at once, and writes to the terminal.
        signal.signal(signal.SIGHUP, lambda *_: _hang_up(loop, app))
    await app.run_async()


def _leave(app: StudioApp) -> None:
    app.studio.leaving = True
    app.exit()


def _hang_up(loop: asyncio.AbstractEventLoop, app: StudioApp) -> None:
    """Leave although the terminal is gone: writing to it would fail, and Textual would wait for that for ever."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    loop.call_soon_threadsafe(_leave, app)
