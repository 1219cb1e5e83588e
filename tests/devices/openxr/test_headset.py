"""The headset as a source: a process that may die, hang or lose its session, and an arm that stands meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from curation.frames import Placement, Vector
from recorders.devices import beside, headset
from recorders.devices.controller import RATE_HZ, Batch, ControllerSample, Pulse
from recorders.devices.headset import Headset
from recorders.devices.openxr.errors import NoHeadset
from recorders.operators.controller.clutch import Hold
from recorders.operators.controller.driver import SPEED, Controller
from recorders.world.scene import Scene
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.sim import SimWorld
from tests.devices.openxr.runtime import DEAD, FOCUSED, HANGS, STOPPING, VISIBLE, WELL, Runtime

HAND = ControllerSample(0.0, "right", (0.2, 1.1, -0.4), tracked=True, squeeze=1.0)
FPS = 30


class Took:
    """Everything that a source gave."""

    def __init__(self, source: Headset) -> None:
        self._source = source
        self.samples: list[ControllerSample] = []
        self.said: list[str] = []

    def take(self) -> Batch:
        batch = self._source.take()
        self.samples += batch.samples
        self.said += batch.said
        return batch

    def until(self, there: Callable[[], bool], within_s: float = 15.0) -> None:
        """Take until it is so."""
        end = time.monotonic() + within_s
        while not there():
            assert time.monotonic() < end, self.said
            self.take()
            time.sleep(0.01)

    def hears(self, text: str) -> None:
        """Take until the source says this."""
        self.until(lambda: any(text in said for said in self.said))


@pytest.fixture
def source(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Headset]:
    monkeypatch.setattr(beside, "RETRY_S", 0.1)
    monkeypatch.setattr(beside, "SILENT_S", 1.5)
    monkeypatch.setattr(headset, "HEADSET", replace(headset.HEADSET, open_s=10.0))
    made = Headset("right")
    made.open()
    yield made
    made.close()


def test_readings_come_a_hundred_times_a_second_fresh_and_in_order(
    runtime: Runtime, source: Headset, capfd: pytest.CaptureFixture[str]
) -> None:
    took = Took(source)
    took.hears("The headset is ready.")
    runtime.move(HAND)
    took.until(lambda: bool(took.samples) and took.samples[-1].tracked)
    first = len(took.samples)
    time.sleep(1.0)
    batch = took.take()
    assert batch.now - took.samples[-1].time < 0.5
    times = np.array([sample.time for sample in took.samples[first:]])
    assert (np.diff(times) > 0).all()
    assert 0.6 * RATE_HZ < len(times) < 1.2 * RATE_HZ  # a machine that is busy with other things gives fewer
    source.pulse(Pulse(0.5, 0.03))
    took.until(lambda: runtime.pulses["right"] == 1)
    assert source.name == "Test runtime 1.2.3, right hand"
    assert capfd.readouterr().err == ""  # the runtime speaks, but not on a terminal that screens are drawn on


def test_whatever_ends_a_session_another_one_follows(runtime: Runtime, source: Headset) -> None:
    took = Took(source)
    took.hears("The headset is ready.")
    runtime.set(wanted=STOPPING)
    took.hears("The session was quit in the headset. The arm stands")
    runtime.set(wanted=FOCUSED)
    took.hears("connected again.")
    assert source.beside.process is not None
    os.kill(source.beside.process.pid or 0, signal.SIGKILL)
    took.said.clear()
    took.hears("ended without a word")
    took.hears("connected again.")
    runtime.set(health=HANGS)
    took.said.clear()
    took.hears("hangs")
    runtime.set(health=WELL)
    took.hears("connected again.")
    took.samples.clear()
    runtime.move(HAND)
    took.until(lambda: any(sample.tracked for sample in took.samples))
    assert runtime.sessions >= 3


def test_where_there_is_no_headset_nothing_is_opened(runtime: Runtime) -> None:
    runtime.set(headless=0)
    source = Headset("right")
    with pytest.raises(NoHeadset, match=r"Test runtime 1\.2\.3 gives controllers only"):
        source.open()
    assert source.beside.process is None


class Arm:
    """A world that a hand drives at its own pace; every step of the arm is looked at."""

    def __init__(self, world: SimWorld, source: Headset) -> None:
        self.said: list[str] = []
        self.driver = Controller(source, FPS, self.said.append)
        self._world = world
        self._observation = world.reset(0, Placement(0.337, -0.015, 0.0))
        self.driver.begin(self._observation, 0)
        self.state = self._observation.state

    def drive(self, seconds: float, each: Callable[[float], Any] = lambda now: None) -> list[Vector]:
        """Some frames; returns the targets asked for."""
        asked = []
        for frame in range(round(seconds * FPS)):
            each(frame / FPS)
            time.sleep(1 / FPS)
            self.driver.listen()
            tip = np.array(self._world.tip())
            action = self.driver.act(self._observation).action
            step = np.abs(action - self.state)[:5].max()
            assert step <= STEP_LIMIT_DEG_PER_S / FPS + 1e-6
            if self.driver.mode is not Hold.DRIVING:
                assert step == 0.0
            self._observation = self._world.step(action)
            assert np.linalg.norm(np.array(self._world.tip()) - tip) < 2 * SPEED / FPS
            self.state = action
            asked.append(action)
        return asked

    def drives(self, runtime: Runtime, up: float = 0.05) -> None:
        """After a new squeeze, half a second of moving up or down really moves the arm."""
        start, _ = runtime.hands["right"]
        x, y, z = start.position
        held = replace(HAND, position=(x, y, z))
        runtime.move(replace(held, squeeze=0.0))
        self.drive(0.3)
        before = self._world.tip()[2]
        self.drive(0.6, lambda now: runtime.move(replace(held, position=(x, y + min(now, 0.5) * 2 * up, z))))
        assert (self._world.tip()[2] - before) / up > 0.3, (self.driver.mode, self.said)
        assert self.driver.mode is Hold.DRIVING


def test_no_fault_of_a_headset_makes_the_arm_step(runtime: Runtime, source: Headset) -> None:
    """Tracking lost, back nine metres away, menu opened, controller off, session quit, runtime gone: all in motion."""
    world = SimWorld(Scene(width=64, height=48))
    arm = Arm(world, source)
    runtime.move(replace(HAND, squeeze=0.0))
    took = Took(source)
    took.until(lambda: bool(took.samples) and took.samples[-1].tracked)
    arm.drives(runtime)

    def lost() -> None:
        arm.drive(0.4)
        assert arm.driver.mode is Hold.LOST

    runtime.lose()
    lost()
    runtime.move(replace(HAND, position=(9.2, -1.0, 3.0)))  # still squeezed
    stood = arm.state.copy()
    assert np.ptp([stood, *arm.drive(0.4)], axis=0)[:5].max() < 1e-6
    runtime.move(HAND)
    assert np.ptp([stood, *arm.drive(0.4)], axis=0)[:5].max() < 1e-6
    arm.drives(runtime, -0.04)

    runtime.set(wanted=VISIBLE)
    lost()
    runtime.set(wanted=FOCUSED)
    arm.drives(runtime)

    runtime.lose(active=False)
    lost()
    arm.drives(runtime, -0.04)

    for away, back in (({"wanted": STOPPING}, {"wanted": FOCUSED}), ({"health": DEAD}, {"health": WELL})):
        runtime.set(**away)
        lost()
        runtime.set(**back)
        runtime.move(replace(runtime.hands["right"][0], squeeze=0.0))
        end = time.monotonic() + 15
        while arm.driver.mode is Hold.LOST:
            assert time.monotonic() < end, arm.said
            arm.drive(0.1)
        arm.drives(runtime, 0.04)
    world.close()
