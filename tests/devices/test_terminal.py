"""Keys of a terminal, plain and with the kitty protocol, on a real pseudo-terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from curation.errors import StudioError
from recorders.devices.choose import choose, describe
from recorders.devices.keys import TAP_S
from recorders.devices.line import ASK_S, LOST_S
from recorders.devices.terminal import ANSWER_S, NoTerminal, Terminal
from tests.devices.pseudo import PROMPT_S, Emulator, Listener, emulator, eventually


@contextmanager
def listening(played: Emulator, **how: bool) -> Iterator[tuple[Terminal, Listener]]:
    source = Terminal(played.fd, **how)
    source.open()
    listener = Listener(releases=source.releases, chords=source.chords)
    source.start(listener.tell)
    try:
        yield source, listener
    finally:
        source.stop()


def test_a_plain_terminal_says_that_it_has_no_key_up() -> None:
    with emulator() as played, listening(played) as (source, _):
        assert (source.name, source.releases, source.chords) == ("terminal", False, False)
        assert "No key-up" in source.note


def test_on_a_plain_terminal_a_tap_is_one_bounded_step() -> None:
    with emulator() as played, listening(played) as (_, listener):
        played.press("i")
        listener.until("i")
        listener.until()
        assert TAP_S < time.monotonic() - listener.events[0].at < TAP_S + PROMPT_S


def test_on_a_plain_terminal_a_hold_goes_on_until_its_repeats_end() -> None:
    with emulator() as played, listening(played) as (_, listener):
        played.press("i")
        listener.until("i")
        for _ in range(12):
            time.sleep(0.033)
            played.repeat("i")
            listener.until("i")
        assert listener.until() < TAP_S + PROMPT_S
        assert listener.strokes() == [("i", "press")] + 12 * [("i", "repeat")]


def test_on_a_plain_terminal_the_last_of_two_keys_counts() -> None:
    with emulator() as played, listening(played) as (_, listener):
        played.press("i")
        listener.until("i")
        played.press("l")
        eventually(lambda: len(listener.events) == 2, "the second key")
        assert listener.held(listener.events[1].at) == ("l",)


@pytest.mark.parametrize("kitty", [False, True])
def test_losing_focus_stops_at_once(kitty: bool) -> None:
    with emulator(kitty=kitty) as played, listening(played) as (_, listener):
        played.press("i")
        listener.until("i")
        played.leave()
        eventually(lambda: ("", "blur") in listener.strokes(), "focus lost")
        assert listener.held(listener.events[0].at) == ()


def test_with_the_protocol_a_key_is_held_until_it_goes_up() -> None:
    with emulator(kitty=True) as played, listening(played) as (source, listener):
        assert (source.name, source.releases, source.chords) == ("terminal with key-up", True, True)
        played.press("i")
        listener.until("i")
        time.sleep(max(3 * TAP_S, LOST_S + 2 * ASK_S))
        assert listener.held() == ("i",)
        played.repeat("i")
        played.release("i")
        assert listener.until() < PROMPT_S


def test_with_the_protocol_a_line_that_stalls_lets_go_until_a_new_press() -> None:
    with emulator(kitty=True) as played, listening(played) as (_, listener):
        played.press("i")
        listener.until("i")
        played.stall()
        assert listener.until() < ASK_S + LOST_S + PROMPT_S
        played.stall(False)
        played.repeat("i")
        played.press("l")
        listener.until("l")
        played.release("i")
        time.sleep(LOST_S + 2 * ASK_S)
        assert listener.held() == ("l",)


def test_a_terminal_is_asked_only_while_a_key_is_down() -> None:
    with emulator(kitty=True) as played, listening(played) as (_, listener):
        before = played.shown.count(b"\x1b[?u")
        time.sleep(2 * ASK_S)
        assert played.shown.count(b"\x1b[?u") == before
        played.press("i")
        listener.until("i")
        eventually(lambda: played.shown.count(b"\x1b[?u") > before + 1, "questions")


def test_with_the_protocol_chords_come_and_go_key_by_key() -> None:
    with emulator(kitty=True) as played, listening(played) as (_, listener):
        played.press("i")
        played.press("y")
        listener.until("i", "y")
        played.release("i")
        listener.until("y")
        played.release("y")
        listener.until()


@pytest.mark.parametrize("kitty", [False, True])
def test_a_paste_does_not_drive(kitty: bool) -> None:
    with emulator(kitty=kitty) as played, listening(played) as (_, listener):
        assert b"\x1b[?2004h" in played.shown
        played.send(b"\x1b[200~iiillljjj\r\x1b[201~")
        played.press("k")
        listener.until("k")
        assert {key for key, _ in listener.strokes()} == {"k"}


def test_a_lone_escape_is_told_soon() -> None:
    with emulator() as played, listening(played) as (_, listener):
        played.send(b"\x1b")
        eventually(lambda: ("escape", "press") in listener.strokes(), "the Escape key", within_s=2.0)


def test_keys_pressed_while_the_terminal_is_asked_are_not_lost() -> None:
    with emulator() as played:
        played.send(b"i")
        with listening(played) as (_, listener):
            eventually(lambda: ("i", "press") in listener.strokes(), "the early key")


def test_a_terminal_that_answers_nothing_costs_only_the_wait() -> None:
    with emulator(answers=False) as played:
        began = time.monotonic()
        with listening(played) as (source, _):
            assert not source.releases
            assert time.monotonic() - began < ANSWER_S + 0.2


def test_key_up_is_not_asked_for_where_it_is_not_wanted() -> None:
    with emulator(kitty=True) as played, listening(played, key_up=False) as (source, _):
        assert not source.releases
        assert played.flags == 0


@pytest.mark.parametrize("kitty", [False, True])
def test_the_terminal_is_given_back_as_it_was(kitty: bool) -> None:
    with emulator(kitty=kitty) as played:
        before = played.settings()
        with listening(played) as (source, listener):
            assert played.settings() != before
            played.press("i")
            listener.until("i")
        source.stop()
        assert played.settings() == before
        eventually(lambda: played.shown.endswith(b"\x1b[?1004l"), "focus reports and bracketed paste off")
        assert played.flags == 0
        assert listener.held() == ()


def test_a_terminal_that_hangs_up_lets_go() -> None:
    with emulator(kitty=True) as played, listening(played) as (_, listener):
        played.press("i")
        listener.until("i")
        played.hang_up()
        listener.until()


def test_a_pipe_is_no_terminal() -> None:
    out, into = os.pipe()
    try:
        with pytest.raises(NoTerminal, match="--keys browser"):
            Terminal(out).open()
    finally:
        os.close(out)
        os.close(into)


CHILD = """
import sys, time
from recorders.devices.terminal import Terminal
source = Terminal()
source.open()
source.start(lambda event: None)
try:
    print("ready", flush=True)
    if sys.argv[1] == "raise":
        raise RuntimeError("nobody stops the source")
    time.sleep(20)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("kitty", [False, True])
