"""Key-up inside a Textual application, on a real pseudo-terminal."""

from __future__ import annotations

import hashlib
import inspect
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import textual
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from recorders.devices.keys import KeyEvent, Stroke
from recorders.devices.line import ASK_S, LOST_S
from studio.tui.driver import POLL_S, StrokeParser, TerminalKeys
from tests.devices.pseudo import PROMPT_S, Emulator, Listener, emulator, eventually

TINY = Path(__file__).with_name("tiny_app.py")
ROOT = Path(__file__).parents[2]


class Shown(Listener):
    """A tiny application in a terminal, and what it told."""

    def __init__(self, terminal: Emulator) -> None:
        out, into = os.pipe()
        self.terminal = terminal
        self.before = terminal.settings()
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, str(TINY), str(into)],
            stdin=terminal.fd, stdout=terminal.fd, stderr=terminal.fd, pass_fds=[into],
            env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}, start_new_session=True,
        )  # fmt: skip
        os.close(into)
        super().__init__(releases=terminal.kitty, chords=terminal.kitty)
        self._reader = threading.Thread(target=self._read, args=(out,), daemon=True)
        self._reader.start()

    def wait(self) -> None:
        """Until it runs and knows its terminal."""
        eventually(lambda: any(line.startswith("ready") for line in self.lines), "the application", within_s=20)

    def of(self, kind: str) -> list[str]:
        """What was told of one kind, in order."""
        return [line.partition(" ")[2] for line in self.lines if line.split(" ")[0] == kind]

    def forget(self) -> None:
        self.lines[:] = [line for line in self.lines if line.startswith("ready")]
        self.events.clear()

    def leave(self) -> int:
        """Ask the application to end; its exit code."""
        self.terminal.send(b"\x1b[113;5:1u\x1b[113;5:3u" if self.terminal.flags else b"\x11")
        code = self.process.wait(timeout=60)
        self._reader.join()
        return code

    def _read(self, out: int) -> None:
        with os.fdopen(out) as told:
            for line in told:
                words = line.rstrip("\n").split(" ")
                if words[0] == "stroke":
                    self.tell(KeyEvent("" if words[1] == "-" else words[1], Stroke(words[2]), time.monotonic()))
                self.lines.append(line.rstrip("\n"))


@contextmanager
def shown(*, kitty: bool) -> Iterator[Shown]:
    with emulator(kitty=kitty) as terminal:
        app = Shown(terminal)
        try:
            app.wait()
            yield app
        finally:
            app.process.kill()
            app.process.wait()
            app._reader.join()


@pytest.fixture(scope="module")
def kitty() -> Iterator[Shown]:
    with shown(kitty=True) as app:
        yield app


@pytest.fixture(scope="module")
def plain() -> Iterator[Shown]:
    with shown(kitty=False) as app:
        yield app


def test_a_kitty_terminal_tells_key_up_inside_the_application(kitty: Shown) -> None:
    kitty.forget()
    assert kitty.of("ready") == ["True"]
    kitty.terminal.press("i")
    kitty.until("i")
    time.sleep(LOST_S + 2 * ASK_S)
    assert kitty.held() == ("i",)
    kitty.terminal.repeat("i")
    kitty.terminal.release("i")
    assert kitty.until() < PROMPT_S


def test_a_line_that_stalls_lets_go_inside_the_application(kitty: Shown) -> None:
    kitty.forget()
    kitty.terminal.press("i")
    kitty.until("i")
    kitty.terminal.stall()
    assert kitty.until() < ASK_S + LOST_S + 2 * POLL_S + PROMPT_S
    kitty.terminal.stall(False)
    kitty.terminal.press("l")
    kitty.until("l")
    kitty.terminal.release("l")
    kitty.until()


def test_a_key_up_missed_while_the_focus_was_away_changes_no_later_key(kitty: Shown) -> None:
    kitty.forget()
    kitty.terminal.send(b"\x1b[117;2:1;85u")
    kitty.until("U")
    kitty.terminal.leave()
    kitty.until()
    kitty.terminal.send(b"\x1b[I\x1b[117;1:2;117u\x1b[117;1:3u")
    eventually(lambda: "u release" in kitty.of("stroke"), "the key goes up as what it is now")
    assert "U repeat" not in kitty.of("stroke")


def test_chords_work_inside_the_application(kitty: Shown) -> None:
    for key in ("i", "y"):
        kitty.terminal.press(key)
    kitty.until("i", "y")
    kitty.terminal.release("i")
    kitty.until("y")
    kitty.terminal.release("y")
    kitty.until()


@pytest.mark.parametrize("name", ["kitty", "plain"])
def test_losing_focus_lets_go(name: str, request: pytest.FixtureRequest) -> None:
    app: Shown = request.getfixturevalue(name)
    app.forget()
    app.terminal.press("i")
    if app.terminal.kitty:
        app.until("i")
    app.terminal.leave()
    eventually(lambda: "- blur" in app.of("stroke"), "focus lost")
    assert app.held() == ()
    app.terminal.send(b"\x1b[I")


