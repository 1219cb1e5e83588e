"""Films: as long and as large as promised, and the following camera is calmer than what it follows."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from curation.episodes import StagedEpisode
from curation.errors import DataError, UnknownChoice, UsageError
from curation.store import Store
from curation.video import Encoding, check_video, read_video
from recorders.clock import Unpaced
from recorders.crew import draw_take
from recorders.draw import layout_of, positions
from recorders.film import FOOTER, HEIGHT, WIDTH, film_scene, make_film, shown
from recorders.journal import read_journal
from recorders.operators.named import Who, make_operator
from recorders.placements import Placing, start
from recorders.session import Session
from recorders.sidecar import read_sidecar
from recorders.take import Keep, run_take
from recorders.views import VIEWS, Follower
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene
from recorders.world.sim import SimWorld

FRAMES = 45


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One take of the expert reaching for the block."""
    root = tmp_path_factory.mktemp("film") / "tiny"
    scene = Scene(width=64, height=48)
    session = Session.create(root, scene, Encoding())
    world = SimWorld(scene)
    at = start(Placing(at=(0.337, -0.015)), scene, 5, 0)
    journal = session.begin(at, "expert", 0, None)
    operator = make_operator(Who(), world)
    run_take(world, operator, at, journal, rule=Keep.ALL, limit=FRAMES, clock=Unpaced())
    take = read_journal(journal.path)
    session.settle(take)
    session.save(StagedEpisode.load(draw_take(take, root, scene, world.painter, session.store.encoding)))
    world.close()
    session.close()
    return session.store


def test_film_has_the_frames_size_and_length_asked_for(store: Store, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    frames = make_film(store, [0], tmp_path / "film.mp4", speed=9.0, progress=lambda *at: told.append(at))
    stream = check_video(tmp_path / "film.mp4")
    assert (stream.frames, stream.fps) == (frames, store.fps) == (5, 30)
    assert (stream.width, stream.height) == (WIDTH, HEIGHT)
    assert told == [(step, 5) for step in range(1, 6)]
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    first, *_, last = read_video(tmp_path / "film.mp4")
    # All six tiles show something, and something moves.
    assert all(first[y : y + 300, x : x + 600].std() > 5 for y in (30, 390) for x in (20, 660, 1300))
    assert np.abs(first[:-FOOTER].astype(int) - last[:-FOOTER]).mean() > 0.5


@pytest.mark.parametrize(("speed", "frames"), [(1.0, 45), (2.0, 22), (0.5, 90), (100.0, 1)])
def test_at_any_speed_a_film_begins_at_the_start_and_stays_in_the_episode(speed: float, frames: int) -> None:
    indices = shown(FRAMES, speed)
    assert len(indices) == frames
    assert indices[0] == 0
    assert max(indices) < FRAMES
    if speed == 1.0:
        assert indices == list(range(FRAMES))


def test_the_following_camera_moves_less_than_the_gripper_and_never_jumps(store: Store) -> None:
    scene = film_scene(store)
    painter = Painter(scene, compile_scene(scene))
    take = read_sidecar(store.episode(0).frames)
    tips = [painter.gripper(qpos) for qpos in positions(take, layout_of(painter.model), painter.model)]
    follower = Follower(tips[0])
    targets = [follower.see(tip) for tip in tips]
    moved, followed = (np.linalg.norm(np.diff(way, axis=0), axis=1) for way in (tips, targets))
    assert np.array_equal(targets[0], tips[0])
    assert followed.max() < moved.max()
    assert followed.sum() < moved.sum()
    # It lags, but the gripper stays in the picture: half of it is 0.145 m high at 0.35 m.
    assert np.linalg.norm(np.subtract(tips, targets), axis=1).max() < 0.14


def test_there_are_six_views_one_of_which_follows() -> None:
    assert len(VIEWS) == len({view.label for view in VIEWS}) == 6
    (following,) = (view for view in VIEWS if view.target is None)
    point = np.array([0.1, 0.2, 0.3])
    assert np.array_equal(following.camera(point).lookat, point)
    assert following.camera(point).distance == pytest.approx(0.35)


def test_what_cannot_be_filmed_is_refused_and_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="positive speed"):
        make_film(store, [0], tmp_path / "film.mp4", speed=0.0)
    with pytest.raises(UsageError, match="needs an episode"):
        make_film(store, [], tmp_path / "film.mp4")
    with pytest.raises(UnknownChoice, match="episode"):
        make_film(store, [7], tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_an_episode_without_physics_is_named(store: Store, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(store.root, tmp_path / "copy"))
    shutil.rmtree(copy / "meta/studio/frames")
    with pytest.raises(DataError, match="missing"):
        make_film(Store.open(copy), [0], tmp_path / "film.mp4")
    assert not (tmp_path / "film.mp4").exists()
