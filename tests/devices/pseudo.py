"""A terminal whose other end a test plays."""

from __future__ import annotations

import os
import pty
import re
import select
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from recorders.devices.keys import HeldKeys, KeyEvent

PROMPT_S = 0.25
"""Soon enough for a test on a busy machine, and sooner than any timeout of the sources; benchmarks measure [s]."""
ASKED = re.compile(rb"\x1b\[([>=?<]?)([\d;]*)([uc])")


class Emulator:
    """What a terminal emulator does: answers what it is asked, and sends keys the way it was told to.

    Args:
        kitty: whether it speaks the kitty keyboard protocol.
        answers: whether it says what it is at all.

    Attributes:
        kitty: the same.
        fd: the end that programs use.
        shown: everything written to it.
    """

    def __init__(self, *, kitty: bool = False, answers: bool = True) -> None:
        self._end, self.fd = pty.openpty()
        self.kitty, self._answers = kitty, answers
        self._stack = [0]
        self._seen = 0
        self.shown = b""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    @property
    def flags(self) -> int:
        """Of the protocol, in force now."""
        return self._stack[-1]

    def settings(self) -> list[Any]:
        return termios.tcgetattr(self.fd)

    def send(self, data: bytes) -> None:
        os.write(self._end, data)

    def press(self, key: str) -> None:
        code = ord(key)
        self.send(b"\x1b[%d;1:1;%du" % (code, code) if self.flags & 2 else key.encode())

    def repeat(self, key: str) -> None:
        code = ord(key)
        self.send(b"\x1b[%d;1:2;%du" % (code, code) if self.flags & 2 else key.encode())

    def release(self, key: str) -> None:
        if self.flags & 2:
            self.send(b"\x1b[%d;1:3u" % ord(key))

    def leave(self) -> None:
        """Another window gets the focus."""
        assert b"\x1b[?1004h" in self.shown, "nobody asked for focus reports"
        self.send(b"\x1b[O")

    def stall(self, stalled: bool = True) -> None:
        """The line to it carries nothing any more, or does again."""
        self._answers = not stalled

    def close(self) -> None:
        self.hang_up()
        os.close(self.fd)

    def hang_up(self) -> None:
        """The window is closed."""
        self._over.set()
        self._thread.join()
        if self._end >= 0:
            os.close(self._end)
        self._end = -1

    def _play(self) -> None:
        while not self._over.is_set():
            if not select.select([self._end], [], [], 0.02)[0]:
                continue
            try:
                self.shown += os.read(self._end, 65536)
            except OSError:
                return
            self._answer()

    def _answer(self) -> None:
        while found := ASKED.search(self.shown, self._seen):
            self._seen = found.end()
            self._one(found)

    def _one(self, found: re.Match[bytes]) -> None:
        private, numbers, final = found.groups()
        if final == b"c" and self._answers:
            self.send(b"\x1b[?62;22c")
        elif final == b"u" and self.kitty:
            if private == b">":
                self._stack.append(int(numbers))
            elif private == b"<":
                self._stack.pop()
            elif private == b"=":
                self._stack[-1] |= int(numbers.split(b";")[0])
            elif private == b"?" and self._answers:
                self.send(b"\x1b[?%du" % self.flags)


@contextmanager
def emulator(*, kitty: bool = False, answers: bool = True) -> Iterator[Emulator]:
    played = Emulator(kitty=kitty, answers=answers)
    try:
        yield played
    finally:
        played.close()


class Listener:
    """Takes strokes in, and says what is held."""

    def __init__(self, *, releases: bool, chords: bool) -> None:
        self.events: list[KeyEvent] = []
        self._held = HeldKeys(releases=releases, chords=chords)

    def tell(self, event: KeyEvent) -> None:
        self.events.append(event)
        self._held.tell(event)

    def strokes(self) -> list[tuple[str, str]]:
        return [(event.key, str(event.stroke)) for event in self.events]

    def held(self, at: float | None = None) -> tuple[str, ...]:
        return self._held.held(time.monotonic() if at is None else at)

    def until(self, *keys: str, within_s: float = 20.0) -> float:
        """Wait until exactly these keys are held; returns how long it took [s]."""
        began = time.perf_counter()
        while (held := self.held()) != keys:
            took = time.perf_counter() - began
            assert took < within_s, f"held {held}, wanted {keys}, after {took:.2f} s; told {self.strokes()[-10:]}"
            time.sleep(0.001)
        return time.perf_counter() - began


def eventually(true: Callable[[], bool], what: str, within_s: float = 20.0) -> None:
    until = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < until, f"not within {within_s} s: {what}"
        time.sleep(0.005)
