"""A sitting with a scripted person before it."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.video import Encoding
from recorders import telling
from recorders.booth import UNWATCHED, Booth
from recorders.clock import RealTime
from recorders.operators import Driver
from recorders.operators.jog import Jog
from recorders.operators.keymap import Intent
from recorders.placements import Placing
from recorders.referee import Lookout
from recorders.session import Session
from recorders.shelf import DatasetShelf, Practice, Shelf
from recorders.signals import (
    Message,
    Tick,
    Wish,
)
from recorders.sitting import Sitting
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld

SCENE = Scene(width=64, height=48)
AT = Placing(at=(0.337, -0.015), yaw=0.0)


class Hasty(RealTime):
    """As fast as it goes, but with the measurements of a real-time clock."""

    def wait(self, index: int) -> tuple[float, bool]:
        self._zero = min(self._zero, time.perf_counter() - index * self._period)
        return super().wait(index)


class Person:
    """Says at each tick what the script says; keeps everything that happened.

    The script is a generator that is sent ticks and yields an intent, a message, held keys (a tuple) or None.
    """

    def __init__(self, script: Callable[[], Iterator[Any]]) -> None:
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.keys: tuple[str, ...] = ()
        self.events: list[Any] = []
        self.ticks: list[Tick] = []
        self.releases = 0
        self._script: Any = script()
        self._begun = False

    def held(self, now: float) -> tuple[str, ...]:
        return self.keys

    def pressed(self, now: float) -> tuple[str, ...]:
        return self.keys

    def release(self) -> None:
        self.keys = ()
        self.releases += 1

    def show(self, tick: Tick) -> None:
        self.ticks.append(tick)
        try:
            said = self._script.send(tick if self._begun else None)
            self._begun = True
        except StopIteration:
            said = Intent.STOP
        if isinstance(said, Intent):
            self.inbox.put(Wish(said))
        elif isinstance(said, tuple):
            self.keys = said
        elif said is not None:
            self.inbox.put(said)

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture(scope="module")
def world() -> Iterator[SimWorld]:
    made = SimWorld(SCENE)
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "set"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks at every frame, because the world here is faster than time."""
    monkeypatch.setattr(telling, "TICKS_PER_S", 1e6)


def sit(
    world: SimWorld,
    root: Path | None,
    script: Callable[[], Iterator[Any]],
    *,
    driver: Driver | None = None,
    **more: Any,
) -> Person:
    """Hold one sitting; with a root, into a dataset there."""
    person = Person(script)
    shelf: Shelf = Practice()
    if root is not None:
        session = Session.resume(root) if root.exists() else Session.create(root, SCENE, Encoding())
        shelf = DatasetShelf(session, person.events.append)
    seat(person, world, shelf, driver=driver, **more)
    return person


def seat(
    person: Person,
    world: SimWorld,
    shelf: Shelf,
    *,
    driver: Driver | None = None,
    lookout: Lookout = UNWATCHED,
    clock: RealTime | None = None,
    **more: Any,
) -> None:
    """Let a person sit until the sitting is over."""
    jog = Jog(person.held, world.fps) if driver is None else None
    sitting = Sitting(**{"label": "keyboard", "placing": AT, "limit_s": 20.0, **more})
    try:
        Booth(
            sitting, world, driver or jog, hands=jog, pressed=person.pressed, release=person.release, shelf=shelf,
            inbox=person.inbox, tell=person.events.append, show=person.show, clock=clock or Hasty(world.fps),
            lookout=lookout,
        ).run()  # fmt: skip
    finally:
        shelf.close()


def drive_and(*words: Any, frames: int = 18) -> Callable[[], Iterator[Any]]:
    """Drive for some frames, then say each word a few ticks apart, or wait for a number of them."""

    def script() -> Iterator[Any]:
        yield ("i",)
        for _ in range(frames):
            yield None
        yield ()
        for word in words:
            for _ in range(word if isinstance(word, int) else 4):
                yield None
            if not isinstance(word, int):
                yield word
        for _ in range(30):
            yield None

    return script
