"""Keys of a display through pynput, on a virtual X server, with keys pressed below its clients."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from recorders.devices import display
from recorders.devices.choose import choose
from recorders.devices.terminal import Terminal
from tests.devices.programs import need, virtual_display, xdotool
from tests.devices.pseudo import PROMPT_S, Listener, emulator, eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    need("Xvfb", "xdotool")
    with virtual_display() as name:
        yield name


@pytest.fixture
def bare(screen: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """This process is at that display, which has no window."""
    monkeypatch.setenv("DISPLAY", screen)
    for name in ("SSH_CONNECTION", "SSH_TTY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return screen


class Windows:
    """Two windows on a display."""

    def __init__(self, name: str) -> None:
        from Xlib import X
        from Xlib.display import Display

        self._display: Any = Display(name)
        root = self._display.screen().root
        self._windows = [root.create_window(100 * at, 0, 80, 80, 0, X.CopyFromParent) for at in range(2)]
        for window in self._windows:
            window.map()
        self._display.sync()
        time.sleep(0.1)

    def focus(self, which: int) -> None:
        from Xlib import X

        self._windows[which].set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()

    def hide(self, which: int) -> None:
        self._windows[which].unmap()
        self._display.sync()

    def close(self) -> None:
        for window in self._windows:
            window.destroy()
        self._display.close()


@pytest.fixture
def windows(bare: str) -> Iterator[Windows]:
    made = Windows(bare)
    made.focus(0)
    yield made
    made.close()


@pytest.fixture
def here(bare: str, windows: Windows) -> str:
    """This process is at that display, and its window has the focus."""
    return bare


@contextmanager
def listening() -> Iterator[tuple[display.Display, Listener]]:
    source, listener = display.Display(), Listener(releases=True, chords=True)
    source.start(listener.tell)
    try:
        yield source, listener
    finally:
        source.stop()


def test_a_key_is_held_until_it_goes_up(here: str) -> None:
    with listening() as (source, listener):
        assert source.name == f"keyboard of display {here}"
        xdotool(here, "keydown", "i")
        listener.until("i")
        time.sleep(0.4)
        assert listener.held() == ("i",)
        began = time.perf_counter()
        xdotool(here, "keyup", "i")
        listener.until()
        assert time.perf_counter() - began < PROMPT_S
        assert listener.strokes()[0] == ("i", "press")
        assert ("i", "press") not in listener.strokes()[1:], "what the display repeats is a repeat"


def test_chords_come_and_go_key_by_key(here: str) -> None:
    with listening() as (_, listener):
        xdotool(here, "keydown", "i", "keydown", "Left", "keydown", "space")
        listener.until("i", "left", "space")
        xdotool(here, "keyup", "Left")
        listener.until("i", "space")
        xdotool(here, "keyup", "i", "keyup", "space")
        listener.until()


def test_keys_are_told_as_typed_and_go_up_as_they_went_down(here: str) -> None:
    with listening() as (_, listener):
        xdotool(
            here, "keydown", "shift", "keydown", "u", "keyup", "shift", "keyup", "u", "key", "Return", "Escape", "F3"
        )
        eventually(lambda: ("f3", "release") in listener.strokes(), "the last key")
        told = [stroke for stroke in listener.strokes() if stroke[1] != "repeat"]
        assert told == [(key, what) for key in ("U", "enter", "escape", "f3") for what in ("press", "release")]


def test_commands_are_no_strokes(here: str) -> None:
    with listening() as (_, listener):
        xdotool(here, "key", "ctrl+c", "key", "alt+i", "key", "k")
        eventually(lambda: ("k", "press") in listener.strokes(), "the last key")
        assert {key for key, _ in listener.strokes()} - {""} == {"k"}


def test_another_window_takes_the_focus_and_everything_is_let_go(here: str, windows: Windows) -> None:
    with listening() as (_, listener):
        xdotool(here, "keydown", "i")
        listener.until("i")
        windows.focus(1)
        assert listener.until() < PROMPT_S
        xdotool(here, "keyup", "i", "key", "k")
        time.sleep(0.1)
        assert listener.held() == ()
        assert "k" not in {key for key, _ in listener.strokes()}, "what is typed elsewhere is not for the arm"
        windows.focus(0)
        xdotool(here, "keydown", "l")
        listener.until("l")
        xdotool(here, "keyup", "l")
        listener.until()


@pytest.mark.usefixtures("bare")
def test_without_a_window_that_has_the_focus_the_display_is_no_source() -> None:
    assert "no window of the display has the focus" in display.why_not()
    with emulator() as played:
        choice = choose("auto", terminal=Terminal(played.fd))
        assert choice.source.name == "terminal"
        assert "no window" in choice.why
        choice.source.stop()
        with pytest.raises(display.NoDisplay, match="no window"):
            choose("display")


def test_a_window_that_is_gone_drives_nothing(here: str, windows: Windows) -> None:
    with listening() as (_, listener):
        windows.hide(0)
        eventually(lambda: ("", "blur") in listener.strokes(), "focus lost")
        xdotool(here, "key", "k")
        time.sleep(0.1)
        assert {key for key, _ in listener.strokes()} == {""}


@pytest.mark.usefixtures("here")
def test_where_nobody_can_look_up_the_focus_a_plain_command_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "whether its window has the focus" in display.why_not_unattended()
    assert not display.Display()._armed


def test_only_an_armed_source_tells(here: str) -> None:
    with listening() as (source, listener):
        xdotool(here, "keydown", "i")
        listener.until("i")
        source.arm(False)
        assert listener.held() == ()
        xdotool(here, "keyup", "i", "key", "j")
        time.sleep(0.1)
        assert "j" not in {key for key, _ in listener.strokes()}
        source.arm(True)
        xdotool(here, "keydown", "l")
        listener.until("l")
        xdotool(here, "keyup", "l")
        listener.until()


def test_stopping_lets_go(here: str) -> None:
    with listening() as (_, listener):
        xdotool(here, "keydown", "i")
        listener.until("i")
    assert listener.held() == ()
    xdotool(here, "keyup", "i")


@pytest.mark.usefixtures("here")
def test_the_display_is_chosen_over_a_terminal_without_key_up_which_swallows_what_is_typed() -> None:
    with emulator() as played:
        before = played.settings()
        choice = choose("auto", terminal=Terminal(played.fd))
        assert choice.source.name.startswith("keyboard of display")
        assert "no key-up" in choice.why
        choice.source.start(lambda event: None)
        shown = len(played.shown)
        played.send(b"iii")
        time.sleep(0.1)
        assert b"i" not in played.shown[shown:], "nothing is echoed"
        choice.source.stop()
        assert played.settings() == before


@pytest.mark.usefixtures("here")
def test_a_terminal_with_key_up_is_chosen_over_the_display() -> None:
    with emulator(kitty=True) as played:
        choice = choose("auto", terminal=Terminal(played.fd))
        assert (choice.source.name, choice.why) == ("terminal with key-up", "")
        choice.source.stop()


CHOOSE = """
import sys
from recorders.devices import display
from recorders.devices.choose import choose
from recorders.devices.terminal import Terminal
from curation.errors import StudioError
try:
    choice = choose(sys.argv[1], terminal=Terminal(0))
    print(choice.source.name, "|", choice.why)
    choice.source.stop()
