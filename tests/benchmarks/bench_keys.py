"""From key-up to standing still: how soon no key drives any more, for each source of keys.

    .venv/bin/python tests/benchmarks/bench_keys.py [--times 100]

Real sources: pseudo-terminals without and with the kitty protocol, a Textual application under the studio's driver,
pynput on a virtual X server, the browser page in headless Chromium. The time counts from just before the key-up is sent
(without key-up, from the last sign of the key) until `HeldKeys.held` is empty, looked at every 0.2 ms; the control loop
looks every 33 ms. Terminals without key-up wait for their timeout of 120 ms on purpose.
"""

# ruff: noqa: E402  a dependency installs a package named tests; ours must come first

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import numpy as np

import tests

tests.__path__.insert(0, str(Path(__file__).parents[1]))

from recorders.devices.display import Display
from recorders.devices.page import SILENCE_S, Page
from recorders.devices.terminal import Terminal
from tests.devices.browser import chromium
from tests.devices.programs import CHROMIUM, virtual_display
from tests.devices.pseudo import Listener, emulator, eventually
from tests.devices.test_display import Windows
from tests.devices.test_driver import shown

LIMIT_S = 0.15
LOOK_S = 0.0002
Act = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=100)
    times = parser.parse_args().times
    print(f"{'source':<34}{'what ends it':<18}{'n':>5}{'p50':>10}{'p99':>10}{'worst':>10}{'limit':>10}")
    for name, end, limit, source in SOURCES:
        with source() as (listener, down, up):
            took = np.array([_once(listener, down, up) for _ in range(times)])
        figures = [*np.percentile(took, [50, 99]), took.max(), limit]
        cells = "".join(f"{1e3 * figure:>7.1f} ms" for figure in figures)
        print(f"{name:<34}{end:<18}{times:>5}{cells}  {'ok' if figures[1] <= limit else 'ABOVE'}", flush=True)
    print(f"a browser or network that is gone is noticed after the stated {1e3 * SILENCE_S:g} ms and one look (30 ms)")


def _once(listener: Listener, down: Act, up: Act) -> float:
    """One press and release; how long the key drove on after its release [s]."""
    down()
    listener.until("i")
    time.sleep(0.02)
    began = time.perf_counter()
    up()
    while listener.held():
        time.sleep(LOOK_S)
    return time.perf_counter() - began


@contextmanager
def terminal(*, kitty: bool) -> Iterator[tuple[Listener, Act, Act]]:
    with emulator(kitty=kitty) as played:
        source = Terminal(played.fd)
        source.open()
        listener = Listener(releases=source.releases, chords=source.chords)
        source.start(listener.tell)
        up = (lambda: played.release("i")) if kitty else (lambda: played.repeat("i"))
        yield listener, lambda: played.press("i"), up
        source.stop()


@contextmanager
def textual(*, leave: bool = False) -> Iterator[tuple[Listener, Act, Act]]:
    with shown(kitty=True) as app:
        played = app.terminal
        yield app, lambda: played.press("i"), played.leave if leave else lambda: played.release("i")


@contextmanager
def display(*, leave: bool = False) -> Iterator[tuple[Listener, Act, Act]]:
    with virtual_display() as name:
        os.environ["DISPLAY"] = name
        windows, hand = Windows(name), Hand(name)
        windows.focus(0)
        source, listener = Display(), Listener(releases=True, chords=True)
        source.start(listener.tell)

        def down() -> None:
            windows.focus(0)
            hand.up()
            time.sleep(0.1)
            hand.down()

        yield listener, down if leave else hand.down, (lambda: windows.focus(1)) if leave else hand.up
        source.stop()
        hand.close()
        windows.close()


class Hand:
    """Presses a key below the clients of an X server."""

    def __init__(self, display: str) -> None:
        from Xlib import XK
        from Xlib.display import Display as Connection

        self._connection = Connection(display)
        self._code = self._connection.keysym_to_keycode(XK.string_to_keysym("i"))
        self.close = self._connection.close

    def down(self) -> None:
        self._strike(2)

    def up(self) -> None:
        self._strike(3)

    def _strike(self, kind: int) -> None:
        from Xlib.ext import xtest

        xtest.fake_input(self._connection, kind, self._code)
        self._connection.sync()


@contextmanager
def page(*, end: str) -> Iterator[tuple[Listener, Act, Act]]:
    listener, served = Listener(releases=True, chords=True), Page()
    served.start(listener.tell)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, chromium(Path(profile)) as browser:
        tab = browser.tab()
        tab.open(served.url)
        eventually(lambda: bool(tab.run("state") == "driving"), "the page")

        def down() -> None:
            browser.stop(False)
            tab.up("i")
            tab.down("i")

        ends: dict[str, Act] = {
            "key-up": lambda: tab.up("i"),
            "blur": lambda: tab.run("dispatchEvent(new Event('blur'))"),
            "silence": browser.stop,
        }
        yield listener, down, ends[end]
        browser.stop(False)
    served.stop()


SOURCES = [
    ("terminal", "last repeat", LIMIT_S, lambda: terminal(kitty=False)),
    ("terminal with key-up", "key-up", LIMIT_S, lambda: terminal(kitty=True)),
    ("terminal with key-up, in Textual", "key-up", LIMIT_S, textual),
    ("terminal with key-up, in Textual", "focus lost", LIMIT_S, lambda: textual(leave=True)),
]
if which("Xvfb"):
    SOURCES.append(("keyboard of display", "key-up", LIMIT_S, display))
    SOURCES.append(("keyboard of display", "focus lost", LIMIT_S, lambda: display(leave=True)))
if which(CHROMIUM):
    SOURCES.append(("browser page", "key-up", LIMIT_S, lambda: page(end="key-up")))
    SOURCES.append(("browser page", "focus lost", LIMIT_S, lambda: page(end="blur")))
    SOURCES.append(("browser page", "frozen browser", SILENCE_S + SILENCE_S / 10, lambda: page(end="silence")))


if __name__ == "__main__":
    main()
