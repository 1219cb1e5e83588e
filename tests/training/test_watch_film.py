"""The film of a watched episode: six angles, every frame, as long as the episode, lines in all of them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from curation.errors import UsageError
from curation.frames import Image
from recorders.film import ALARM, ALARM_HEIGHT, FOOTER, GAP, HEIGHT, TILE_HEIGHT, TILE_WIDTH, WIDTH
from recorders.views import VIEWS, Follower
from recorders.world.drawing import Painter
from recorders.world.scene import compile_scene
from studio.watching.film import scene_of, write_film
from studio.watching.history import History
from studio.watching.lines import lines_of
from studio.watching.piece import Piece
from tests.training.histories import diffused

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

FRAMES, LOOKED_AT = 6, 5


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return diffused(tmp_path_factory.mktemp("policy") / "diffusion", FRAMES)


@pytest.fixture(scope="module")
def film(history: History, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    seen: list[tuple[int, int]] = []
    assert write_film(history, path, lambda *done: seen.append(done)) == FRAMES
    assert seen == [(done, FRAMES) for done in range(1, FRAMES + 1)]
    assert list(path.parent.iterdir()) == [path]
    return path


def test_the_film_has_every_frame_and_the_episodes_length(film: Path) -> None:
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        images = list(container.decode(stream))
        assert stream.average_rate == 30
        assert (stream.codec_context.width, stream.codec_context.height) == (WIDTH, HEIGHT)
        assert stream.duration * stream.time_base == Fraction(FRAMES, 30)
    assert [image.pts * image.time_base for image in images] == [Fraction(frame, 30) for frame in range(FRAMES)]


def test_every_tile_is_its_angle_with_the_lines_of_its_frame(film: Path, history: History) -> None:
    with av.open(str(film)) as container:
        shown = [image.to_ndarray(format="rgb24") for image in container.decode(video=0)][LOOKED_AT]
    tiles = [
        shown[top : top + TILE_HEIGHT, left : left + TILE_WIDTH].astype(int)
        for top in (0, TILE_HEIGHT + GAP)
        for left in (0, TILE_WIDTH + GAP, 2 * (TILE_WIDTH + GAP))
    ]
    scene = replace(scene_of(history), look="nice", width=TILE_WIDTH, height=TILE_HEIGHT)
    painter = Painter(scene, compile_scene(scene))
    states = history.columns.physics[: LOOKED_AT + 1, 1 : 1 + painter.model.nq]
    follower = Follower(painter.gripper(states[0]))
    for state in states:
        tracked = follower.see(painter.gripper(state))
    shots = painter.shots(states[-1], {view.label: view.camera(tracked) for view in VIEWS})
    painter.close()
    plain = [image.astype(int) for image, _ in shots.values()]
    apart = [[float(np.abs(tile - image).mean()) for image in plain] for tile in tiles]
    assert [int(np.argmin(row)) for row in apart] == list(range(len(VIEWS))), "each angle is in its place"
    assert all(2 * sorted(row)[0] < sorted(row)[1] for row in apart), "and no other one is nearly as like"
    assert np.linalg.norm(tracked - history.path[0]) > 0.001, "the last one follows the gripper"
    lines = lines_of(history, LOOKED_AT)
    assert {line.kind for line in lines} == {"taken", "plan", "sample", "denoising"}
    for tile, image, (_, eye) in zip(tiles, plain, shots.values(), strict=True):
        for kind in ("taken", "plan"):
            points = np.concatenate([line.points for line in lines if line.kind == kind])
            assert coloured(tile, image, eye.project(points, TILE_HEIGHT, TILE_WIDTH)), kind
    assert shown[-FOOTER:].max() > 200, "the strip below says what is seen"


def coloured(tile: Image, plain: Image, pixels: np.ndarray) -> bool:
    """Whether a tile differs from the plain picture where a line should be, and much more so than elsewhere."""
    seen = np.round(pixels[np.isfinite(pixels).all(axis=1)]).astype(int)
    inside = seen[(seen >= 0).all(axis=1) & (seen < (TILE_WIDTH, TILE_HEIGHT)).all(axis=1)]
    difference = np.abs(tile - plain).sum(axis=2)
    return len(inside) > 0 and np.median(difference[inside[:, 1], inside[:, 0]]) > 20 * max(1, np.median(difference))


def test_alarms_are_over_every_frame(film: Path, history: History, tmp_path: Path) -> None:
    one = Piece.of(history, 0).columns
    short = type(one)(one.state[:1], one.physics[:1], one.tip[:1], one.action[:1], one.marks[:1])
    told = {**history.told, "alarms": ["these actions were never denormalised " * 20], "ending": None}
    write_film(History(told, short, {0: history.outlooks[0]}), tmp_path / "film.mp4")
    for path, there in ((tmp_path / "film.mp4", True), (film, False)):
        with av.open(str(path)) as container:
            shown = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
        strip = np.median(shown[-FOOTER - ALARM_HEIGHT : -FOOTER], axis=(0, 1))
        # Encoding shifts colours a little.
        assert bool(np.abs(strip - ALARM).max() < 40) is there, strip


def test_an_empty_history_is_no_film(history: History, tmp_path: Path) -> None:
    columns = history.columns
    empty = type(columns)(columns.state[:0], columns.physics[:0], columns.tip[:0], columns.action[:0], ())
    with pytest.raises(UsageError, match="nothing to film"):
        write_film(History(history.told, empty, {}), tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())
