"""Episodes played back from a dataset on disk."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from curation.store import Store
from studio.tui.widgets import reel as reel_module
from studio.tui.widgets.joint_plot import JointPlot
from studio.tui.widgets.pixels import Pixels
from studio.tui.widgets.player import Player
from studio.tui.widgets.reel import MOST_BYTES, Reel, small
from tests.curation.tiny import numbers
from tests.widgets.conftest import Alone, cells

LENGTH = 24


@pytest.fixture
def root(new_store: Store, make_stage: Callable[..., object]) -> Path:
    """A dataset of two episodes, 24 and 8 frames."""
    new_store.commit(make_stage(0, LENGTH))  # type: ignore[arg-type]
    new_store.commit(make_stage(1))  # type: ignore[arg-type]
    return new_store.root


async def until(pilot: Pilot[None], true: Callable[[], object], seconds: float = 60.0) -> None:
    for _ in range(round(seconds / 0.02)):
        await pilot.pause()
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")


def red(player: Player, camera: int = 0) -> int:
    """How red a camera's lower half is: 25 more with every frame of the tiny dataset."""
    picture = list(player.query(Pixels))[camera]
    cell = cells(picture)[picture.size.height - 2][picture.size.width // 2]
    assert cell[2] is not None
    return cell[2][0]


def expected(frame: int) -> int:
    return 20 + 25 * frame % 230


async def opened(pilot: Pilot[None], player: Player, root: Path, episode: str = "id-0") -> Reel:
    player.open(root, episode)
    await until(pilot, lambda: player._reel is not None and player._reel.done and player.length)
    await pilot.pause()
    assert player._reel is not None
    return player._reel


async def test_an_episode_opens_at_its_first_frame(alone: Alone, root: Path) -> None:
    async with alone(player := Player(), 80, 12) as pilot:
        reel = await opened(pilot, player, root)
        assert (player.frame, player.length, player.playing) == (0, LENGTH, False)
        assert [len(pictures) for pictures in reel.pictures.values()] == [LENGTH, LENGTH]
        assert abs(red(player) - expected(0)) <= 10
        assert [picture.caption for picture in player.query(Pixels)] == ["overhead", "wrist"]
        assert np.array_equal(reel.state, numbers(0, LENGTH)["observation.state"])
        assert player.query_one(JointPlot)._data is not None


async def test_steps_and_jumps_show_that_frame_and_no_other(alone: Alone, root: Path) -> None:
    async with alone(player := Player(), 80, 12) as pilot:
        await opened(pilot, player, root)
        for move, frame in ((lambda: player.step(5), 5), (lambda: player.step(-2), 3), (lambda: player.seek(7), 7)):
            move()
            await pilot.pause()
            assert player.frame == frame
            assert abs(red(player) - expected(frame)) <= 10
        player.step(1000)
        assert player.frame == LENGTH - 1
        player.step(-1000)
        assert player.frame == 0


async def test_playing_takes_the_time_it_took_and_stops_at_the_end(alone: Alone, root: Path) -> None:
    told: list[int] = []

    class Listening(Player):
        def on_player_moved(self, message: Player.Moved) -> None:
            told.append(message.frame)

    async with alone(player := Listening(), 80, 12) as pilot:
        await opened(pilot, player, root)
        loop = asyncio.get_running_loop()
        start = loop.time()
        player.toggle()
        assert player.playing
        await until(pilot, lambda: not player.playing)
        took = loop.time() - start
        assert LENGTH / 30 * 0.8 < took < LENGTH / 30 + 2.0
        assert told == sorted(told)
        assert told[-1] == player.frame == LENGTH - 1
        player.toggle()  # from the beginning again
        assert player.frame < 5
        player.toggle()
        assert not player.playing


async def test_speed_has_limits_and_plays_faster(alone: Alone, root: Path) -> None:
    async with alone(player := Player(), 80, 12) as pilot:
        await opened(pilot, player, root)
        for _ in range(9):
            player.faster(2)
        assert player.speed == 8.0
        loop = asyncio.get_running_loop()
        start = loop.time()
        player.toggle()
        await until(pilot, lambda: not player.playing)
        assert loop.time() - start < LENGTH / 30
        for _ in range(9):
            player.faster(0.5)
        assert player.speed == 0.125


async def test_a_cursor_that_runs_down_the_list_reads_only_where_it_stops(
    alone: Alone, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = Reel.__init__

    def noted(self: Reel, root: Path, episode_id: str, tell: Callable[[Reel], object]) -> None:
        read.append(episode_id)
        real(self, root, episode_id, tell)

    monkeypatch.setattr(Reel, "__init__", noted)
    async with alone(player := Player(), 80, 12) as pilot:
        for _ in range(5):
            player.open(root, "id-0")
            player.open(root, "id-1")
        await until(pilot, lambda: player.length)
        assert read == ["id-1"]
        assert player.length == 8


async def test_no_thread_stays_when_the_player_goes(alone: Alone, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = threading.Event()

    def sluggish(path: Path, start: int, count: int) -> object:
        for _ in range(count):
            slow.wait(0.05)
            yield np.zeros((48, 64, 3), np.uint8)

    monkeypatch.setattr(reel_module, "read_video", sluggish)
    async with alone(player := Player(), 80, 12) as pilot:
        player.open(root, "id-0")
        await until(pilot, lambda: player._reel is not None and player._reel.ready)
        reel = player._reel
        assert reel is not None
    assert reel.join(2.0)
    assert reel.ready < LENGTH
    assert not [thread for thread in threading.enumerate() if thread.name == "reel"]


async def test_what_cannot_be_read_is_told_where_the_time_stands(alone: Alone, root: Path) -> None:
    path = next(iter(Store.open(root).episode("id-0").videos.values()))
    path.write_bytes(path.read_bytes()[:900])
    async with alone(player := Player(), 120, 12) as pilot:
        player.open(root, "id-0")
        await until(pilot, lambda: player._reel is not None and player._reel.error)
        await pilot.pause()
        assert path.name in str(player._line.content)
        player.toggle()
        player.step(3)
        await opened(pilot, player, root, "id-1")
        assert player.length == 8
        player.open(root, "no such episode")
        await until(pilot, lambda: player._reel is not None and player._reel.error)
        assert "no such episode" in player._reel.error  # type: ignore[union-attr]


@pytest.mark.parametrize("frames", [1, 300, 1800, 100_000])
def test_pictures_are_kept_so_small_that_they_fit(frames: int) -> None:
    kept = small(np.zeros((480, 640, 3), np.uint8), 2 * frames)
    assert kept.shape[1] / kept.shape[0] == pytest.approx(4 / 3, rel=0.02)
    assert 36 <= kept.shape[0] <= 144
    if frames <= 1800:
        assert kept.nbytes * 2 * frames <= MOST_BYTES * 1.05
        assert kept.shape[0] >= 60