except StudioError as error:
    print(error.exit_code, error)
"""


def chosen(asked: str, **environ: str) -> str:
    """What a fresh process on a plain terminal chooses, given what its environment says of displays."""
    kept = {key: value for key, value in os.environ.items() if key not in _ABOUT_DISPLAYS}
    with emulator() as played:
        done = subprocess.run(
            [sys.executable, "-c", CHOOSE, asked], env={**kept, "PYTHONPATH": str(ROOT), **environ},
            stdin=played.fd, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


_ABOUT_DISPLAYS = {"DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY"}
WHY_NOT = [
    ({}, "DISPLAY is not set"),
    ({"DISPLAY": ":9999"}, "pynput cannot use the display"),
    ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "Wayland"),
    ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}, "over SSH"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="displays of Linux")
@pytest.mark.parametrize(("environ", "why"), WHY_NOT)
def test_without_a_display_the_terminal_is_chosen_and_the_reason_is_named(environ: dict[str, str], why: str) -> None:
    told = chosen("auto", **environ)
    assert told.startswith("terminal |")
    assert why in told


@pytest.mark.skipif(sys.platform != "linux", reason="displays of Linux")
def test_asking_for_a_display_that_is_not_there_says_what_is() -> None:
    told = chosen("display", DISPLAY=":9999")
    assert told.startswith("2 ")
    assert "pynput cannot use the display" in told
    assert "terminal, browser" in told
