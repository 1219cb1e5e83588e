"""What a terminal sends when keys are pressed: plain bytes, or with the kitty protocol also repeats and releases.

The protocol: https://sw.kovidgoyal.net/kitty/keyboard-protocol/. A key is `CSI code ; modifiers : kind ; text u`, with
kind 1 press, 2 repeat, 3 release; arrows and the like end in a letter or `~` of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .keys import REPEAT_S, KeyEvent, Stroke

ESCAPE_S = 0.05
"""An escape byte that nothing follows for this long is the Escape key [s]: the rest of a sequence comes at once."""

_CSI = re.compile(rb"\x1b\[([?>=<]?)([0-9;:]*)([ -/]*)([@-~])")
_SS3 = re.compile(rb"\x1bO([A-Za-z])")
_BEGUN = re.compile(rb"\x1b(\[[?>=<]?[0-9;:]*[ -/]*|O)?")
_LETTERS = dict(zip(b"ABCDPQRS", ("up", "down", "right", "left", "f1", "f2", "f3", "f4"), strict=True))
_TILDES = {3: "delete", 11: "f1", 12: "f2", 13: "f3", 14: "f4", 15: "f5"}
_TILDES |= {17: "f6", 18: "f7", 19: "f8", 20: "f9", 21: "f10", 23: "f11", 24: "f12"}
_NAMED = {8: "backspace", 9: "tab", 10: "enter", 13: "enter", 27: "escape", 32: "space", 127: "backspace"}
_KEYPAD = {
    57414: "enter",
    57415: "=",
    57413: "+",
    57412: "-",
    57417: "left",
    57418: "right",
    57419: "up",
    57420: "down",
}
_STROKES = {1: Stroke.PRESS, 2: Stroke.REPEAT, 3: Stroke.RELEASE}
_SHIFT, _ALT, _CTRL, _SUPER, _HYPER, _META = 1, 2, 4, 8, 16, 32
_COMMANDS = _ALT | _CTRL | _SUPER | _HYPER | _META
_PRIVATE_USE = range(0xE000, 0xF900)  # keys without a character, such as Shift itself
_PASTE_BEGINS, _PASTE_ENDS = 200, 201


@dataclass(frozen=True)
class Reply:
    """What a terminal answers: "kitty" with its flags, or "attributes", which every terminal knows."""

    what: str
    flags: int = 0


@dataclass(frozen=True)
class Interrupt:
    """Ctrl and C, where the protocol keeps the terminal from making a signal of it."""


Heard = KeyEvent | Reply | Interrupt


class KeyCodes:
    """Makes strokes of bytes, which may be cut anywhere. Keys with Ctrl, Alt or the like are nobody's strokes."""

    def __init__(self) -> None:
        self._bytes = b""
        self._since = 0.0
        self._pasting = False
        self._last = ("", float("-inf"))
        self._down: dict[tuple[int, int], str] = {}

    def feed(self, data: bytes, now: float) -> list[Heard]:
        """Take in bytes read at `now`, of `time.monotonic()` [s]; call it also without, for a lone Escape."""
        if data:
            self._bytes += data
            self._since = now
        return list(self._heard(now))

    def forget(self) -> None:
        """Take every key for up: the terminal no longer tells of them."""
        self._down.clear()

    def _heard(self, now: float) -> Iterator[Heard]:
        while self._bytes:
            if sequence := _CSI.match(self._bytes):
                self._bytes = self._bytes[sequence.end() :]
                yield from self._of_csi(sequence, now)
            elif sequence := _SS3.match(self._bytes):
                self._bytes = self._bytes[sequence.end() :]
                yield from self._plain(_LETTERS.get(sequence[1][0], ""), now)
            elif self._unfinished(now) or (taken := self._character()) is None:
                return
            else:
                yield from self._plain(_name(taken), now)

    def _unfinished(self, now: float) -> bool:
        """Whether the bytes may be the front of a sequence."""
        return _BEGUN.fullmatch(self._bytes) is not None and now - self._since <= ESCAPE_S

    def _character(self) -> str | None:
        """Take one character off; None if it is not there whole."""
        first = self._bytes[0]
        length = 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        alt = first == 0x1B and len(self._bytes) > 1 and self._bytes[1] != 0x1B
        if alt:
            length = 2
        if len(self._bytes) < length:
            return None
        taken, self._bytes = self._bytes[:length], self._bytes[length:]
        return "" if alt else taken.decode("utf-8", errors="replace")

    def _plain(self, key: str, now: float) -> Iterator[KeyEvent]:
        """A key of which no kind of stroke is told."""
        if not key or self._pasting:
            return
        last, at = self._last
        self._last = (key, now)
        yield KeyEvent(key, Stroke.REPEAT if key == last and now - at < REPEAT_S else Stroke.PRESS, now)

    def _of_csi(self, sequence: re.Match[bytes], now: float) -> Iterator[Heard]:
        private, parameters, between, final = sequence.groups()
        fields = [[int(part or 0) for part in field.split(b":")] for field in parameters.split(b";")]
        if final == b"~" and fields[0][0] in (_PASTE_BEGINS, _PASTE_ENDS):
            self._pasting = fields[0][0] == _PASTE_BEGINS
        elif self._pasting or between:
            return
        elif private:
            if final == b"c":
                yield Reply("attributes")
            elif final == b"u" and private == b"?":
                yield Reply("kitty", fields[0][0])
        elif final == b"O":
            self.forget()
            yield KeyEvent("", Stroke.BLUR, now)
        elif final == b"u" or b":" in parameters:
            yield from self._told(final[0], fields, now)
        else:
            # A modifier of a plain arrow says only that this is no arrow for us.
            alone = len(fields) == 1 or fields[1][0] <= 1
            yield from self._plain(_functional(final[0], fields[0][0]) if alone else "", now)

    def _told(self, final: int, fields: list[list[int]], now: float) -> Iterator[Heard]:
        """A key of the protocol."""
        code = fields[0][0]
        modifiers, kind = ([*fields[1], 1][:2] if len(fields) > 1 else (1, 1))[:2]
        commands = max(0, modifiers - 1) & _COMMANDS
        stroke = _STROKES.get(kind, Stroke.PRESS)
        if stroke is Stroke.RELEASE:
            # The key goes up as what it went down as, whatever Shift and Ctrl have done since.
            if key := self._down.pop((final, code), ""):
                yield KeyEvent(key, stroke, now)
        elif commands:
            if code == ord("c") and commands == _CTRL and stroke is Stroke.PRESS:
                yield Interrupt()
        elif key := self._meant(final, fields, stroke, shift=bool((modifiers - 1) & _SHIFT)):
            self._down[final, code] = key
            yield KeyEvent(key, stroke, now)

    def _meant(self, final: int, fields: list[list[int]], stroke: Stroke, *, shift: bool) -> str:
        """The key: a repeat is of what went down; a press is new, whatever key-up was missed before it."""
        before = self._down.get((final, fields[0][0])) if stroke is Stroke.REPEAT else None
        return before or _typed(final, fields, shift=shift)


def _typed(final: int, fields: list[list[int]], *, shift: bool) -> str:
    """The key as typed: by the text it makes, or else by its code."""
    code = fields[0][0]
    text = "".join(map(_char, fields[2])) if len(fields) > 2 else ""
    if final != ord("u"):
        return _functional(final, code)
    if named := _NAMED.get(code) or _KEYPAD.get(code):
        return named
    if len(text) == 1 and text.isprintable():
        return text
    if code in _PRIVATE_USE:
        return ""
    return _name(_char(code).upper() if shift else _char(code))


def _functional(final: int, code: int) -> str:
    return _TILDES.get(code, "") if final == ord("~") else _LETTERS.get(final, "")


def _char(code: int) -> str:
    return chr(code) if code < 0x110000 else ""


def _name(character: str) -> str:
    """The key of a plain character; "" for one that is none."""
    if len(character) != 1:
        return ""
    return _NAMED.get(ord(character)) or (character if character.isprintable() else "")
