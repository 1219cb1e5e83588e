"""From a hand to the simulated arm: how old what a controller says is when it drives.

    .venv/bin/python tests/benchmarks/bench_controller.py [--seconds 30] [--through openxr web]

Through openxr: the test runtime behind the real Khronos loader, and real pyopenxr in its own process. Through web: the
page over HTTPS in a headless Chromium that emulates a Quest. Then the control law and the world at 30 frames a second;
the hand draws circles. Per frame: age of the newest reading when the frame asks, from that reading to the target
chosen, and to the end of the simulated frame that it drove. And from a hand that begins to move until the simulated
tool has made half of that way, which also holds waiting for the next frame, smoothing, speed and servos.
"""

# ruff: noqa: E402  a dependency installs a package named tests; ours must come first

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

import tests

tests.__path__.insert(0, str(Path(__file__).parents[1]))

from curation.frames import Observation, Placement
from recorders.clock import RealTime
from recorders.devices.controller import ControllerSample, ControllerSource
from recorders.devices.headset import Headset
from recorders.devices.web.headset import WebHeadset
from recorders.operators.controller.driver import SCALE, Controller
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from tests.devices.openxr.runtime import Movable, Runtime, build, moving
from tests.devices.web.quest import Quest, quests

HAND = ControllerSample(0.0, "right", (0.2, 1.1, -0.4), tracked=True, squeeze=1.0)
STEP_M = 0.02
STRETCHES = 100
"""Times the clock of the frames is put anew: readings that come at a multiple of its rate, as those of a browser, would
else stay as old as they happened to be in the first frame."""
LIMITS = (("sample to control", 20.0), ("sample to simulated motion", 100.0))


class Loop:
    """A hand, a world and the clock of a take."""

    def __init__(self, source: ControllerSource) -> None:
        self.world = SimWorld(Scene(width=64, height=48))
        self.driver = Controller(source, self.world.fps)
        self._clock = RealTime(self.world.fps)
        self._observation: Observation = self.world.reset(0, Placement(0.337, -0.015))
        self.driver.begin(self._observation, 0)
        self._index = 0

    def frame(self) -> tuple[float, float, float]:
        """One frame; age of the newest reading, its way to the target and to the end of the frame [ms]."""
        self._clock.wait(self._index)
        self._index += 1
        self.driver.listen()
        asked = time.perf_counter()
        action = self.driver.act(self._observation).action
        chosen = time.perf_counter()
        self._observation = self.world.step(action)
        moved = time.perf_counter()
        sampled = self.driver.sampled
        return 1e3 * (asked - sampled), 1e3 * (chosen - sampled), 1e3 * (moved - sampled)

    def run(self, seconds: float, later: float = 0.0) -> np.ndarray:
        """Frames for some time, the first of them so much later [s]; shape (frames, 3) [ms]."""
        time.sleep(later)
        self._index = 0
        self._clock.start()
        return np.array([self.frame() for _ in range(round(seconds * self.world.fps))])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30.0)
    ways = {"openxr": _through_openxr, "web": _through_web}
    parser.add_argument("--through", nargs="+", choices=ways, default=ways)
    asked = parser.parse_args()
    for name in asked.through:
        print(f"through {name}")
        with tempfile.TemporaryDirectory() as folder, ways[name](Path(folder)) as (hand, source):
            _measure(hand, Loop(source), asked.seconds)


@contextmanager
def _through_openxr(folder: Path) -> Iterator[tuple[Movable, ControllerSource]]:
    os.environ |= {"XR_RUNTIME_JSON": str(build(folder)), "STUDIO_TEST_XR": str(folder / "headset")}
    runtime = Runtime(folder / "headset")
    source = Headset("right")
    source.open()
    try:
        yield runtime, source
    finally:
        source.close()
        runtime.close()


@contextmanager
def _through_web(folder: Path) -> Iterator[tuple[Movable, ControllerSource]]:
    os.environ["XDG_CONFIG_HOME"] = str(folder)
    source = WebHeadset("right", port=0)
    source.open()
    try:
        with quests(folder / "profile") as browser:
            quest = Quest(browser)
            quest.open(source.address)
            quest.start()
            yield quest, source
    finally:
        source.close()


def _measure(hand: Movable, loop: Loop, seconds: float) -> None:
    hand.move(replace(HAND, squeeze=0.0))
    loop.run(1.0)
    with moving(hand, _circle, seconds + 2):
        loop.run(1.0)
        rows = np.concatenate([loop.run(seconds / STRETCHES, later) for later in _phases(loop.world.fps)])
    print(f"{'':<34}{'median':>10}{'p95':>10}{'p99':>10}{'worst':>10}")
    for name, column in zip(("age of the reading", *(name for name, _ in LIMITS)), rows.T, strict=True):
        print(_row(name, column))
    took = np.array([_half_way(hand, loop) for _ in range(20)])
    print(_row("hand to half of the tool's way", took))
    for (name, limit), column in zip(LIMITS, rows.T[1:], strict=True):
        p95 = np.percentile(column, 95)
        print(f"{name}: p95 {p95:.1f} ms, limit {limit:g} ms  {'ok' if p95 <= limit else 'ABOVE'}")


def _phases(fps: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.0, 1 / fps, STRETCHES)


def _row(name: str, values: np.ndarray) -> str:
    figures = (*np.percentile(values, [50, 95, 99]), values.max())
    return f"{name:<34}" + "".join(f"{figure:>7.1f} ms" for figure in figures)


def _circle(now: float) -> ControllerSample:
    x, y, z = HAND.position
    return replace(HAND, position=(x + 0.05 * math.sin(2 * now), y + 0.05 * math.cos(2 * now), z))


def _half_way(hand: Movable, loop: Loop) -> float:
    """From a hand that jumps up by `STEP_M` until the tool has made half of what follows from it [ms]."""
    hand.move(HAND)
    loop.run(0.7)
    start = loop.world.tip()[2]
    x, y, z = HAND.position
    began = time.perf_counter()
    hand.move(replace(HAND, position=(x, y + STEP_M, z)))
    while loop.world.tip()[2] - start < 0.5 * SCALE * STEP_M and time.perf_counter() - began < 2.0:
        loop.frame()
    return 1e3 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
