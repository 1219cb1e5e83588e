"""Posters: one picture with something in every part of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from curation.attempts import Attempts
from curation.episodes import StagedEpisode
from curation.errors import NotADataset, UsageError
from curation.inspect import inspect
from curation.rates import Rate, wilson
from curation.store import Store
from curation.video import Encoding
from recorders.clock import Unpaced
from recorders.crew import draw_take
from recorders.journal import read_journal
from recorders.operators.named import Who, make_operator
from recorders.placements import Placing, start
from recorders.poster import BODY_TOP, MAP_WIDTH, MARGIN, SIDE, WIDTH, _success, chosen, make_poster, moments
from recorders.poster_map import Ground, tip_paths
from recorders.session import Session
from recorders.take import Keep, run_take
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld

FRAMES = 20


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One short take."""
    root = tmp_path_factory.mktemp("poster") / "tiny"
    scene = Scene(width=64, height=48)
    session = Session.create(root, scene, Encoding())
    world = SimWorld(scene)
    at = start(Placing(at=(0.217, 0.225)), scene, 5, 0)
    journal = session.begin(at, "expert", 0, None)
    operator = make_operator(Who(), world)
    run_take(world, operator, at, journal, rule=Keep.ALL, limit=FRAMES, clock=Unpaced())
    take = read_journal(journal.path)
    session.settle(take)
    session.save(StagedEpisode.load(draw_take(take, root, scene, world.painter, session.store.encoding)))
    world.close()
    session.close()
    return session.store


def test_poster_has_something_in_every_part(store: Store, tmp_path: Path) -> None:
    make_poster(store, tmp_path / "new" / "poster.png")
    with Image.open(tmp_path / "new" / "poster.png") as image:
        page = np.asarray(image.convert("RGB"))
    map_bottom = BODY_TOP + Ground(MAP_WIDTH).height
    parts = {
        "title": page[60:250, MARGIN:],
        "map": page[BODY_TOP:map_bottom, MARGIN : MARGIN + MAP_WIDTH],
        "success": page[BODY_TOP : BODY_TOP + 200, SIDE:],
        "joints": page[map_bottom - 400 : map_bottom, SIDE:],
        "moments": page[map_bottom + 100 :, MARGIN:],
    }
    assert page.shape[1] == WIDTH
    colours = {name: len(np.unique(part.reshape(-1, 3), axis=0)) for name, part in parts.items()}
    assert min(colours.values()) > 20, colours
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["poster.png"]


@pytest.mark.parametrize(
    ("success", "attempts", "said"),
    [
        (
            wilson(20, 23),
            Attempts(total=23, kept=20, success=20, unjudged={"discarded": 1}),
            ["20", "of 23 attempts", "95 % CI 68 to 95 %", "attempts: 23, 20 kept, 1 discarded"],
        ),
        (None, None, ["not known: only what was kept is here", "attempts: unknown"]),
    ],
)
def test_the_big_number_counts_attempts(
    store: Store, monkeypatch: pytest.MonkeyPatch, success: Rate | None, attempts: Attempts | None, said: list[str]
) -> None:
    texts: list[str] = []
    draw = ImageDraw.Draw(Image.new("RGB", (WIDTH, WIDTH)))
    monkeypatch.setattr(draw, "text", lambda _, text, *rest, **more: texts.append(text))
    found = replace(inspect(store), success=success, success_of="attempts", attempts=attempts, outcomes={"success": 20})
    _success(draw, found)
    assert texts == ["Success", *said, "success", "20"]


def test_the_map_shows_forward_up_and_the_robots_right_at_the_right() -> None:
    ground = Ground(960)
    right, down = ground.at(0.2, 0.1)
    assert ground.at(0.3, 0.1) == pytest.approx((right, down - 0.1 * ground.scale))
    assert ground.at(0.2, 0.0) == pytest.approx((right + 0.1 * ground.scale, down))


def test_paths_begin_at_the_folded_arm(store: Store) -> None:
    (path,) = tip_paths(store, Scene(width=64, height=48))
    assert path.shape == (FRAMES // 2, 3)
    assert path[0, 0] == pytest.approx(0.18, abs=0.05)
    assert abs(path[0, 1]) < 0.02


def test_moments_are_in_order_and_within_the_episode(store: Store) -> None:
    (episode,) = store.episodes
    found = moments(episode, store.fps)
    indices = [moment.index for moment in found]
    assert indices == sorted(indices)
    assert (indices[0], indices[-1]) == (0, FRAMES - 1)
    # Nothing was grasped in it, and the poster does not pretend so.
    assert [moment.happened for moment in found] == [True, False, False, True]
    assert chosen(store) == [0]


def test_a_dataset_that_cannot_be_drawn_is_refused(tmp_path: Path, store: Store) -> None:
    known: dict[str, Any] = {"fps": 30, "features": store.features, "robot_type": "any", "encoding": Encoding()}
    empty = Store.create(tmp_path / "empty", scene=store.scene, **known)
    with pytest.raises(UsageError, match="no episodes"):
        make_poster(empty, tmp_path / "poster.png")
    foreign = Store.create(tmp_path / "foreign", scene={}, **known)
    with pytest.raises(NotADataset, match="not recorded by the studio"):
        make_poster(foreign, tmp_path / "poster.png")