@pytest.mark.parametrize("how", ["raise", "control-c", "interrupt"])
def test_a_process_that_ends_unforeseen_gives_the_terminal_back(kitty: bool, how: str, tmp_path: Path) -> None:
    with emulator(kitty=kitty) as played:
        before = played.settings()
        attach = f"import fcntl, termios; fcntl.ioctl({played.fd}, termios.TIOCSCTTY, 0)\n"
        child = subprocess.Popen(
            [sys.executable, "-c", attach + CHILD, how],
            stdin=played.fd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[played.fd],
            start_new_session=True, text=True,
        )  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if how == "control-c":
            played.send(b"\x1b[99;5:1u" if played.flags else b"\x03")
        elif how == "interrupt":
            child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
        assert out == ("" if how == "raise" else "interrupted\n"), err
        assert played.settings() == before
        eventually(lambda: played.shown.endswith(b"\x1b[?1004l"), "modes off")
        assert played.flags == 0


def test_control_z_does_not_leave_the_shell_with_this_terminals_state() -> None:
    with emulator() as played, listening(played):
        assert played.settings()[6][termios.VSUSP] == b"\0"


@pytest.mark.parametrize("kitty", [False, True])
def test_every_way_to_drive_is_described_the_best_first(kitty: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "1.2.3.4 5 6.7.8.9 22")
    with emulator(kitty=kitty) as played:
        before = played.settings()
        ways = {way.keys: way for way in describe(Terminal(played.fd))}
        assert list(ways) == ["kitty", "display", "terminal", "browser"]
        assert [way.there for way in ways.values()] == [kitty, False, True, True]
        assert "SSH" in ways["display"].detail
        assert kitty or "no key-up" in ways["kitty"].detail
        assert played.settings() == before


def test_a_kind_of_keys_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(StudioError, match="kitty"):
        choose("joystick")


def test_asking_for_key_up_where_there_is_none_says_what_to_do_and_gives_the_terminal_back() -> None:
    with emulator() as played:
        before = played.settings()
        with pytest.raises(StudioError, match=r"kitty keyboard protocol.*browser"):
            choose("kitty", terminal=Terminal(played.fd))
        assert played.settings() == before
