"""Bytes of a terminal become strokes."""

from __future__ import annotations

import pytest

from recorders.devices.keys import REPEAT_S, KeyEvent, Stroke
from recorders.devices.terminal_codes import ESCAPE_S, Interrupt, KeyCodes, Reply

PRESS, REPEAT, RELEASE = Stroke.PRESS, Stroke.REPEAT, Stroke.RELEASE


def strokes(data: bytes, codes: KeyCodes | None = None, now: float = 0.0) -> list[tuple[str, Stroke]]:
    heard = (codes or KeyCodes()).feed(data, now)
    assert all(isinstance(one, KeyEvent) for one in heard)
    return [(one.key, one.stroke) for one in heard if isinstance(one, KeyEvent)]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"i", "i"), (b"U", "U"), (b"=", "="), (b"\r", "enter"), (b"\n", "enter"), (b" ", "space"), (b"\t", "tab"),
        (b"\x7f", "backspace"), (b"\x08", "backspace"), (b"\x1b[A", "up"), (b"\x1bOD", "left"), (b"\x1b[C", "right"),
        (b"\x1b[3~", "delete"), (b"\x1bOP", "f1"), (b"\x1b[15~", "f5"), (b"\x1b[24~", "f12"), ("é".encode(), "é"),
    ],
)  # fmt: skip
def test_a_plain_key_is_a_press(data: bytes, key: str) -> None:
    assert strokes(data) == [(key, PRESS)]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"\x1b[105;1:1;105u", "i"), (b"\x1b[117;2:1;85u", "U"), (b"\x1b[61;2:1;43u", "+"), (b"\x1b[117;2:1u", "U"),
        (b"\x1b[105;65:1;73u", "I"), (b"\x1b[105;129:1;105u", "i"), (b"\x1b[27u", "escape"), (b"\x1b[13;1:1u", "enter"),
        (b"\x1b[32;1:1;32u", "space"), (b"\x1b[1;1:1A", "up"), (b"\x1b[3;1:1~", "delete"), (b"\x1b[57417;1:1u", "left"),
        (b"\x1b[1092:1060:97;1:1;1092u", "ф"),
    ],
)  # fmt: skip
def test_a_key_of_the_protocol_is_told_as_typed(data: bytes, key: str) -> None:
    assert strokes(data) == [(key, PRESS)]


def test_the_protocol_tells_repeats_and_releases() -> None:
    codes = KeyCodes()
    assert strokes(b"\x1b[105;1:1;105u\x1b[105;1:2;105u\x1b[105;1:3u", codes) == [
        ("i", PRESS), ("i", REPEAT), ("i", RELEASE),
    ]  # fmt: skip
    assert strokes(b"\x1b[1;1:1A\x1b[1;1:3A", codes) == [("up", PRESS), ("up", RELEASE)]


@pytest.mark.parametrize("modifier", [2, 3, 5, 6, 9])
def test_a_key_goes_up_as_what_it_went_down_as_whatever_modifier_came_since(modifier: int) -> None:
    data = b"\x1b[105;1:1;105u" + b"\x1b[105;%d:3u" % modifier
    assert strokes(data) == [("i", PRESS), ("i", RELEASE)]


@pytest.mark.parametrize("data", [b"\x1b[105;5:1u", b"\x1b[105;3:1u", b"\x1bi", b"\x01", b"\x1b[1;5A", b"\x1b[57441u"])
def test_commands_and_modifiers_are_no_strokes(data: bytes) -> None:
    codes = KeyCodes()
    assert strokes(data, codes) == []
    assert strokes(b"k", codes, now=1.0) == [("k", PRESS)], "nor do they spoil what follows"


def test_control_c_of_the_protocol_interrupts() -> None:
    assert KeyCodes().feed(b"\x1b[99;5:1u", 0.0) == [Interrupt()]
    assert KeyCodes().feed(b"\x1b[99;5:3u", 0.0) == []


def test_sequences_may_be_cut_anywhere() -> None:
    data = b"\x1b[105;1:1;105u\x1b[A\xc3\xa9\x1b[105;1:3u\x1bOB\x1b[?27u"
    whole = KeyCodes().feed(data, 0.0)
    assert len(whole) == 6
    for cut in range(1, len(data)):
        codes = KeyCodes()
        assert codes.feed(data[:cut], 0.0) + codes.feed(data[cut:], 0.0) == whole, cut


def test_a_lone_escape_is_the_escape_key_after_a_short_time() -> None:
    codes = KeyCodes()
    assert strokes(b"\x1b", codes, 0.0) == []
    assert strokes(b"", codes, ESCAPE_S / 2) == []
    assert strokes(b"", codes, ESCAPE_S + 0.001) == [("escape", PRESS)]


def test_two_escapes_are_two_and_an_escape_before_a_sequence_is_one() -> None:
    codes = KeyCodes()
    assert strokes(b"\x1b\x1b[A", codes, 0.0) == [("escape", PRESS), ("up", PRESS)]


def test_a_paste_is_nothing() -> None:
    codes = KeyCodes()
    assert strokes(b"\x1b[200~iii\x1b[A\r\x1b", codes) == []
    assert strokes(b"[201~k", codes, 0.01) == [("k", PRESS)]


def test_focus_out_lets_go_and_focus_in_is_nothing() -> None:
    assert strokes(b"\x1b[O\x1b[I") == [("", Stroke.BLUR)]


def test_answers_are_told_apart_from_keys() -> None:
    assert KeyCodes().feed(b"\x1b[?27u\x1b[?62;22c", 0.0) == [Reply("kitty", 27), Reply("attributes", 0)]


def test_without_the_protocol_the_same_key_soon_again_is_a_repeat() -> None:
    codes = KeyCodes()
    assert strokes(b"\r", codes, 0.0) == [("enter", PRESS)]
    assert strokes(b"\r", codes, 0.66) == [("enter", REPEAT)], "the first repeat of a held key comes late"
    assert strokes(b"\r\x1b[B\x1b[B", codes, 0.7) == [("enter", REPEAT), ("down", PRESS), ("down", REPEAT)]
    assert strokes(b"\r", codes, 0.75) == [("enter", PRESS)], "another key came between"
    assert strokes(b"\r", codes, 0.75 + REPEAT_S) == [("enter", PRESS)]


def test_noise_never_raises_nor_sticks() -> None:
    codes = KeyCodes()
    noise = bytes(range(256)) * 2 + b"\x1b[99999999999999u\x1b[;;;u\x1b[:::~\x1b[<0;3;4M\x1bP+q\x1b\\"
    for at, byte in enumerate(noise):
        codes.feed(bytes([byte]), at * 0.001)
    codes.feed(b"", 10.0)
    assert strokes(b"j", codes, 20.0)[-1:] == [("j", PRESS)]


def test_a_press_after_a_missed_key_up_is_what_is_typed_now() -> None:
    codes = KeyCodes()
    assert strokes(b"\x1b[117;2:1;85u", codes) == [("U", PRESS)]
    assert strokes(b"\x1b[117;2:2;85u", codes) == [("U", REPEAT)]
    assert strokes(b"\x1b[117;1:1;117u", codes) == [("u", PRESS)]
    codes.forget()
    assert strokes(b"\x1b[117;1:3u", codes) == []
