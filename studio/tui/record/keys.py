"""Which source of keys drives under the screens."""

from __future__ import annotations

from curation.errors import UsageError
from recorders.devices import display
from recorders.devices.keys import KeySource
from recorders.devices.page import Page
from studio.tui.driver import KEYS
from studio.verbs.record import Record


def source_of(options: Record) -> KeySource:
    """The source that was asked for, or the best there is.

    Raises:
        UsageError: what was asked for is not to be had here.
    """
    why_no_display = display.why_not()
    match options.keys:
        case "browser":
            return Page()
        case "display" if why_no_display:
            raise UsageError(f"--keys display: {why_no_display}. Valid here: terminal, browser.")
        case "display":
            return display.Display()
        case "kitty" if not KEYS.releases:
            raise UsageError("--keys kitty: this terminal tells no key-up. Valid here: terminal, browser.")
        case "auto" if not KEYS.releases and not why_no_display:
            return display.Display()
        case _:
            return KEYS
