"""A controller whose readings a test writes one by one."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from curation.frames import Observation, Vector
from recorders.devices.controller import Batch, ControllerSample
from recorders.operators.controller.driver import Controller
from recorders.operators.keymap import Intent
from recorders.world.kinematics import forward
from recorders.world.sim import HOME
from recorders.world.units import to_radians
from tests.operators.controller.phantom import TOOL, Scripted

FPS = 30
HERE = ControllerSample(0.0, "right", (0.2, 1.1, -0.4), (0.0, 0.0, 0.0, 1.0), tracked=True, squeeze=1.0)


class Bench:
    """A controller whose arm is where its targets are."""

    def __init__(self, start: Vector = HOME) -> None:
        self.source = Scripted()
        self.said: list[str] = []
        self.driver = Controller(self.source, FPS, self.said.append)
        self.state = start.copy()
        self.now = 0.0
        self.wanted: list[Intent] = []
        self.driver.begin(Observation(self.state, 0.0, dict), 0)
        self.show(replace(HERE, squeeze=0.0))

    def show(self, *samples: ControllerSample, seconds: float = 1 / FPS) -> Vector:
        """One frame in which these readings came, evenly spread; returns its targets."""
        spread = [replace(sample, time=self.now + (k + 1) * seconds / len(samples)) for k, sample in enumerate(samples)]
        return self.send(*spread, seconds=seconds)

    def send(self, *samples: ControllerSample, seconds: float = 1 / FPS) -> Vector:
        """One frame in which these readings came as they are."""
        self.now += seconds
        self.source.script = [Batch(self.now, samples)]
        self.wanted = self.driver.listen()
        self.state = self.driver.act(Observation(self.state.copy(), 0.0, dict)).action
        return self.state

    def glide(self, way: tuple[float, float, float], frames: int, start: ControllerSample = HERE) -> ControllerSample:
        """Move the hand evenly; returns its last reading."""
        last = start
        for frame in range(1, frames + 1):
            steps = [(frame - 1 + part / 3) / frames for part in (1, 2, 3)]
            shown = [moved(start, [step * part for part in way]) for step in steps]
            self.show(*shown)
            last = shown[-1]
        return last

    def rest(self, sample: ControllerSample, frames: int = 20) -> Vector:
        """Hold still."""
        for _ in range(frames):
            self.show(sample, sample, sample)
        return self.state

    @property
    def tip(self) -> Vector:
        return forward(to_radians(self.state)[:5], TOOL).position


def moved(sample: ControllerSample, way: Any) -> ControllerSample:
    """The same hand, so far away [m]."""
    x, y, z = np.array(sample.position) + np.array(way)
    return replace(sample, position=(float(x), float(y), float(z)))


def turned(degrees: float, axis: tuple[float, float, float], sample: ControllerSample = HERE) -> ControllerSample:
    """The same hand, turned so far about an axis of the room."""
    half = math.radians(degrees) / 2
    x, y, z = (part * math.sin(half) for part in axis)
    return replace(sample, rotation=(x, y, z, math.cos(half)))
