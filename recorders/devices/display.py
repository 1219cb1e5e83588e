"""Keys of a local display through pynput: true key-up in any terminal, for who sits at that display.

pynput hears the whole display, whichever window is typed into. So strokes count only while the window that had the
focus at the start has it. Where that cannot be looked up (macOS, Windows) none counts until whoever knows says so with
`arm`; where no window of its own has the focus (an X server without a window manager) the display is no source.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

from curation.errors import UsageError

from .keys import KeyEvent, KeySource, Stroke, Tell

LOOK_S = 0.03
"""How often the focus is looked up [s]: a window that loses it lets go within one frame."""
_NAMED = {"enter", "left", "right", "up", "down", "space", "backspace", "tab", "delete"}
_NAMED |= {f"f{number}" for number in range(1, 13)}
_NO_WINDOW = (0, 1)
"""What X says for no window at all, and for whichever lies under the pointer."""
_COMMANDS = {"ctrl", "ctrl_l", "ctrl_r", "alt", "alt_l", "alt_r", "cmd", "cmd_l", "cmd_r"}


class NoDisplay(UsageError):
    """Keys of a display cannot be read here."""

    def __init__(self, why: str) -> None:
        super().__init__(f"--keys display: {why}. Valid here: terminal, browser.")


def why_not(environ: Mapping[str, str] = os.environ) -> str:
    """Why keys of a display cannot be read here; "" if they can."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return "over SSH the keyboard of the display is not yours"
    if sys.platform == "linux":
        if environ.get("WAYLAND_DISPLAY"):
            return "Wayland hides keys from programs that are not typed into"
        if not environ.get("DISPLAY"):
            return "there is no display (DISPLAY is not set)"
    try:
        # It asks the display whether it may, and refuses to be imported if not.
        import_module("pynput.keyboard")
    except ImportError as error:
        return f"pynput cannot use the display: {str(error).strip().splitlines()[0]}"
    if sys.platform == "linux":
        connection = _connection()
        focused = _focused_window(connection)
        connection.close()
        if focused in _NO_WINDOW:
            return "no window of the display has the focus, so what is typed elsewhere could not be told from your keys"
    return ""


def why_not_unattended() -> str:
    """Why a plain command cannot read them, which has no screen to say whether it has the focus; "" if it can."""
    if sys.platform != "linux":
        return "a plain command cannot tell here whether its window has the focus; the screens (studio) can"
    return why_not()


