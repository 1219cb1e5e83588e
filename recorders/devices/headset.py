"""A headset on this PC as a source of readings. Its process may die, hang or lose the headset; another one follows."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from recorders.crew import no_interrupt

from .controller import Batch, ControllerSample, Pulse, Side
from .openxr.errors import NoHeadset
from .openxr.reader import LOG, Connected, Over, Report, Stop, Told, read_hand

OPEN_S = 30.0
"""Longest time for a runtime to make a session [s]; some start themselves for it (assumed)."""
SILENT_S = 5.0
"""A session that tells nothing for so long hangs [s]; it tells a hundred readings a second."""
RETRY_S = 1.0
"""Pause before another session is tried [s]."""
LEAVE_S = 2.0
"""How long a session may take to end [s]."""
MOST = 1000
"""Readings kept for whoever takes them: ten seconds."""
_SPAWN = multiprocessing.get_context("spawn")
LOOK = f"Run this again with {LOG}=FILE in the environment to see what it printed."
_AGAIN = "The arm stands and what was driven is kept; trying again every second."


class Headset:
    """One controller of the headset.

    Args:
        hand: which one.
    """

    def __init__(self, hand: Side) -> None:
        self._hand = hand
        self._runtime = "OpenXR"
        self._samples: deque[ControllerSample] = deque(maxlen=MOST)
        self._said: deque[str] = deque()
        self._line: Connection | None = None
        self._process: BaseProcess | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._connected = False
        self._last_words = ""

    @property
    def name(self) -> str:
        return f"{self._runtime}, {self._hand} hand"

    def open(self) -> None:
        """Make the first session.

        Raises:
            NoHeadset: there is none; it says what would help.
        """
        self._start()
        report = self._hear(OPEN_S)
        if not isinstance(report, Connected):
            text = report.text if isinstance(report, Over) else self._silence()
            self.close()
            raise NoHeadset(text)
        self._runtime, self._connected = report.name, True
        self._say(f"{self.name}: connected.")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def take(self) -> Batch:
        """What came since the last call."""
        # Only as many as are there now: the other thread goes on adding.
        samples = tuple(self._samples.popleft() for _ in range(len(self._samples)))
        said = tuple(self._said.popleft() for _ in range(len(self._said)))
        return Batch(time.perf_counter(), samples, said)

    def pulse(self, pulse: Pulse) -> None:
        """Let the controller vibrate, if it is there."""
        line = self._line
        with suppress(OSError):
            if line is not None:
                line.send(pulse)

    def close(self) -> None:
        """End the session."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=LEAVE_S + RETRY_S)
            self._thread = None
        self._end()

    def _listen(self) -> None:
        """Take in what the session tells; when it is over, try another one."""
        while not self._closing.is_set():
            report = self._hear(SILENT_S if self._connected else OPEN_S)
            match report:
                case ControllerSample():
                    self._samples.append(report)
                case Connected(name):
                    self._runtime, self._connected = name, True
                    self._say(f"{self.name}: connected again.")
                case Told(text):
                    self._say(text)
                case Over(text):
                    self._again(text)
                case None if not self._closing.is_set():
                    self._again("The headset's session ended without a word or hangs.")

    def _again(self, why: str) -> None:
        self._say(f"{why} {_AGAIN}")
        self._connected = False
        self._end()
        while not self._closing.wait(RETRY_S):
            # A machine without memory or processes left has some again later.
            with suppress(OSError):
                self._start()
                return

    def _silence(self) -> str:
        """Why the first session told nothing."""
        assert self._process is not None
        self._process.join(timeout=0.5)
        if self._process.is_alive():
            return f"The OpenXR runtime made no session within {OPEN_S:g} s. {LOOK}"
        return f"The OpenXR runtime ended its program (exit code {self._process.exitcode}). {LOOK}"

    def _say(self, text: str) -> None:
        if text != self._last_words:
            self._last_words = text
            self._said.append(text)

    def _hear(self, patience_s: float) -> Report | None:
        """The next report; None if none comes."""
        assert self._line is not None
        until = time.monotonic() + patience_s
        try:
            while time.monotonic() < until and not self._closing.is_set():
                if self._line.poll(0.1):
                    report: Report = self._line.recv()
                    return report
        except (EOFError, OSError):
            pass  # its process has ended
        return None

    def _start(self) -> None:
        line, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=read_hand, args=(self._hand, theirs), daemon=True)
        with no_interrupt():
            process.start()
        theirs.close()
        self._line, self._process = line, process

    def _end(self) -> None:
        line, process = self._line, self._process
        self._line = self._process = None
        if line is not None:
            with suppress(OSError):
                line.send(Stop())
        if process is not None:
            process.join(timeout=LEAVE_S)
            process.kill()
            process.join()
        if line is not None:
            line.close()
