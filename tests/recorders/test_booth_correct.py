"""A policy drives, a scripted person takes over and hands back: who drove is in every frame, and counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.frames import Phase, Placement
from curation.inspect import Corrections, inspect
from curation.inspect_table import table
from curation.library import entries
from curation.query import query
from curation.store import Store
from curation.video import Encoding
from recorders.booth import Booth
from recorders.draw import interventions
from recorders.operators.corrected import Corrected
from recorders.operators.expert import Expert
from recorders.operators.jog import Jog
from recorders.operators.keymap import Intent
from recorders.session import Session
from recorders.shelf import DatasetShelf
from recorders.sidecar import read_sidecar
from recorders.signals import Stage, Tick
from recorders.sitting import Sitting
from recorders.world.sim import SimWorld
from tests.recorders.sittings import AT, SCENE, Hasty, Person, often, root, world

__all__ = ["often", "root", "world"]
Script = Callable[[], Iterator[Any]]


def corrected(world: SimWorld, root: Path, script: Script, **more: Any) -> Person:
    """A sitting before the expert, who stands for a policy."""
    person = Person(script)
    jog = Jog(person.held, world.fps)
    shelf = DatasetShelf(Session.create(root, SCENE, Encoding()), person.events.append)
    sitting = Sitting(label="correct:expert", placing=AT, limit_s=20.0, about={"policy": {"run": "act"}}, **more)
    try:
        Booth(
            sitting, world, Corrected(Expert(world), jog, person.pressed), hands=jog, pressed=person.pressed,
            release=person.release, shelf=shelf, inbox=person.inbox, tell=person.events.append, show=person.show,
            clock=Hasty(world.fps),
        ).run()  # fmt: skip
    finally:
        shelf.close()
    return person


def frames(count: int) -> Iterator[Any]:
    for _ in range(count):
        yield None


def driven(root: Path, index: int = 0) -> list[tuple[str, int]]:
    """Who drove an episode, stretch by stretch."""
    found: list[tuple[str, int]] = []
    for by in read_sidecar(Store.open(root).episode(index).frames).by:
        last = found.pop() if found and found[-1][0] == by else (by, 0)
        found.append((by, last[1] + 1))
    return found


def test_the_first_key_that_drives_takes_over_and_p_hands_back(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        yield from frames(20)
        yield ("y",)
        yield from frames(10)
        yield ()
        yield from frames(5)
        yield Intent.TAKEOVER
        while True:
            tick: Tick = yield None
            if tick.stage is Stage.READY and tick.kept:
                break

    person = corrected(world, root, script)
    by = driven(root)
    assert [who for who, _ in by] == ["expert", "person", "expert"]
    assert 12 <= by[1][1] <= 20
    store = Store.open(root)
    (row,) = store.rows()
    assert row.success
    assert row.operator == "correct:expert"
    assert (row.extra["interventions"], row.extra["person_frames"]) == (1, by[1][1])
    assert row.extra["policy"] == {"run": "act"}
    found = inspect(store)
    assert found.corrections == Corrections(
        episodes=1, corrected=1, interventions=1, frames=store.total_frames, person_frames=by[1][1]
    )
    assert f"1 intervention in 1 of 1 episodes, {by[1][1]} of {store.total_frames} frames by a person" in table(found)
    assert [query("interventions>0")(entry) for entry in entries(root)] == [True]
    assert {tick.by for tick in person.ticks} == {"", "expert", "person"}
    assert all(not tick.driving for tick in person.ticks if tick.by == "expert")


def test_whoever_only_watches_corrects_nothing(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        while True:
            tick: Tick = yield None
            if tick.stage is Stage.READY and tick.kept:
                break

    corrected(world, root, script)
    assert [who for who, _ in driven(root)] == ["expert"]
    assert [query("interventions=0")(entry) for entry in entries(root)] == [True]


def test_space_takes_over_and_stands_and_a_key_still_down_does_not_drive_after_handing_back(
    world: SimWorld, root: Path
) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        yield from frames(15)
        yield Intent.HALT
        yield from frames(10)
        yield Intent.TAKEOVER
        yield from frames(10)
        yield ("l",)
        yield from frames(5)
        yield Intent.TAKEOVER  # lets go of every key
        yield from frames(10)
        yield Intent.SAVE
        yield from frames(3)

    person = corrected(world, root, script, episodes=0)
    assert person.releases >= 3
    by = driven(root)
    assert [who for who, _ in by] == ["expert", "person", "expert", "person", "expert"]
    take = read_sidecar(Store.open(root).episode(0).frames)
    stood = take.action[[frame for frame, who in enumerate(take.by) if who == "person"][: by[1][1]]]
    assert (stood == stood[0]).all()
    assert interventions(take.by) == {"interventions": 2, "person_frames": by[1][1] + by[3][1]}


def test_what_the_policy_carries_stays_gripped_when_a_person_takes_over() -> None:
    soft = SimWorld(replace(SCENE, servo="hardware"))
    observation = soft.reset(0, Placement(0.337, -0.015, 0.0))
    both = Corrected(Expert(soft), Jog(lambda now: ("y",), soft.fps), lambda now: ())
    both.begin(observation, 0)
    while soft.phase is not Phase.TRANSPORT:
        observation = soft.step(both.act(observation).action)
    held = soft.judge.last
    both.take()
    for _ in range(soft.fps):
        command = both.act(observation)
        observation = soft.step(command.action)
    now = soft.judge.last
    soft.close()
    assert command.by == "person"
    assert held is not None
    assert now is not None
    assert now.force > 0.8 * held.force > 30


@pytest.mark.parametrize(
    ("by", "count"), [("", 0), ("aap", 1), ("pp", 1), ("pap", 2), ("apapa", 2), ("aaa", 0)], ids=str
)
def test_interventions_are_stretches_of_a_persons_frames(by: str, count: int) -> None:
    who = tuple({"p": "person", "a": "policy"}[letter] for letter in by)
    assert interventions(who) == {"interventions": count, "person_frames": by.count("p")}
