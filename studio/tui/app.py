"""The application: one look, one way to move between screens, and what happens when a screen fails."""

from __future__ import annotations

import os
import tempfile
import traceback
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import ModalScreen, Screen
from textual.worker import WorkerFailed

from curation.errors import StudioError
from studio.tui import places
from studio.tui.commands import system_commands
from studio.tui.state import Place, Studio
from studio.tui.theme import SIXTEEN, STUDIO

_NUMBER = count(1)
_KEYS = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "delete": "Del",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "question_mark": "?",
    "slash": "/",
    "comma": ",",
    "full_stop": ".",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
}


@dataclass(frozen=True)
class Crash:
    """What failed, in words, and where the details are."""

    what: str
    log: Path


class StudioApp(App[None]):
    """Shows the places of a `Studio`.

    Args:
        studio: what outlives this App.
        after: the crash of the App before this one.

    Attributes:
        crash: why this App ended; None while it runs and when the person left.
    """

    TITLE = "teleop studio"
    CSS_PATH = "studio.tcss"
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "quit", show=False, priority=True),
        Binding("ctrl+c", "leave", "quit", show=False),
        Binding("question_mark,f1", "explain", "this help", show=False),
        Binding("W", "watched", "what was watched", show=False),
    ]

    def __init__(self, studio: Studio, after: Crash | None = None) -> None:
        super().__init__(driver_class=_driver())
        self.studio = studio
        self.crash: Crash | None = None
        self._named = ""
        self._after = after
        self.register_theme(STUDIO)
        self.register_theme(SIXTEEN)
        self.theme = (SIXTEEN if self.console.color_system == "standard" else STUDIO).name

    async def on_mount(self) -> None:
        trail = list(self.studio.trail)
        for place in trail:
            await self.push_screen(places.make(self.studio, place))
        if self._after is not None:
            goes_on = " The recording goes on." if self.studio.live else ""
            self.notify(
                f"The screen failed ({self._after.what}) and was restarted; details in {self._after.log}.{goes_on}",
                severity="error",
                timeout=12,
                markup=False,
            )

    # Moving about

    @property
    def restarted_after(self) -> str:
        """The fault that ended the App before this one, in its own words; "" if none did."""
        return "" if self._after is None else self._after.what.partition(": ")[2] or self._after.what

    def go(self, place: Place) -> None:
        """Open a place; `back` returns to this one."""
        if place.screen == "home":
            self.go_home()
            return
        if self.studio.live is not None and place.screen in ("setup", "record"):
            # One recording at a time: the way to a new one leads back to the one that goes on.
            place = Place("record", place.dataset)
        try:
            screen = places.make(self.studio, place)
        except StudioError as error:
            self.tell(error)
            return
        self.studio.trail.append(place)
        self.push_screen(screen)

    def back(self) -> None:
        """Close the place shown now; from the first one nothing happens."""
        if len(self.studio.trail) > 1:
            self.studio.trail.pop()
            self.pop_screen()

    def go_home(self) -> None:
        """Close every place but the first."""
        while len(self.studio.trail) > 1:
            self.back()

    def replace(self, place: Place) -> None:
        """Open a place instead of the one shown now."""
        screen = places.make(self.studio, place)
        self.studio.trail[-1] = place
        self.switch_screen(screen)

    def tell(self, error: BaseException) -> None:
        """Show a failure that ends nothing; faults of ours are also written to a log."""
        if isinstance(error, StudioError):
            self.notify(str(error), severity="error", timeout=10, markup=False)
            return
        log = _write_log(error)
        self.notify(
            f"{_words(error)}. This is a fault of ours; details in {log}. Everything else goes on.",
            severity="error",
            timeout=12,
            markup=False,
        )

    # Actions of every screen

    def action_leave(self) -> None:
        """Quit; a recording that goes on is asked about first, and what was not written is named once."""
        unsaved = next((words for screen in self.screen_stack if (words := getattr(screen, "unsaved", ""))), "")
        if unsaved and unsaved != self._named:
            self._named = unsaved
            self.notify(f"{unsaved} Ctrl+Q again leaves it.", severity="warning", markup=False)
            return
        if self.studio.live is None:
            self.exit()
            return
        from studio.tui.help import LeaveScreen

        self.push_screen(LeaveScreen(self.studio.live.name), lambda leave: self.exit() if leave else None)

    def action_explain(self) -> None:
        """Show the keys of the screen below."""
        from studio.tui.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_watched(self) -> None:
        """Show what was watched, and watch a policy think."""
        # A sheet that asks stays, and so does what is being recorded.
        if not isinstance(self.screen, ModalScreen) and self.studio.trail[-1].screen not in ("watched", "record"):
            self.go(Place("watched"))

    def get_key_display(self, binding: Binding) -> str:
        """Keys as they are called in a text."""
        if binding.key_display:
            return binding.key_display
        *modifiers, key = binding.key.split("+")
        name = _KEYS.get(key, key)
        held = {"ctrl": "Ctrl", "shift": "Shift", "alt": "Alt"}
        return "+".join(
            [*(held.get(word, word) for word in modifiers), name.upper() if modifiers and len(name) == 1 else name]
        )

    def get_system_commands(self, screen: Screen[Any]) -> Any:
        """The commands of the palette."""
        yield from (SystemCommand(*command) for command in system_commands(self))

    # When something fails

    def _handle_exception(self, error: Exception) -> None:
        """Textual's one way for unhandled exceptions of messages, compose, timers, drawing and workers.

        Textual prints the traceback and ends the program. Here a worker's failure becomes a notification,
        and any other ends this App only: `studio.tui.run` starts the next one in the same place.
        """
        if isinstance(error, WorkerFailed):
            self.tell(error.error)
            return
        if self.crash is None:
            self.crash = Crash(_words(error), _write_log(error))
            self.studio.crashed()
        self._return_code = 1
        if self._exception is None:
            # Textual's pilot looks at these, so that a test that makes a screen fail fails.
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _write_log(error: BaseException) -> Path:
    log = Path(tempfile.gettempdir()) / f"studio-tui-{os.getpid()}-{next(_NUMBER)}.log"
    log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return log


def _driver() -> type[Driver] | None:
    """The driver of a browser page, or of a terminal that tells when keys go up; None is Textual's own choice."""
    if os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver"):
        from studio.tui.browser_driver import BrowserDriver

        return BrowserDriver
    if os.environ.get("TEXTUAL_DRIVER") or find_spec("studio.tui.driver") is None:
        return None
    driver: type[Driver] | None = getattr(import_module("studio.tui.driver"), "DRIVER", None)
    return driver
