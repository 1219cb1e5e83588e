"""A device that is read in a process of its own. It may die, hang or lose the device; another one follows."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from curation.errors import FAILED, StudioError
from recorders.crew import no_interrupt

SILENT_S = 5.0
"""A process that tells nothing for so long hangs [s]; it tells many readings a second, or that it waits."""
RETRY_S = 1.0
"""Pause before another one is tried [s]."""
LEAVE_S = 2.0
"""How long it may take to let go of the device [s]."""
MOST = 1000
"""Readings kept for whoever takes them: ten seconds."""
AGAIN = "The arm stands and what was driven is kept; trying again every second."
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Connected:
    """The device is there; `name` is for people."""

    name: str


@dataclass(frozen=True)
class Told:
    """Something a person must know. The same once more is only a sign of life."""

    text: str


@dataclass(frozen=True)
class Over:
    """Nothing more comes from this process."""

    text: str
    exit_code: int = FAILED


class Stop:
    """What is sent to end the process."""


def report(line: Connection, message: object) -> None:
    """Send a last word, if anybody listens."""
    with suppress(OSError):
        line.send(message)


@dataclass(frozen=True)
class Kind:
    """What sort of device it is.

    Attributes:
        read: runs in the process with its arguments and a line; sends `Connected`, `Told`, `Over` and readings until it
            is sent `Stop`.
        error: is raised if there is no device.
        open_s: longest time until the first word [s].
        mute: what is said if there is none, with the exit code of the process, or None if it runs on.
        lost: what is said when a process that was connected ends without a word or hangs.
    """

    read: Callable[..., None]
    error: type[StudioError]
    open_s: float
    mute: Callable[[int | None], str]
    lost: str


class Beside[Reading]:
    """One device.

    Args:
        kind: of it.
        name: for people until it is connected.
        arguments: of the process.

    Attributes:
        name: for people.
        process: that reads it now; None while none does.
    """

    def __init__(self, kind: Kind, name: str, *arguments: Any) -> None:
        self.name = name
        self.process: BaseProcess | None = None
        self._kind = kind
        self._arguments = arguments
        self._readings: deque[Reading] = deque(maxlen=MOST)
        self._said: deque[str] = deque()
        self._line: Connection | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._connected = False
        self._last_words = ""

    def open(self) -> None:
        """Connect for the first time.

        Raises:
            StudioError: the kind's error: there is no device; it says what would help.
        """
        self._start()
        told = self._hear(self._kind.open_s)
        if not isinstance(told, Connected):
            text = told.text if isinstance(told, Over) else self._silence()
            self.close()
            raise self._kind.error(text)
        self.name, self._connected = told.name, True
        self._say(f"{self.name}: connected.")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def take(self) -> tuple[tuple[Reading, ...], tuple[str, ...]]:
        """Readings, and words for people, since the last call; never waits."""
        # Only as many as are there now: the other thread goes on adding.
        readings = tuple(self._readings.popleft() for _ in range(len(self._readings)))
        return readings, tuple(self._said.popleft() for _ in range(len(self._said)))

    def send(self, message: object) -> None:
        """Send the process something, if it is there."""
        line = self._line
        with suppress(OSError):
            if line is not None:
                line.send(message)

    def close(self) -> None:
        """Let go of the device; may be called again."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(timeout=LEAVE_S + RETRY_S)
            self._thread = None
        self._end()

    def _listen(self) -> None:
        """Take in what is told; when the process is over, try another one."""
        while not self._closing.is_set():
            told = self._hear(SILENT_S if self._connected else self._kind.open_s)
            match told:
                case Connected(name):
                    self.name, self._connected = name, True
                    self._say(f"{name}: connected again.")
                case Told(text):
                    self._say(text)
                case Over(text):
                    self._again(text)
                case None:
                    if not self._closing.is_set():
                        self._again(self._kind.lost)
                case _:
                    self._readings.append(told)

    def _again(self, why: str) -> None:
        self._say(f"{why} {AGAIN}")
        self._connected = False
        self._end()
        while not self._closing.wait(RETRY_S):
            # A machine without memory or processes left has some again later.
            with suppress(OSError):
                self._start()
                return

    def _silence(self) -> str:
        """Why the first process told nothing."""
        assert self.process is not None
        self.process.join(timeout=0.5)
        return self._kind.mute(self.process.exitcode)

    def _say(self, text: str) -> None:
        if text != self._last_words:
            self._last_words = text
            self._said.append(text)

    def _hear(self, patience_s: float) -> Any:
        """The next report; None if none comes."""
        assert self._line is not None
        until = time.monotonic() + patience_s
        try:
            while time.monotonic() < until and not self._closing.is_set():
                if self._line.poll(0.1):
                    return self._line.recv()
        except (EOFError, OSError):
            pass  # its process has ended
        return None

    def _start(self) -> None:
        line, theirs = _SPAWN.Pipe()
        process = _SPAWN.Process(target=self._kind.read, args=(*self._arguments, theirs), daemon=True)
        with no_interrupt():
            process.start()
        theirs.close()
        self._line, self.process = line, process

    def _end(self) -> None:
        line, process = self._line, self.process
        self._line = self.process = None
        if line is not None:
            report(line, Stop())
        if process is not None:
            process.join(timeout=LEAVE_S)
            process.kill()
            process.join()
        if line is not None:
            line.close()
