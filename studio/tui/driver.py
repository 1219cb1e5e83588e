"""Key-up inside the application, on terminals that speak the kitty keyboard protocol.

Textual asks such terminals for unambiguous keys, but not for repeats and releases, which its parser fails on. This
driver asks for them, tells all strokes to `KEYS`, and lets Textual see presses and repeats as the keys it knows. On
other terminals it is as Textual's own.
"""

from __future__ import annotations

import os
import re
import selectors
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Iterable

from textual import events
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.keys import Keys
from textual.message import Message

from recorders.devices.keys import KeyEvent, Stroke, Tell
from recorders.devices.line import QUESTION, Line
from recorders.devices.terminal import KINDS, NAME, NAME_KEY_UP, NOTE, NOTE_KEY_UP
from recorders.devices.terminal_codes import KeyCodes

ASK = f"\x1b[={KINDS};2u\x1b[?u"
"""Add kinds of strokes to the flags that Textual pushed, then ask which are in force. Textual pops them all at its end;
terminals without the protocol ignore both."""
POLL_S = 0.1
"""How often the input thread looks whether it shall end, whether an escape byte was the Escape key, and whether the
terminal still answers [s]."""
# code : alternates ; modifiers : kind ; text   final
_KEY = re.compile(r"\x1b\[(\d*)[\d:]*;(\d*):([123])(;[\d:]*)?([~A-Zu])")
_FLAGS = re.compile(r"\x1b\[\?(\d+)u")


class TerminalKeys:
    """The application's own terminal as a source of keys.

    It outlives applications that fail and are started again. Without key-up it tells nothing but BLUR: screens pass on
    the keys that Textual gives them.

    Attributes:
        name, releases, chords, shared, note: as in `KeySource`; final once the terminal has
            answered, a moment after the start.
    """

    shared = True

    def __init__(self) -> None:
        self.name = NAME
        self.releases = self.chords = False
        self.note = NOTE
        self._tell: Tell | None = None
        self._line = Line()

    def start(self, tell: Tell) -> None:
        """Tell strokes from now on, from the thread that reads the terminal."""
        self._tell = tell

    def stop(self) -> None:
        """Tell no more, after a last BLUR."""
        self.blur()
        self._tell = None

    def answered(self, flags: int) -> None:
        """The terminal said which flags of the protocol are in force."""
        self.releases = self.chords = bool(flags & KINDS)
        self.name, self.note = (NAME_KEY_UP, NOTE_KEY_UP) if self.releases else (NAME, NOTE)
        self._line.answered()

    def hear(self, event: KeyEvent) -> None:
        """Pass on a stroke of the protocol."""
        self._line.hear(event)
        if self.releases and self._tell is not None:
            self._tell(event)

    def blur(self) -> None:
        """The terminal lost the focus, or tells nothing any more."""
        blur = KeyEvent("", Stroke.BLUR, time.monotonic())
        self._line.hear(blur)
        if self._tell is not None:
            self._tell(blur)

    def to_ask(self) -> bool:
        """Whether it is time to ask the terminal whether it still hears: a key is down."""
        return self._tell is not None and self.releases and self._line.to_ask(time.monotonic())

    @property
    def stalled(self) -> bool:
        """Whether the terminal does not answer although a key is down."""
        return self._line.stalled(time.monotonic())


KEYS = TerminalKeys()
"""Of the one terminal this process has."""


class StrokeParser(XTermParser):
    """Textual's parser, for terminals that also tell repeats and releases.

    Args:
        keys: is told the strokes and what the terminal can.
        debug: as Textual's.
    """

    def __init__(self, keys: TerminalKeys, debug: bool = False) -> None:
        self._keys = keys
        self._codes = KeyCodes()
        super().__init__(debug)

    def forget(self) -> None:
        """Take every key for up."""
        self._codes.forget()

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        """The keys of a whole sequence; none for the beginning of one. Never called while something is pasted."""
        if flags := _FLAGS.fullmatch(sequence):
            self._keys.answered(int(flags[1]))
            return [events.Key(Keys.Ignore, sequence)]
        if found := _KEY.fullmatch(sequence):
            for heard in self._codes.feed(sequence.encode(), time.monotonic()):
                if isinstance(heard, KeyEvent):
                    self._keys.hear(heard)
            if found[3] == "3":
                return [events.Key(Keys.Ignore, sequence)]
            sequence = _without_kind(found)
        return super()._sequence_to_key_events(sequence, alt)


def _without_kind(found: re.Match[str]) -> str:
    """The sequence as a terminal sends it to a program that did not ask for kinds of strokes."""
    code, modifiers, _, text, final = found.groups()
    rest = ("" if modifiers == "1" else modifiers) + (text or "")
    if not rest:
        return f"\x1b[{'' if code == '1' else code}{final}"
    return f"\x1b[{code};{rest}{final}"


def _read(fd: int) -> bytes:
    """What was typed; empty if the terminal is gone, of which signals tell the application."""
    try:
        return os.read(fd, 4096)
    except OSError:
        return b""


DRIVER: type[Driver] | None = None
"""The driver of the application; None leaves the choice to Textual."""

if sys.platform != "win32":
    from textual.drivers.linux_driver import LinuxDriver

    class KeyUpDriver(LinuxDriver):
        """Textual's driver, with another parser and more questions to the terminal."""

        _parser: StrokeParser | None = None

        def start_application_mode(self) -> None:
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if self._writer_thread is not None:
                self.write(ASK)
                self.flush()

        def stop_application_mode(self) -> None:
            super().stop_application_mode()
            KEYS.blur()

        def process_message(self, message: Message) -> None:
            if isinstance(message, events.AppBlur):
                self._let_go()
            super().process_message(message)

        def run_input_thread(self) -> None:
            """Textual's loop; it names its parser itself."""
            self._parser = parser = StrokeParser(KEYS, self._debug)
            decode = getincrementaldecoder("utf-8")(errors="replace").decode
            with selectors.SelectSelector() as selector:
                selector.register(self.fileno, selectors.EVENT_READ)
                while not self.exit_event.is_set():
                    if selector.select(POLL_S):
                        data = _read(self.fileno)
                        if not data:
                            return
                        # A character that is cut in two decodes to nothing, which would end the parser.
                        for message in parser.feed(text) if (text := decode(data)) else ():
                            self.process_message(message)
                    for message in parser.tick():
                        self.process_message(message)
                    self._look()

        def _look(self) -> None:
            """Let go of everything if the terminal does not answer while a key is down; ask it again."""
            if KEYS.stalled:
                self._let_go()
            writer = self._writer_thread
            # A line that stalls fills the writer's queue, which would block this thread.
            if KEYS.to_ask() and writer is not None and not writer._queue.full():
                self.write(QUESTION)

        def _let_go(self) -> None:
            KEYS.blur()
            if self._parser is not None:
                self._parser.forget()

    DRIVER = KeyUpDriver
