"""What is asked of, and sent to, terminals with graphics, byte for byte."""

from __future__ import annotations

import base64
import os
import pty
import termios
import threading
import time
import unicodedata
import zlib

import numpy as np
import pytest
from rich.cells import cell_len

from studio.tui import graphics
from studio.tui.graphics import CHUNK, DIACRITICS, Slot, ask, find, placeholder, transmission, understands

SHOWS = "\x1b_Gi=31;OK\x1b\\"
KITTY, OLD_KITTY = "\x1bP>|kitty(0.41.1)\x1b\\", "\x1bP>|kitty(0.26.5)\x1b\\"
FENCE = "\x1b[?62;c"


def test_the_table_is_kittys() -> None:
    assert len(DIACRITICS) == len(set(DIACRITICS)) == 297
    assert [ord(sign) for sign in (*DIACRITICS[:4], DIACRITICS[-1])] == [0x305, 0x30D, 0x30E, 0x310, 0x1D244]
    assert list(DIACRITICS) == sorted(DIACRITICS)
    for sign in DIACRITICS:
        assert unicodedata.combining(sign) == 230
        assert not unicodedata.decomposition(sign)
        assert unicodedata.normalize("NFC", f"\U0010eeee{sign}") == f"\U0010eeee{sign}"


def test_a_placeholder_is_one_cell_and_names_line_and_column() -> None:
    row = placeholder(7, range(3, 9))
    assert cell_len(row) == 6
    assert row[:3] == f"\U0010eeee{DIACRITICS[7]}{DIACRITICS[3]}"
    assert cell_len(placeholder(296, range(297))) == 297


@pytest.mark.parametrize("size", [(2, 2), (48, 64), (240, 320)])
def test_a_terminal_puts_the_picture_together_again(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (*size, 3)).astype(np.uint8)
    sent = transmission(0x0A0B0C, image, 11, 29)
    parts = [part.split(";", 1) for part in sent.removesuffix("\x1b\\").removeprefix("\x1b_G").split("\x1b\\\x1b_G")]
    first = dict(pair.split("=") for pair in parts[0][0].split(","))
    assert {key: first[key] for key in "aUicrfosvq"} == {
        "a": "T", "U": "1", "i": str(0x0A0B0C), "c": "29", "r": "11", "f": "24", "o": "z",
        "s": str(size[1]), "v": str(size[0]), "q": "2",
    }  # fmt: skip
    assert [keys for keys, _ in parts[1:]] == ["q=2,m=1"] * (len(parts) - 2) + ["q=2,m=0"] * (len(parts) > 1)
    assert first["m"] == str(int(len(parts) > 1))
    assert all(len(data) == CHUNK for _, data in parts[:-1])
    assert 0 < len(parts[-1][1]) <= CHUNK
    data = zlib.decompress(base64.standard_b64decode("".join(data for _, data in parts)))
    assert data == image.tobytes()


def test_a_slot_shows_one_picture_while_the_next_is_sent() -> None:
    slot, other, image = Slot(), Slot(), np.zeros((2, 2, 3), np.uint8)
    sent = [slot.send(image, 1, 2) for _ in range(4)]
    numbers = []
    for text in sent:
        numbers.append(int(text.split("a=T,U=1,i=")[1].split(",")[0]))
    assert numbers[0] != numbers[1]
    assert numbers == [numbers[0], numbers[1]] * 2
    assert ["d=I" in text for text in sent] == [False, False, True, True]
    assert sent[2].startswith(f"\x1b_Ga=d,d=I,i={numbers[0]},q=2\x1b\\")
    other.send(image, 1, 2)
    assert other.number not in numbers
    assert all(0 < number < 1 << 24 for number in (*numbers, other.number))
    assert slot.clear().count("d=I") == 2
    assert slot.clear() == ""


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        (SHOWS + KITTY + FENCE, True),
        (SHOWS + "\x1bP>|ghostty 1.1.3\x1b\\" + FENCE, True),
        (SHOWS + OLD_KITTY + FENCE, False),  # shows pictures, but knows no placeholders
        (SHOWS + "\x1bP>|WezTerm 20240203-110809-5046fc22\x1b\\" + FENCE, False),
        (SHOWS + "\x1bP>|Konsole 23.08\x1b\\" + FENCE, False),
        (SHOWS + FENCE, False),
        (KITTY + FENCE, False),
        (FENCE, False),
        ("", False),
    ],
)
def test_only_terminals_that_know_placeholders_are_trusted(answer: str, good: bool) -> None:
    assert understands(answer) is good


@pytest.mark.parametrize(("answer", "soon"), [(SHOWS + KITTY + FENCE, True), (FENCE, True), ("", False)])
def test_asking_ends_at_the_fence_and_leaves_the_terminal_as_it_was(answer: str, soon: bool) -> None:
    outer, inner = pty.openpty()
    heard: list[bytes] = []

    def terminal() -> None:
        while not heard or not b"".join(heard).endswith(b"\x1b[c"):
            heard.append(os.read(outer, 1024))
        os.write(outer, answer.encode())

    player = threading.Thread(target=terminal, daemon=True)
    before = termios.tcgetattr(inner)
    player.start()
    start = time.monotonic()
    assert ask(inner, inner, within_s=2.0) == answer
    assert (time.monotonic() - start < 1.5) is soon
    assert termios.tcgetattr(inner) == before
    assert b"".join(heard) == b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[>q\x1b[c"
    player.join()
    for end in (outer, inner):
        os.close(end)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STUDIO_GRAPHICS": "kitty", "TMUX": "x"}, "kitty"),
        ({"STUDIO_GRAPHICS": "blocks", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"KITTY_WINDOW_ID": "1"}, "blocks"),  # nothing answers here: no terminal
        ({"TMUX": "x"}, "blocks"),
        ({"SSH_CONNECTION": "x"}, "blocks"),
    ],
)
def test_the_environment_has_the_last_word(
    environ: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphics, "_found", "blocks")
    assert find(environ) == expected
    assert graphics.found() == expected
    assert graphics.picture_size()["width"] == (320 if expected == "kitty" else 160)
