"""Against Monado, a real runtime: a pick and place, a service that is killed, and our own runtime beside it."""

from __future__ import annotations

import json
import multiprocessing.spawn
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.frames import Placement
from recorders.clock import RealTime
from recorders.devices import beside
from recorders.devices.controller import ControllerSample
from recorders.devices.headset import Headset
from recorders.operators.controller.clutch import Hold
from recorders.operators.controller.driver import Controller
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from tests.devices.openxr.monado import Monado, require_monado
from tests.devices.openxr.runtime import INDEX, Runtime, moving
from tests.operators.controller.phantom import Phantom, expert_path

pytestmark = pytest.mark.slow
HAND = ControllerSample(0.0, "right", (0.2, 1.1, -0.4), tracked=True, squeeze=1.0)


@pytest.fixture
def monado(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Monado]:
    require_monado()
    made = Monado(tmp_path)
    for name, value in made.surroundings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(multiprocessing.spawn, "_python_exe", str(made.python).encode())
    yield made
    made.close()


@pytest.fixture
def source(monado: Monado, monkeypatch: pytest.MonkeyPatch) -> Iterator[Headset]:
    monkeypatch.setattr(beside, "RETRY_S", 0.2)
    made = Headset("right")
    made.open()
    yield made
    made.close()


class Loop:
    """A world that a hand drives in real time."""

    def __init__(self, source: Headset) -> None:
        self.said: list[str] = []
        self.world = SimWorld(Scene(width=64, height=48))
        self.driver = Controller(source, self.world.fps, self.said.append)
        self._observation = self.world.reset(0, Placement(0.337, -0.015, 30.0))
        self.driver.begin(self._observation, 0)
        self.targets = [self._observation.state]

    def run(self, seconds: float) -> None:
        """Drive until the time is over or the judge is content."""
        clock = RealTime(self.world.fps)
        clock.start()
        for frame in range(round(seconds * self.world.fps)):
            clock.wait(frame)
            self.driver.listen()
            action = self.world.admit(self.driver.act(self._observation).action)
            self._observation = self.world.step(action)
            self.targets.append(action)
            if self.world.judge.success_s is not None:
                return

    def until(self, *holds: Hold, within_s: float = 20.0) -> None:
        """Drive until the clutch makes this of the hand."""
        end = time.monotonic() + within_s
        while self.driver.mode not in holds:
            assert time.monotonic() < end, self.said
            self.run(0.1)


def test_a_pick_and_place_through_monado(monado: Monado, source: Headset) -> None:
    loop = Loop(source)
    hand = Phantom(expert_path(loop.world, 0), np.random.default_rng(0))
    monado.move(hand.at(0.0))
    loop.until(Hold.FREE)
    with moving(monado, hand.at, hand.seconds):
        loop.run(hand.seconds)
    assert loop.world.verdict()[0] == "success", loop.said
    assert "Monado" in source.name
    assert "Right hand: index controller." in loop.said


def test_a_service_that_is_killed_stops_the_arm_and_driving_goes_on_with_the_next(
    monado: Monado, source: Headset
) -> None:
    loop = Loop(source)
    monado.move(replace(HAND, squeeze=0.0))
    loop.until(Hold.FREE)
    rising = lambda now: replace(HAND, position=(0.2, 1.1 + 0.05 * now, -0.4))  # noqa: E731
    with moving(monado, rising, 10.0):
        loop.until(Hold.DRIVING)
        loop.run(0.5)
        monado.kill()
        loop.until(Hold.LOST)
        stood = loop.targets[-1]
        loop.run(1.0)
    assert np.array_equal(loop.targets[-1], stood)
    monado.start()
    monado.move(replace(HAND, squeeze=0.0))
    loop.until(Hold.FREE, within_s=30.0)
    height = loop.world.tip()[2]
    with moving(monado, rising, 10.0):
        loop.until(Hold.DRIVING)
        loop.run(1.0)
    assert loop.world.tip()[2] - height > 0.02
    assert any("The arm stands" in said for said in loop.said)
    assert any("connected again" in said for said in loop.said)


def answers(python: str, surroundings: dict[str, str]) -> dict[str, Any]:
    script = Path(__file__).with_name("parity.py")
    done = subprocess.run(
        [python, script], env={**os.environ, **surroundings}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_our_runtime_answers_as_monado_does(monado: Monado, manifest: Path, tmp_path: Path) -> None:
    real = answers(str(monado.python), dict(monado.surroundings))
    runtime = Runtime(tmp_path / "headset")
    runtime.set(profile=INDEX)
    ours = answers(sys.executable, {"XR_RUNTIME_JSON": str(manifest), "STUDIO_TEST_XR": str(tmp_path / "headset")})
    runtime.close()
    assert ours == real
    assert len(real) > 30