class Display:
    """The keyboard of the display as a source of keys.

    Args:
        over: a terminal that the same keys are typed into and that shall swallow them; None if somebody else does.

    Attributes:
        name, releases, chords, shared, note: as in `KeySource`.
    """

    releases = chords = shared = True

    def __init__(self, over: KeySource | None = None) -> None:
        self.name = f"keyboard of display {os.environ.get('DISPLAY', '')}".strip()
        self.note = "Hold to move, several keys at once; keys count only while this window has the focus"
        self._over = over
        self._armed = sys.platform == "linux"
        self._focused = True
        self._down: dict[str, str] = {}
        self._commands: set[str] = set()
        self._tell: Tell | None = None
        self._listener: Any = None
        self._focus: _Focus | None = None
        self._lock = threading.Lock()

    def arm(self, armed: bool) -> None:
        """Whether keys may count now; disarming lets go of all."""
        self._admit(armed=armed)

    def start(self, tell: Tell) -> None:
        """Listen from now on, in threads of its own.

        Raises:
            NoDisplay: keys of a display cannot be read here.
        """
        if why := why_not():
            raise NoDisplay(why)
        self._tell = tell
        if self._over is not None:
            self._over.start(lambda event: None)
        keyboard = import_module("pynput.keyboard")
        self._listener = keyboard.Listener(on_press=self._pressed, on_release=self._released)
        self._listener.start()
        self._listener.wait()
        if sys.platform == "linux":
            self._focus = _Focus(lambda focused: self._admit(focused=focused))

    def stop(self) -> None:
        """Listen no longer."""
        if self._focus is not None:
            self._focus.stop()
        if self._listener is not None:
            self._listener.stop()
            _unblock(self._listener)
            self._listener.join(timeout=2)
        if self._over is not None:
            self._over.stop()
        self._let_go()
        self._listener = self._focus = self._tell = None

    def _admit(self, *, armed: bool | None = None, focused: bool | None = None) -> None:
        with self._lock:
            self._armed = self._armed if armed is None else armed
            self._focused = self._focused if focused is None else focused
            counts = self._armed and self._focused
        if not counts:
            self._let_go()

    def _pressed(self, key: Any, *_: Any) -> None:
        if self._focus is not None:
            self._focus.look()
        name = _name(key)
        with self._lock:
            if _raw(key) in _COMMANDS:
                self._commands.add(_raw(key))
            if not (self._armed and self._focused) or self._commands or not name:
                return
            stroke = Stroke.REPEAT if name.lower() in self._down else Stroke.PRESS
            name = self._down.setdefault(name.lower(), name)
            self._say(name, stroke)

    def _released(self, key: Any, *_: Any) -> None:
        name = _name(key)
        with self._lock:
            self._commands.discard(_raw(key))
            down = self._down.pop(name.lower(), "") if name else ""
            if down:
                self._say(down, Stroke.RELEASE)
        if name and not down:
            # With Shift let go first, "+" comes up as "=": rather all stop than that one stays down.
            self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            self._down.clear()
            self._say("", Stroke.BLUR)

    def _say(self, name: str, stroke: Stroke) -> None:
        if self._tell is not None:
            self._tell(KeyEvent(name, stroke, time.monotonic()))


class _Focus:
    """Looks at which window of an X display has the focus.

    Args:
        tell: is told whether it is the one that had it at the start; from several threads.
    """

    def __init__(self, tell: Callable[[bool], None]) -> None:
        self._tell = tell
        self._display = _connection()
        self._lock = threading.Lock()
        self._own = _focused_window(self._display)
        # The window may have gone since it was looked at: then there is none to guard.
        self._there = self._own not in _NO_WINDOW
        if not self._there:
            tell(False)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="focus", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Look now."""
        with self._lock:
            now = _focused_window(self._display)
            there = now == self._own and now not in _NO_WINDOW
            changed, self._there = there != self._there, there
        if changed:
            self._tell(there)

    def stop(self) -> None:
        self._over.set()
        self._thread.join(timeout=2)
        self._display.close()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_S):
            self.look()


def _connection() -> Any:
    return import_module("Xlib.display").Display()


def _focused_window(connection: Any) -> int:
    """The number of the window of an X display that has the focus; one of `_NO_WINDOW` if none of its own has."""
    try:
        focus = connection.get_input_focus().focus
    except Exception:  # noqa: BLE001  python-xlib raises what the socket does, and more
        return 0
    number = int(getattr(focus, "id", focus))
    return 0 if number == connection.screen().root.id else number


def _unblock(listener: Any) -> None:
    """End pynput's recording now: on X11 it asks the connection that is busy recording, and then waits for a key."""
    context = getattr(listener, "_context", None)
    if context is None or not listener.is_alive():
        return
    with suppress(Exception):  # of python-xlib, which raises what the socket does: then the display is gone
        connection = import_module("Xlib.display").Display()
        connection.record_disable_context(context)
        connection.sync()
        connection.close()


def _raw(key: Any) -> str:
    """pynput's name of a key that types nothing; "" for others."""
    return str(getattr(key, "name", None) or "")


def _name(key: Any) -> str:
    """Our name of pynput's key; "" for keys that are of no use here."""
    if character := getattr(key, "char", None):
        return str(character) if str(character).isprintable() else ""
    raw = _raw(key)
    return "escape" if raw == "esc" else raw if raw in _NAMED else ""
