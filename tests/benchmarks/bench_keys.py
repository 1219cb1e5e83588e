"""From key-up to standing still: how soon no key drives any more, for each source of keys.

    .venv/bin/python tests/benchmarks/bench_keys.py [--times 100]

Real sources: pseudo-terminals without and with the kitty protocol, a Textual application under the studio's driver,
pynput on a virtual X server, the browser page in headless Chromium. The time counts from just before the key-up is sent
(without key-up, from the last sign of the key) until `HeldKeys.held` is empty, looked at every 0.2 ms; the control loop
looks every 33 ms. Terminals without key-up wait for their timeout of 120 ms on purpose.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from recorders.devices.display import Display
from recorders.devices.keys import TAP_S
from recorders.devices.page import SILENCE_S, Page
from recorders.devices.terminal import Terminal
from tests.devices.browser import chromium
from tests.devices.programs import virtual_display
from tests.devices.pseudo import Listener, emulator, eventually
from tests.devices.test_driver import shown

LIMIT_MS = 150.0
Act = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=100)
    times = parser.parse_args().times
    print(f"{'source':<34}{'what ends it':<20}{'n':>5}{'p50':>9}{'p99':>9}{'worst':>9}   limit {LIMIT_MS:g} ms")
    for name, end, source in SOURCES:
        with source() as (listener, down, up):
            took = np.array([_once(listener, down, up) for _ in range(times)]) * 1e3
        p50, p99 = np.percentile(took, [50, 99])
        verdict = "within" if p99 <= LIMIT_MS else "ABOVE"
        print(f"{name:<34}{end:<20}{times:>5}{p50:>6.1f} ms{p99:>6.1f} ms{took.max():>6.1f} ms   {verdict}", flush=True)
    print(f"stated timeouts: no key-up {1e3 * TAP_S:g} ms; browser or network gone {1e3 * SILENCE_S:g} ms")


def _once(listener: Listener, down: Act, up: Act) -> float:
    """One press and release; how long the key drove on after its release [s]."""
    down()
    listener.until("i")
    time.sleep(0.02)
    began = time.perf_counter()
    up()
    while listener.held():
        time.sleep(0.0002)
    return time.perf_counter() - began


@contextmanager
def terminal(*, kitty: bool, repeats: bool = False) -> Iterator[tuple[Listener, Act, Act]]:
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
def display() -> Iterator[tuple[Listener, Act, Act]]:
    with virtual_display() as name:
        os.environ["DISPLAY"] = name
        from Xlib import XK, X
        from Xlib.display import Display as Connection
        from Xlib.ext import xtest

        hand = Connection(name)
        code = hand.keysym_to_keycode(XK.string_to_keysym("i"))

        def strike(kind: int) -> None:
            xtest.fake_input(hand, kind, code)
            hand.sync()

        source, listener = Display(), Listener(releases=True, chords=True)
        source.start(listener.tell)
        yield listener, lambda: strike(X.KeyPress), lambda: strike(X.KeyRelease)
        source.stop()
        hand.close()


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
    ("terminal", "last repeat", lambda: terminal(kitty=False)),
    ("terminal with key-up", "key-up", lambda: terminal(kitty=True)),
    ("terminal with key-up, in Textual", "key-up", textual),
    ("terminal with key-up, in Textual", "focus lost", lambda: textual(leave=True)),
]
if which("Xvfb"):
    SOURCES.append(("keyboard of display", "key-up", display))
if which("chromium"):
    SOURCES.append(("browser page", "key-up", lambda: page(end="key-up")))
    SOURCES.append(("browser page", "focus lost", lambda: page(end="blur")))
    SOURCES.append(("browser page", "frozen browser", lambda: page(end="silence")))


if __name__ == "__main__":
    main()
