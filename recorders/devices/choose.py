"""The best source of keys there is, and why not a better one."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from curation.errors import UnknownChoice, UsageError

from . import display
from .keys import KeySource
from .page import Page
from .terminal import NoTerminal, Terminal

KEYS = ("auto", "terminal", "kitty", "display", "browser")
NO_KEY_UP = "the terminal tells no key-up"


@dataclass(frozen=True)
class Choice:
    """A source and how it was chosen.

    Attributes:
        source: opened, not started.
        why: a better one was not chosen, in words; "" if it is the best or was asked for.
    """

    source: KeySource
    why: str = ""


@dataclass(frozen=True)
class Way:
    """A way to drive by keys, and whether it is open here.

    Attributes:
        keys: as in `KEYS`.
        there: whether it can be chosen.
        detail: why, or what it gives.
    """

    keys: str
    there: bool
    detail: str


def choose(asked: str = "auto", *, terminal: Terminal | None = None) -> Choice:
    """A source of keys for a plain command.

    Args:
        asked: one of `KEYS`. "auto" prefers a terminal with key-up, then the display, then any terminal; a browser
            page is opened only if asked for.
        terminal: of the command; standard input by default.

    Raises:
        UnknownChoice: there is no source of that name.
        UsageError: what was asked for is not to be had here; it says why and what is.
    """
    if asked not in KEYS:
        raise UnknownChoice("source of keys", asked, KEYS)
    if asked == "browser":
        return Choice(Page())
    if asked == "display":
        return Choice(_display(terminal))
    own = terminal or Terminal(key_up=asked != "terminal")
    try:
        own.open()
    except NoTerminal:
        if asked != "auto" or display.why_not_unattended():
            raise
        return Choice(_display(terminal), "standard input is no terminal")
    if own.releases or asked == "terminal":
        return Choice(own)
    if asked == "kitty":
        own.stop()
        raise UsageError(
            "--keys kitty: this terminal does not speak the kitty keyboard protocol (kitty, ghostty, WezTerm, foot and "
            "others do; tmux and screen hide it). Valid here: terminal, browser."
        )
    if why := display.why_not_unattended():
        return Choice(own, f"{NO_KEY_UP}, and {why}; --keys browser has it")
    own.stop()
    return Choice(_display(own), NO_KEY_UP)


def describe(terminal: Terminal | None = None) -> list[Way]:
    """Every way to drive by keys, the best first; asks the terminal, which must be nobody else's now."""
    own = terminal or Terminal()
    key_up, there, why = False, True, ""
    try:
        own.open()
        key_up, why = own.releases, "" if own.releases else NO_KEY_UP
        own.stop()
    except NoTerminal:
        there, why = False, "standard input is no terminal"
    why_no_display = display.why_not()
    return [
        Way("kitty", key_up, why or "key-up and several keys at once"),
        Way("display", not why_no_display, why_no_display or "key-up and several keys at once"),
        Way("terminal", there, "taps and holds, one key at a time" if there else why),
        Way("browser", True, "a page with key-up and several keys at once, also over SSH; only if asked for"),
    ]


def _display(terminal: Terminal | None) -> display.Display:
    """The display's keyboard; the terminal that the same keys are typed into swallows them."""
    if why := display.why_not_unattended():
        raise display.NoDisplay(why)
    over = terminal or (Terminal(key_up=False) if sys.stdin is not None and sys.stdin.isatty() else None)
    return display.Display(over)