def test_the_application_sees_presses_and_repeats_as_ordinary_keys_and_no_releases(kitty: Shown) -> None:
    kitty.forget()
    kitty.terminal.press("i")
    kitty.terminal.repeat("i")
    kitty.terminal.release("i")
    kitty.terminal.send(b"\x1b[1;1:1D\x1b[1;1:2D\x1b[1;1:3D\x1b[13;1:1u\x1b[13;1:3u\x1b[32;1:1;32u\x1b[32;1:3u")
    kitty.terminal.send(b"\x1b[117;2:1;85u\x1b[117;2:3u\x1b[27;1:1u\x1b[27;1:3u\x1b[61;2:1;43u\x1b[61;1:3u")
    wanted = [
        "i 'i'",
        "i 'i'",
        "left None",
        "left None",
        r"enter '\r'",
        "space ' '",
        "U 'U'",
        "escape None",
        "plus '+'",
    ]
    eventually(lambda: len(kitty.of("key")) >= len(wanted), "the keys")
    assert [line.replace(r"escape '\x1b'", "escape None") for line in kitty.of("key")] == wanted


def test_text_fields_and_bindings_stay_right(kitty: Shown) -> None:
    kitty.forget()
    for key in "okay":
        kitty.terminal.press(key)
        kitty.terminal.release(key)
    eventually(lambda: any("okay" in text for text in kitty.of("field")), "the text")
    kitty.terminal.send(b"\x1b[1;1:1Q\x1b[1;1:3Q\x1b[98;5:1u\x1b[98;5:3u")
    eventually(lambda: kitty.lines.count("bound") == 2, "F2 and Ctrl+B")


def test_a_paste_reaches_the_text_field_and_drives_nothing(kitty: Shown) -> None:
    kitty.forget()
    kitty.terminal.send(b"\x1b[200~iiill\x1b[201~")
    eventually(lambda: any("iiill" in text for text in kitty.of("field")), "the pasted text")
    assert kitty.of("stroke") == []


def test_a_character_cut_in_two_is_one(kitty: Shown) -> None:
    kitty.forget()
    kitty.terminal.send(b"\xc3")
    time.sleep(0.15)
    kitty.terminal.send(b"\xa9")
    eventually(lambda: len(kitty.of("key")) == 1, "the letter")


def test_without_the_protocol_the_application_gets_its_keys_and_no_strokes(plain: Shown) -> None:
    plain.forget()
    assert plain.of("ready") == ["False"]
    plain.terminal.send(b"ik\x1b[D\r\x1b")
    eventually(lambda: len(plain.of("key")) == 5, "the keys")
    assert [line.split(" ")[0] for line in plain.of("key")] == ["i", "k", "left", "enter", "escape"]
    assert plain.of("stroke") == []


@pytest.mark.parametrize("kitty", [False, True])
def test_the_terminal_is_given_back(kitty: bool) -> None:
    with shown(kitty=kitty) as app:
        terminal = app.terminal
        assert terminal.settings() != app.before
        assert terminal.flags == (27 if kitty else 0)
        assert app.leave() == 0
        assert terminal.settings() == app.before
        eventually(lambda: terminal.flags == 0 and b"\x1b[?1049l" in terminal.shown, "flags popped, screen left")
        assert app.of("stroke")[-1:] == ["- blur"]


# What the driver rests on.

SEEN = "8.2.8"
MEND = (
    f"Textual is {textual.__version__}, and the driver was last compared with {SEEN}. Compare LinuxDriver with "
    "studio/tui/driver.py: it must push its kitty flags in start_application_mode, pop them in stop_application_mode, "
    "and read the terminal in run_input_thread with XTermParser, whose _sequence_to_key_events is given whole "
    "sequences. Carry over what changed, run the other tests of this file, then put the new version and digest here."
)


def test_the_parts_of_textual_that_the_driver_replaces_are_those_it_was_written_against() -> None:
    source = inspect.getsource(LinuxDriver.run_input_thread) + inspect.getsource(XTermParser.parse)
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    assert digest == "c525276471f2d3ef", MEND


def test_textual_itself_still_fails_on_a_release() -> None:
    with pytest.raises(ValueError, match="1:3"):
        list(XTermParser().feed("\x1b[119;1:3u"))
    # Once this fails, Textual knows releases, and the driver can go.


def test_a_sequence_that_comes_byte_by_byte_is_one_stroke() -> None:
    keys, told = TerminalKeys(), Listener(releases=True, chords=True)
    keys.start(told.tell)
    parser = StrokeParser(keys)
    typed = [
        message
        for byte in "\x1b[?27u\x1b[105;1:1;105u\x1b[105;1:2;105u\x1b[105;1:3u"
        for message in parser.feed(byte)
    ]  # fmt: skip
    assert keys.releases
    assert told.strokes() == [("i", "press"), ("i", "repeat"), ("i", "release")]
    assert [message.key for message in typed] == ["i", "i"]
