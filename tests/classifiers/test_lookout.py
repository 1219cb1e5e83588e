"""A classifier that watches a person's take ends it once it is sure; keeping it stays the person's word."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from classifiers.checkpoint import save
from classifiers.evidence import Weighing
from classifiers.fit import Fitted, Settings
from classifiers.labels import labelled
from classifiers.look import CutOut
from classifiers.network import new_network
from curation.layout import ATTEMPTS
from curation.store import Store
from recorders.clock import RealTime
from recorders.operators.keymap import Intent
from recorders.signals import Finished, Said, Stage
from recorders.world.sim import SimWorld
from studio.lookout import Lookout
from studio.referee import RefereeMaker
from tests.classifiers.toys import toy
from tests.recorders.sittings import SCENE, often, root, sit, world
from tests.studio.conftest import Studio, studio

__all__ = ["often", "root", "studio", "world"]
LOOK = {"overhead_cam": CutOut(), "wrist_cam": CutOut(0.1, 0.1, 0.5, 0.5)}
SECOND = SCENE.fps

pytestmark = pytest.mark.paced


@pytest.fixture(scope="module")
def lookout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lookout]:
    """A classifier that is 98 % sure of everything, before whoever sits down."""
    folder = tmp_path_factory.mktemp("watching")
    store = toy(folder / "toy", 2)
    always = Weighing((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 4.0)
    fitted = Fitted(new_network(sorted(LOOK), 3), LOOK, always, Settings(), (), (0, 0), 0.0)
    made = save(folder / "runs/always", fitted, [store], labelled([store]))
    with closing(Lookout(RefereeMaker(made.root, 0.5, "classifier:always@1f2e3d", SCENE.fps), SCENE)) as lookout:
        yield lookout


def hold_until_asked(word: Intent) -> Iterator[Any]:
    """Hold a key until the take has ended by itself, decide, and leave."""
    tick = yield ("i",)
    while tick.stage is not Stage.REVIEW:
        tick = yield None
    tick = yield word
    while tick.stage is Stage.REVIEW:
        tick = yield None


def test_it_ends_takes_and_the_person_decides(world: SimWorld, root: Path, lookout: Lookout) -> None:
    def script() -> Iterator[Any]:
        yield from hold_until_asked(Intent.DISCARD)
        tick = yield None
        while tick.stage is not Stage.READY:
            tick = yield None
        yield from hold_until_asked(Intent.SAVE)

    person = sit(world, root, script, lookout=lookout, limit_s=60.0, clock=RealTime(world.fps))
    assert [ended.kept for ended in person.told(Finished)] == [False, True]
    # It has to be sure for a second, in each take anew.
    assert all(SECOND <= ended.frames < 60 * SECOND for ended in person.told(Finished))
    assert Store.open(root).total_episodes == 1
    for line in map(json.loads, (root / ATTEMPTS).read_text().splitlines()):
        assert line["lookout"] == {
            "by": "classifier:always@1f2e3d", "probability": 0.982, "threshold": 0.5, "ended": True,
        }  # fmt: skip


def test_a_take_goes_on_when_its_process_is_killed(world: SimWorld, root: Path, lookout: Lookout) -> None:
    os.kill(lookout._process.pid or 0, signal.SIGKILL)
    lookout._process.join()
    person = sit(world, root, lambda: hold_until_asked(Intent.SAVE), lookout=lookout, limit_s=3.0)
    assert [ended.frames for ended in person.told(Finished)] == [3 * SECOND]
    grave = [said.text for said in person.told(Said) if said.grave]
    assert grave == ["Nobody ends takes any more: its process ended (-9)"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--operator", "keyboard", "--done-by", "somebody"), "Valid: judge, classifier:NAME"),
        (("--operator", "expert", "--done-by", "classifier:done"), "ends a person's takes"),
    ],
)
def test_who_cannot_end_takes_is_told_before_anything_is_made(
    studio: Studio, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    said = studio("record", *words, "--to", str(tmp_path / "set"))
    assert said.code == 2
    assert why in said.err
    assert not (tmp_path / "set").exists()
