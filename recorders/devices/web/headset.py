"""A standalone headset as a source of readings: its browser opens the studio's page, and nothing is installed on it."""

from __future__ import annotations

import math
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from curation.errors import StudioError
from curation.frames import Image
from recorders.devices.controller import FRESH_AFTER_S, RECENTRED, STALE_S, Batch, ControllerSample, Pulse, Side

from . import PORT
from .certificate import certificate
from .clock import PageClock
from .readings import reading
from .server import Server

MOST, MOST_WORDS = 1000, 100
"""Readings and words kept for whoever takes them."""
_STATES = {
    "open": "The page is open in a browser: press Start there.",
    "visible": "The headset is ready.",
    "visible-blurred": "The headset's menu is open, or it was taken off: the arm stands.",
    "hidden": "The page is hidden, or the headset was taken off: the arm stands.",
    "ended": "The session was left in the headset: the arm stands; press Start there to go on.",
    "none": "That browser has no WebXR: open the address in the headset's own browser.",
}
_LATE = f"The headset's readings come more than {STALE_S * 1e3:.0f} ms late: the arm stands. Is its network busy?"
_IN_TIME = "The headset's readings come in time again."
_ELSEWHERE = ("192.0.2.1", 9)
"""An address for examples (RFC 5737): asked for the way there, a system names its own address, and sends nothing."""


class NoNetwork(StudioError):
    """This machine has no address by which a headset could reach it."""

    def __init__(self, port: int) -> None:
        super().__init__(
            "This machine is in no network, so --lan has no address to offer. Join the headset's network, or leave "
            f"--lan away and connect it by USB: adb reverse tcp:{port} tcp:{port}."
        )


class WebHeadset:
    """One controller of a headset whose browser shows the page.

    Args:
        hand: which one.
        lan: whether this machine's network may reach the page; else only the machine itself.
        port: of the page; 0 takes a free one.

    Attributes:
        address: of the page, secret included; "" before it is served.
        fingerprint: of the certificate, SHA-256.
        watched: whether a page is there now.
    """

    def __init__(self, hand: Side, *, lan: bool = False, port: int = PORT) -> None:
        self._hand = hand
        self._lan, self._port = lan, port
        self._profile = ""
        self._samples: deque[ControllerSample] = deque(maxlen=MOST)
        self._said: deque[str] = deque(maxlen=MOST_WORDS)
        self._lock = threading.Lock()
        self._last_words = ""
        self._state = ""
        self._late = False
        self._clock = PageClock()
        self._settled = -math.inf
        self._server: Server | None = None
        self._quiet = False
        self.address = self.fingerprint = ""
        self.watched = False

    @property
    def name(self) -> str:
        return f"WebXR{f' ({self._profile})' if self._profile else ''}, {self._hand} hand"

    def open(self) -> None:
        """Serve the page; a headset may open it now or later.

        Raises:
            CannotServe: the port is taken.
            NoNetwork: there is none to be reached by.
            CannotWrite: the certificate cannot be kept.
        """
        shown = own_address(self._port or PORT) if self._lan else "127.0.0.1"
        made = certificate([shown])
        self._server = Server(self, made.context(), "0.0.0.0" if self._lan else "127.0.0.1", shown, self._port)  # noqa: S104
        self.address = self._server.address
        self.fingerprint = made.fingerprint

    def take(self) -> Batch:
        """What came since the last call.

        Readings that are late by now are left out, so that a jam on the way is not driven through afterwards.
        """
        samples = [self._samples.popleft() for _ in range(len(self._samples))]
        now = time.perf_counter()
        fresh = tuple(sample for sample in samples if now - sample.time <= STALE_S or not sample.sound)
        if samples and samples[-1].sound:
            late, self._late = self._late, now - samples[-1].time > STALE_S
            if self._late != late:
                self._say(_LATE if self._late else _IN_TIME)
        with self._lock:
            said = tuple(self._said)
            self._said.clear()
        return Batch(now, fresh, said)

    def pulse(self, pulse: Pulse) -> None:
        """Let the controller vibrate, if it is there."""
        self._send({"pulse": [self._hand, pulse.strength, 1e3 * pulse.seconds]})

    def tell(self, now: str, lines: list[str]) -> None:
        """Let the person in the headset read how it stands now, and what was said last."""
        self._send({"look": {"now": now, "lines": lines}})

    def ring(self, *, good: bool) -> None:
        """Let the person in the headset hear and see a bell."""
        self._send({"ring": "good" if good else "warm"})

    def show(self, pictures: Mapping[str, Image]) -> None:
        """Show pictures, RGB uint8 (H, W, 3), by their cameras' names."""
        if self._server is not None:
            self._server.show(pictures)

    def close(self) -> None:
        """Serve no longer."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._server is not None:
            self._server.send(message)

    def _say(self, text: str) -> None:
        with self._lock:
            if text != self._last_words:
                self._last_words = text
                self._said.append(text)

    # In the server's thread.

    def met(self, who: str) -> None:
        self._clock.forget()
        self._lose(time.perf_counter())
        self._state, self._quiet, self.watched = "", False, True
        self._say(f"A headset's page is connected, from {who}.")

    def left(self) -> None:
        self.watched = False
        self._lose(time.perf_counter())
        self._say("The headset's page is gone: the arm stands, what was driven is kept. It comes back by itself.")

    def quiet(self) -> None:
        self._quiet = True
        self._clock.forget()
        self._say("The headset's page says nothing: the arm stands, what was driven is kept.")

    def refused(self, why: str) -> None:
        self._say(why)

    def heard(self, said: Mapping[str, Any], at: float) -> None:
        """Take in a message; what is no message of our page is no reading."""
        if self._quiet:
            self._quiet = False
            self._say("The headset's page speaks again.")
        # Whatever a page may send that is no number drives nothing.
        with suppress(TypeError, ValueError, KeyError, OverflowError):
            if "answer" in said:
                self._clock.answered(float(said["asked"]), at, float(said["at"]) / 1e3)
            elif "hands" in said:
                self._read(said, at)
            elif "reset" in said:
                # Now, and not when the page says: later than every reading before it, whatever became of the clock.
                self._lose(at)
                self._settled = at + FRESH_AFTER_S
                self._say(RECENTRED)
            elif "state" in said:
                self._follow(str(said["state"]), str(said.get("profile", "")), at)

    def _read(self, said: Mapping[str, Any], at: float) -> None:
        when = self._clock.when(float(said["at"]) / 1e3, at)
        if when is None:
            return
        if when > self._settled:
            self._samples.append(reading(said["hands"], self._hand, when))
        else:
            self._lose(when)

    def _follow(self, state: str, profile: str, at: float) -> None:
        self._profile = "-".join(re.findall(r"[a-z0-9]+", profile[:40])) or self._profile
        if state != "visible":
            self._lose(at)
        if state in _STATES and state != self._state:
            self._state = state
            self._say(_STATES[state])

    def _lose(self, at: float) -> None:
        """The hand is not known, as from a reading that says so."""
        self._samples.append(ControllerSample(at, self._hand))


def own_address(port: int = PORT) -> str:
    """The address by which others on the network reach this machine; its page would be at that port.

    Raises:
        NoNetwork: there is none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_ELSEWHERE)
        except OSError as error:
            raise NoNetwork(port) from error
        return str(asking.getsockname()[0])
