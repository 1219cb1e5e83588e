"""Pictures of both cameras from a process of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from curation.frames import Vector
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene
from studio import views as views_module
from studio.views import Views, _Board

SMALL = {"width": 64, "height": 48}
PARENT = """
import sys, time
from studio.views import Views
from recorders.world.scene import Scene
if __name__ == "__main__":
    views = Views(Scene(), width=64, height=48)
    print(views._process.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def rest() -> Vector:
    """A physics vector: frame index and qpos of the scene at rest."""
    return np.concatenate([[0.0], compile_scene(Scene()).qpos0, np.zeros(40)])


@pytest.fixture
def views() -> Iterator[Views]:
    made = Views(Scene(look="nice", depth=True), **SMALL, per_second=50)
    yield made
    made.close()


def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)


def test_pictures_are_those_of_the_newest_wish_and_asking_never_waits(views: Views, rest: Vector) -> None:
    assert views.pictures() is None
    longest = 0.0
    for frame in range(300):
        wish = rest.copy()
        wish[0], wish[1] = frame, 0.002 * frame
        start = time.perf_counter()
        views.want(wish.tolist())
        views.pictures()
        longest = max(longest, time.perf_counter() - start)
        time.sleep(0.002)
    assert longest < 0.1
    model = compile_scene(replace(Scene(), **SMALL))
    painter = Painter(replace(Scene(), **SMALL), model)
    expected = painter.draw(wish[1 : 1 + model.nq])
    painter.close()

    def arrived() -> bool:
        pictures = views.pictures()
        return pictures is not None and all(np.array_equal(pictures[name], expected[name]) for name in expected)

    until(arrived)
    pictures = views.pictures()
    assert pictures is not None
    assert set(pictures) == {"overhead_cam", "wrist_cam"}
    assert 0 < views.drawn < 300
    assert 0 < views.cost_s < 5
    assert views.error == ""
    assert views.pictures() is pictures


def test_a_free_camera_goes_where_it_is_told_and_its_eye_says_what_is_where(rest: Vector) -> None:
    views = Views(Scene(), width=160, height=120, per_second=50, cameras=("overhead_cam",), free=True)
    block = Painter(Scene(), compile_scene(Scene())).address("block")
    moved = rest.copy()
    place = np.array([0.3, -0.05, 0.02])
    moved[1 + block : 4 + block] = place
    seen = []
    try:
        for azimuth in (218.0, 140.0):
            before = views.drawn
            views.want(moved, (azimuth, -50.0, 0.6, 0.25, 0.0, 0.0))
            until(lambda: views.drawn > before)
            pictures = views.pictures()
            assert pictures is not None
            assert set(pictures) == set(views.eyes()) == {"overhead_cam", "free"}
            for name, image in pictures.items():
                ((column, row),) = views.eyes()[name].project(place[None], 120, 160)
                red, green, blue = image[round(row), round(column)].astype(int)
                assert red > 1.6 * max(green, blue), f"{name}: the block is where its eye says"
            seen.append(pictures["free"])
    finally:
        views.close()
    assert not np.array_equal(seen[0], seen[1])


def test_an_arm_that_stands_still_is_not_drawn_again(views: Views, rest: Vector) -> None:
    views.want(rest)
    until(views.pictures)
    before = views.drawn
    for frame in range(20):
        views.want(np.concatenate([[float(frame)], rest[1:]]))
        time.sleep(0.01)
    assert views.drawn == before


def test_a_drawing_process_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch, views: Views, rest: Vector) -> None:
    monkeypatch.setattr(views_module, "AGAIN_S", 0.2)
    views.want(rest)
    until(views.pictures)
    before, pid = views.drawn, views._process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    moved = rest.copy()
    moved[1] = 0.3

    def drawn() -> bool:
        views.want(moved)
        time.sleep(0.05)
        return views.drawn > before

    until(drawn)
    assert views._process.pid != pid


def test_it_ends_with_its_parent_and_when_closed(views: Views) -> None:
    process = views._process
    views.close()
    assert process.exitcode is not None
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    until(lambda: child.num_threads() > 1)  # it watches its parent by now
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, 10)


def test_it_draws_with_one_thread_and_yields_to_the_arm(views: Views, rest: Vector) -> None:
    views.want(rest)
    until(views.pictures)
    process = psutil.Process(views._process.pid)
    assert process.nice() >= views_module.NICE
    rasterisers = [thread for thread in process.threads() if thread.id != process.pid]
    names = [Path(f"/proc/{process.pid}/task/{thread.id}/comm").read_text() for thread in rasterisers]
    assert sum("llvmpipe" in name for name in names) <= 1


def test_what_is_wrong_is_told_in_words() -> None:
    board = _Board(12)
    assert board.told() == ""
    board.tell("No OpenGL library, and a ü. " * 100)
    assert board.told().startswith("No OpenGL library, and a ü. No")


def test_a_wish_that_is_being_written_is_not_read() -> None:
    board = _Board(12)
    assert board.wished(3) is None
    board.wish(np.array([1.0, 2.0, 3.0, 4.0]))
    assert board.wished(3) is not None
    board._count[0] += 1  # the writer has begun
    assert board.wished(3) is None
    board._count[1] = board._count[0]
    wished = board.wished(3)
    assert wished is not None
    assert wished.tolist() == [1.0, 2.0, 3.0]
    board.wish(np.arange(10_000.0))
    assert board.wished(views_module.ROOM) is not None
