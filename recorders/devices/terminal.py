"""Keys of the terminal this command runs in. Terminals that speak the kitty protocol also tell when a key goes up."""

from __future__ import annotations

import atexit
import os
import select
import signal
import threading
import time
from contextlib import suppress
from typing import Any

from curation.errors import UsageError

from .keys import KeyEvent, Stroke, Tell
from .line import QUESTION, Line
from .terminal_codes import ESCAPE_S, Heard, Interrupt, KeyCodes, Reply

ANSWER_S = 0.3
"""How long a terminal may take to say what it can [s]; over SSH a round trip is below that."""
PUSH = b"\x1b[>27u"
"""Flags 1 | 2 | 8 | 16 of the protocol: unambiguous keys, kinds of strokes, all keys as sequences, and their text."""
ASK = b"\x1b[?u\x1b[c"
"""Which flags are in force, then what every terminal answers: if that answer comes alone, the protocol is not known."""
POP = b"\x1b[<u"
FOCUS_AND_PASTE = b"\x1b[?1004h\x1b[?2004h"
NO_FOCUS_AND_PASTE = b"\x1b[?2004l\x1b[?1004l"
KINDS = 2
"""The flag that asks for kinds of strokes."""

NAME, NAME_KEY_UP = "terminal", "terminal with key-up"
NOTE = "No key-up here: a tap is one step, a hold goes on, and of two keys the last counts"
NOTE_KEY_UP = "Hold to move, several keys at once; the arm stops when this window loses focus"


class NoTerminal(UsageError):
    """There is no terminal to read keys from."""

    def __init__(self) -> None:
        super().__init__(
            "There is no terminal to read keys from: standard input is not one. Run this in a terminal, or choose "
            "--keys browser or --keys display."
        )


class Terminal:
    """A terminal as a source of keys.

    Args:
        fd: of the terminal.
        key_up: whether to ask the terminal for key-up.

    Attributes:
        name, releases, chords, shared, note: as in `KeySource`; final once `open` has asked the terminal.
    """

    shared = False

    def __init__(self, fd: int = 0, *, key_up: bool = True) -> None:
        self.name = NAME
        self.releases = self.chords = False
        self.note = NOTE
        self._fd = fd
        self._ask = key_up
        self._codes = KeyCodes()
        self._line = Line()
        self._before: list[Any] | None = None
        self._early: list[KeyEvent] = []
        self._thread: threading.Thread | None = None
        self._wake: tuple[int, int] | None = None

    def open(self) -> None:
        """Take the terminal and ask what it can; until `stop`, it neither echoes nor waits for lines.

        Raises:
            NoTerminal: it is none.
        """
        if self._before is not None:
            return
        self._before = _take(self._fd)
        # Whatever ends this process in order also gives the terminal back.
        atexit.register(self.stop)
        self._write(FOCUS_AND_PASTE)
        if self._ask:
            self._write(PUSH + ASK)
            self._hear_answers()

    def start(self, tell: Tell) -> None:
        """Tell strokes from now on, from a thread of its own; those made since `open` come first."""
        self.open()
        early, self._early = self._early, []
        for event in early:
            self._line.hear(event)
            tell(event)
        self._wake = os.pipe()
        self._thread = threading.Thread(
            target=self._listen, args=(tell, self._wake[0]), name="terminal keys", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Give the terminal back as it was."""
        import termios

        if self._thread is not None and self._wake is not None:
            os.write(self._wake[1], b"x")
            self._thread.join()
            for end in self._wake:
                os.close(end)
            self._thread = self._wake = None
        if self._before is not None:
            before, self._before = self._before, None
            with suppress(OSError, termios.error):  # a terminal that is gone wants nothing back
                self._write((POP if self._ask else b"") + NO_FOCUS_AND_PASTE)
                # What was typed and not read here is not meant for the shell.
                termios.tcsetattr(self._fd, termios.TCSAFLUSH, before)
            atexit.unregister(self.stop)

    def _hear_answers(self) -> None:
        until = time.monotonic() + ANSWER_S
        while (left := until - time.monotonic()) > 0:
            heard = self._read(left)
            if heard is None:
                return
            for one in heard:
                if isinstance(one, KeyEvent):
                    self._early.append(one)
                elif isinstance(one, Reply) and one.what == "attributes":
                    return
                elif isinstance(one, Reply) and one.flags & KINDS:
                    self.releases = self.chords = True
                    self.name, self.note = NAME_KEY_UP, NOTE_KEY_UP

    def _listen(self, tell: Tell, wake: int) -> None:
        while wake not in select.select([self._fd, wake], [], [], ESCAPE_S)[0]:
            heard = self._read(0.0)
            if heard is None:
                break
            for one in heard:
                if isinstance(one, KeyEvent):
                    self._line.hear(one)
                    tell(one)
                elif isinstance(one, Reply):
                    self._line.answered()
                elif isinstance(one, Interrupt):
                    os.kill(os.getpid(), signal.SIGINT)
            if self.releases:
                self._look(tell)
        tell(KeyEvent("", Stroke.BLUR, time.monotonic()))

    def _look(self, tell: Tell) -> None:
        """Ask whether the terminal still hears while a key is down; let go of everything once it does not."""
        now = time.monotonic()
        if self._line.stalled(now):
            blur = KeyEvent("", Stroke.BLUR, now)
            self._line.hear(blur)
            self._codes.forget()
            tell(blur)
        # A terminal that takes nothing now would block this thread, and with it the keys.
        if self._line.to_ask(now) and select.select([], [self._fd], [], 0.0)[1]:
            self._write(QUESTION.encode())

    def _read(self, wait_s: float) -> list[Heard] | None:
        """What was typed and answered; None if the terminal is gone."""
        data = b""
        if select.select([self._fd], [], [], wait_s)[0]:
            try:
                data = os.read(self._fd, 4096)
            except OSError:
                return None
            if not data:
                return None
        return self._codes.feed(data, time.monotonic())

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]


def _take(fd: int) -> list[Any]:
    """Let keys through at once and silently, as they are typed; returns the settings before.

    Ctrl+C still interrupts. Ctrl+Z does nothing: it would leave the shell with this terminal's state.
    """
    try:
        import termios
    except ImportError as error:  # Windows
        raise NoTerminal from error
    try:
        before = termios.tcgetattr(fd)
    except (termios.error, OSError) as error:
        raise NoTerminal from error
    taken = termios.tcgetattr(fd)
    taken[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    taken[6][termios.VMIN], taken[6][termios.VTIME] = 1, 0
    taken[6][termios.VSUSP] = bytes([os.fpathconf(fd, "PC_VDISABLE") & 0xFF])
    termios.tcsetattr(fd, termios.TCSADRAIN, taken)
    return before
