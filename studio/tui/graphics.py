"""True pictures in the terminal, by the kitty graphics protocol and its Unicode placeholders.

A picture is sent beside the text, and placeholder characters say in which cells which part of it is seen. These are
ordinary characters, so Textual lays them out, covers and clips them as any other; the foreground colour carries the
picture's number. https://sw.kovidgoyal.net/kitty/graphics-protocol/
"""

from __future__ import annotations

import itertools
import os
import re
import select
import sys
import time
import zlib
from base64 import standard_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from curation.frames import Image

from .diacritics import DIACRITICS

Graphics = Literal["kitty", "blocks"]

VARIABLE = "STUDIO_GRAPHICS"
"""Of the environment: "kitty" or "blocks" instead of what the terminal says."""
FAR = ("TMUX", "STY", "ZELLIJ", "SSH_CONNECTION", "SSH_TTY")
"""Any of these in the environment: a multiplexer keeps pictures to itself, and a slow line is better without."""
ANSWER_S = 0.3
"""Longest wait for the terminal's answer [s]; a local terminal answers within a few milliseconds."""
FIRST_KITTY = (0, 28)
"""The first version of kitty with placeholders."""
CHUNK = 4096
"""Most base64 characters in one escape sequence."""
LEVEL = 1
"""Of zlib: a local terminal takes bytes faster than a core packs them tighter."""
_ASK = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[c"
"""Can you show a picture? Who are you? And, as a fence that every terminal answers, what are you?"""
_FENCE = re.compile(r"\x1b\[\?[\d;]*c")
_NAME = re.compile(r"\x1bP>\|([^\x1b]*)\x1b\\")
_NUMBERS = itertools.count()

_found: Graphics = "blocks"


def found() -> Graphics:
    """What `find` found; half blocks before it has looked."""
    return _found


def picture_size() -> dict[str, int]:
    """Width and height [px] that pictures are worth being drawn at."""
    return {"width": 320, "height": 240} if _found == "kitty" else {"width": 160, "height": 120}


def find(environ: Mapping[str, str] = os.environ) -> Graphics:
    """Look once what the terminal can show; to be called before an application takes the terminal."""
    global _found
    asked = environ.get(VARIABLE, "")
    if asked in ("kitty", "blocks"):
        _found = "kitty" if asked == "kitty" else "blocks"
    elif any(environ.get(name) for name in FAR) or not _local_terminal():
        _found = "blocks"
    else:
        _found = "kitty" if understands(ask(sys.stdin.fileno(), sys.stdout.fileno())) else "blocks"
    return _found


def _local_terminal() -> bool:
    return sys.platform != "win32" and sys.stdin.isatty() and sys.stdout.isatty()


def ask(reader: int, writer: int, within_s: float = ANSWER_S) -> str:
    """Ask a terminal what it can show, and read what it answers.

    Args:
        reader, writer: file descriptors of the terminal.
        within_s: longest wait [s].
    """
    answer = b""
    with _raw(reader):
        os.write(writer, _ASK.encode())
        until = time.monotonic() + within_s
        while not _FENCE.search(answer.decode(errors="replace")):
            left = until - time.monotonic()
            if left <= 0 or not select.select([reader], [], [], left)[0]:
                break
            part = os.read(reader, 1024)
            if not part:
                break
            answer += part
    return answer.decode(errors="replace")


def understands(answer: str) -> bool:
    """Whether an answer is of a terminal with placeholders; many show pictures, but know no placeholders."""
    if "\x1b_Gi=31;OK\x1b\\" not in answer:
        return False
    name = _NAME.search(answer)
    known = re.match(r"(kitty|ghostty)\D*(\d+)\.(\d+)", name[1]) if name else None
    if known is None:
        return False
    return known[1] == "ghostty" or (int(known[2]), int(known[3])) >= FIRST_KITTY


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """Answers come byte for byte and are not echoed."""
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)


class Slot:
    """A place for moving pictures: two numbers that take turns, so that the one seen is never the one being sent."""

    def __init__(self) -> None:
        # Other programs in other windows of one terminal number their pictures, too.
        first = ((os.getpid() & 0x3FFF) << 10 | (2 * next(_NUMBERS) & 0x3FF)) or 2
        self._numbers = (first, first + 1)
        self._turn = 0
        self._held: set[int] = set()

    @property
    def number(self) -> int:
        """Of the newest picture."""
        return self._numbers[self._turn]

    def send(self, image: Image, lines: int, columns: int) -> str:
        """What sends another picture to the terminal and forgets the one before the last.

        Args:
            image: uint8 RGB, shape (height, width, 3).
            lines, columns: cells it shall fill.
        """
        self._turn = 1 - self._turn
        old = self._forget(self.number) if self.number in self._held else ""
        self._held.add(self.number)
        return old + transmission(self.number, image, lines, columns)

    def clear(self) -> str:
        """What frees the terminal's memory."""
        text = "".join(self._forget(number) for number in sorted(self._held))
        self._held.clear()
        return text

    def _forget(self, number: int) -> str:
        return f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"


def transmission(number: int, image: Image, lines: int, columns: int) -> str:
    """Escape sequences that store a picture and make it available to placeholders.

    Args:
        number: of the picture, 1 to 0xFFFFFF.
        image: uint8 RGB, shape (height, width, 3).
        lines, columns: cells it shall fill.
    """
    height, width = image.shape[:2]
    data = standard_b64encode(zlib.compress(image.tobytes(), LEVEL)).decode()
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    keys = f"a=T,U=1,i={number},c={columns},r={lines},f=24,o=z,s={width},v={height},q=2,"
    parts = []
    for place, chunk in enumerate(chunks):
        more = int(place < len(chunks) - 1)
        parts.append(f"\x1b_G{keys if place == 0 else 'q=2,'}m={more};{chunk}\x1b\\")
    return "".join(parts)


def placeholder(line: int, columns: range) -> str:
    """Characters that show some columns of one line of a picture.

    Every cell names its line and column, so that it is right wherever an application clips it.
    """
    row = DIACRITICS[line]
    return "".join(f"\U0010eeee{row}{DIACRITICS[column]}" for column in columns)


def fits(lines: int, columns: int) -> bool:
    """Whether placeholders can name all cells of a picture."""
    return max(lines, columns) <= len(DIACRITICS)
