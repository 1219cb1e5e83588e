"""The booth in a process of its own, so that no screen, slow or broken, can delay the arm or end a recording."""

from __future__ import annotations

import multiprocessing
import queue
import threading
import time
from contextlib import suppress
from typing import Any

from curation.errors import FAILED
from recorders.crew import as_child, end_channel, no_interrupt
from recorders.devices.keys import HeldKeys, KeyEvent, Stroke
from recorders.signals import Closed, Event, Message, Tick
from studio.verbs.record import Record

_SPAWN = multiprocessing.get_context("spawn")
TICKS = 2
"""Ticks that may wait for the screen; more are dropped, because only the newest is of use."""
EVENTS = 500
"""Events kept for a screen that comes back."""


class BoothProcess:
    """A booth beside this process; nothing here ever waits for it.

    Args:
        options: of the recording.
        releases, chords: what the source of keys can tell.

    Attributes:
        options: the same.
        events: what it told so far, oldest first.
        tick: the newest; None before the first.
        closed: how it ended; None while it runs.
    """

    def __init__(self, options: Record, *, releases: bool, chords: bool) -> None:
        self.options = options
        self.events: list[Event] = []
        self.tick: Tick | None = None
        self.closed: Closed | None = None
        self._inbox: Any = _SPAWN.Queue()
        self._events: Any = _SPAWN.Queue()
        self._ticks: Any = _SPAWN.Queue(maxsize=TICKS)
        self._process = _SPAWN.Process(
            target=_serve, args=(options, self._inbox, self._events, self._ticks, releases, chords), daemon=False
        )
        with no_interrupt():
            self._process.start()

    @property
    def running(self) -> bool:
        """Whether the sitting goes on."""
        return self.closed is None

    def send(self, message: Message) -> None:
        """Say something to the booth; once it is over nobody listens."""
        self._put(message)

    def drive(self, event: KeyEvent) -> None:
        """Pass on a stroke of a key that drives."""
        self._put(event)

    def release(self) -> None:
        """Let go of every key."""
        self.drive(KeyEvent("", Stroke.BLUR, time.monotonic()))

    def listen(self) -> list[Event]:
        """Take in what the booth said since the last time; returns the new events."""
        with suppress(queue.Empty):
            while True:
                self.tick = self._ticks.get_nowait()
        fresh: list[Event] = []
        # Its end is looked at first: what it said before is then all there.
        ended = not self._process.is_alive()
        with suppress(queue.Empty):
            while True:
                fresh.append(self._events.get(timeout=0.05) if ended else self._events.get_nowait())
        if ended and self.closed is None and not any(isinstance(event, Closed) for event in fresh):
            code = self._process.exitcode
            fresh.append(Closed(FAILED, f"The booth ended without a word (exit code {code}). What it kept is on disk."))
        for event in fresh:
            if isinstance(event, Closed):
                self.closed = event
        self.events = [*self.events, *fresh][-EVENTS:]
        return fresh

    def _put(self, item: Message | KeyEvent) -> None:
        if self.running:
            self._inbox.put(item)

    def close(self, *, patience_s: float = 1.0) -> None:
        """End the booth; what is kept and not yet saved waits on disk and is saved when the dataset is next opened."""
        if self._process.is_alive():
            self._process.join(timeout=patience_s)
        self._process.terminate()
        self._process.join(timeout=5)
        for channel in (self._inbox, self._events, self._ticks):
            end_channel(channel)


def _serve(options: Record, inbox: Any, events: Any, ticks: Any, releases: bool, chords: bool) -> None:
    from studio.sitting import sit

    as_child(nice=0)
    held = HeldKeys(releases=releases, chords=chords)
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_sort, args=(inbox, held, messages), daemon=True).start()

    def show(tick: Tick) -> None:
        with suppress(queue.Full):
            ticks.put_nowait(tick)

    try:
        sit(options, held, messages, events.put, show, beats=True)
    except Exception as error:  # noqa: BLE001  a fault of ours: the screen tells it, the takes are on disk
        events.put(Closed(FAILED, f"unexpected {type(error).__name__} in the booth: {error}. What it kept is on disk."))
    ticks.cancel_join_thread()


def _sort(inbox: Any, held: HeldKeys, messages: queue.SimpleQueue[Message]) -> None:
    """Strokes go to the held keys, everything else to the booth."""
    while True:
        item = inbox.get()
        if isinstance(item, KeyEvent):
            held.tell(item)
        else:
            messages.put(item)
