"""Stress: the same actions once more, under other friction, mass, delay and servos than they were recorded with.

A demonstration that only works in the world it was driven in teaches a policy a lazy grip. Physics only: nothing is
drawn. Change number k is the same for every episode, so that two episodes differ by what they are and not by luck.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from curation.frames import Ending, Outcome, Placement, Vector

from .crew import Crew
from .operators import each
from .operators.replay import LateReplay
from .rollout import Start, rollout
from .sidecar import read_sidecar
from .world.scene import Scene, compile_scene
from .world.sim import SimWorld

STREAM = 23
"""Keeps the stream of changes apart from those of other seeds."""
REPLAY_STREAM = 24
RUNS = 50
FRICTION = (0.3, 0.8)
"""Sliding friction of the pads: the range of rubber on plastic, as a scene may have it."""
MASS = (0.5, 2.1)
"""Factor on the block's mass, drawn evenly in its logarithm: a 25 mm cube printed with little infill weighs 10 g
(assumed), one of aluminium 42 g; the scene's weighs 20 g."""
DELAY = (0, 2)
"""Control periods between a command and its effect: the servo bus takes one, a policy's thinking another (assumed)."""
LATE = (0.0, 0.05)
"""Share of targets that come a frame late: LeRobot's documentation measures 1.3 % and takes 5 % as overloaded."""
STIFFNESS = (0.1, 2.0)
"""Factor on the servos' stiffness, drawn evenly in its logarithm, on their damping by its root, which keeps the damping
ratio. 2 is the servo's own P gain of 32, which LeRobot lowers to 16 against shaking; published models of the arm go
down to a fiftieth (kp 17.8 beside 998), of which a tenth is taken (assumed)."""
ZERO_DEG = (0.0, 1.5)
"""Most that the zero of a body joint is off [deg]: play of the gears and a calibration by hand (assumed)."""
TORQUE = (0.65, 1.0)
"""Factor on the torque limits: the 7.4 V variant of the servo stalls at 19.5 kg cm, the 12 V one at 30 (data sheet)."""
SETTLE_S = 1.0
"""How long the last target is held, so that a block that is let go late comes to rest [s]."""


@dataclass(frozen=True)
class Change:
    """What is otherwise in one run; the names of numbers are those of `RANGES`.

    Attributes:
        friction: sliding friction of the pads.
        mass: factor on the block's mass.
        delay: control periods.
        late: share of targets that come a frame late.
        stiffness: factor on the servos' stiffness.
        zero: most that the zero of a body joint is off [deg].
        torque: factor on their torque limits.
        seed: of how much each joint is off and which targets come late, alike in every episode.
    """

    friction: float
    mass: float
    delay: int
    late: float
    stiffness: float
    zero: float
    torque: float
    seed: tuple[int, int] = (0, 0)


RANGES = {
    "friction": FRICTION, "mass": MASS, "delay": DELAY, "late": LATE, "stiffness": STIFFNESS, "zero": ZERO_DEG,
    "torque": TORQUE,
}  # fmt: skip


@dataclass(frozen=True)
class Stressed:
    """What became of one episode.

    Attributes:
        as_recorded: its outcome when nothing is changed.
        outcomes: of every change, in order.
    """

    as_recorded: str
    outcomes: tuple[str, ...]

    @property
    def survived(self) -> int:
        """Runs that the judge calls a success."""
        return sum(outcome == Outcome.SUCCESS for outcome in self.outcomes)

    @property
    def share(self) -> float:
        return self.survived / len(self.outcomes)


def changes(runs: int, seed: int) -> list[Change]:
    """The first `runs` changes of a seed; more runs add to them and alter none."""
    return [_drawn(seed, number) for number in range(runs)]


def mark(runs: int, seed: int) -> str:
    """Who says so in a note: the same for equal changes under the same physics, such as "stress:50x0-1a2b3c4d"."""
    told = json.dumps([RANGES, SETTLE_S, mujoco.__version__], sort_keys=True)
    return f"stress:{runs}x{seed}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


class Bench:
    """One world as it is, and one for each change.

    Args:
        scene: that episodes were recorded in.
        drawn: what is changed.
    """

    def __init__(self, scene: Scene, drawn: Sequence[Change]) -> None:
        self._scene = scene
        model = compile_scene(scene)
        self._models = [(model, None), *((changed_model(model, change), change) for change in drawn)]

    def run(self, start: Start, actions: Vector) -> Stressed:
        """Drive an episode's actions open loop, once as they were recorded and once under each change.

        Args:
            start: its seed and placement.
            actions: its action column, shape (N, 6), degrees and gripper 0..100.
        """
        found = [_outcome(SimWorld(self._scene, model), start, actions, change) for model, change in self._models]
        return Stressed(found[0], tuple(found[1:]))


@dataclass(frozen=True)
class Job:
    """One episode to stress: its id, its physics file, and its action column."""

    episode_id: str
    frames: Path | None
    actions: Vector


def stressed(
    scene: Scene, jobs: Sequence[Job], drawn: Sequence[Change], processes: int
) -> Iterator[tuple[str, Stressed]]:
    """Every episode's id and what became of it, in the order they finish.

    Args:
        scene: that all were recorded in.
        jobs: the episodes.
        drawn: what is changed.
        processes: episodes worked on at once; 1 is this process.

    Raises:
        DataError: an episode's physics file is missing or damaged.
    """
    processes = min(processes, len(jobs))
    if processes <= 1:
        bench = Bench(scene, drawn)
        yield from (_stressed(bench, job) for job in jobs)
        return
    crew = Crew("stressing", processes, _work, scene, list(drawn))
    try:
        for job in jobs:
            crew.give(job)
        while crew.open_jobs:
            yield from crew.results(wait=True)
    finally:
        crew.stop()


def changed_model(model: mujoco.MjModel, change: Change) -> mujoco.MjModel:
    """A copy of a scene's model with other friction, mass and servos; zeros, delay and lateness are the replay's."""
    found = copy.copy(model)
    for name in ("fixed_pad", "moving_pad"):
        found.geom(name).friction[0] = change.friction
    block = found.body("block").id
    found.body_mass[block] *= change.mass
    found.body_inertia[block] *= change.mass
    found.actuator_gainprm[:, 0] *= change.stiffness
    found.actuator_biasprm[:, 1] *= change.stiffness
    found.actuator_biasprm[:, 2] *= math.sqrt(change.stiffness)
    found.actuator_forcerange[:] *= change.torque
    mujoco.mj_setConst(found, mujoco.MjData(found))
    return found


def _work(jobs: Iterator[Job], send: Callable[[Any], None], scene: Scene, drawn: Sequence[Change]) -> None:
    bench = Bench(scene, drawn)
    for job in jobs:
        send(_stressed(bench, job))


def _stressed(bench: Bench, job: Job) -> tuple[str, Stressed]:
    header = read_sidecar(job.frames).header
    return job.episode_id, bench.run(Start(int(header["seed"]), Placement(**header["placement"])), job.actions)


def _outcome(world: SimWorld, start: Start, actions: Vector, change: Change | None) -> str:
    settle = round(SETTLE_S * world.fps)
    delay = 0 if change is None else change.delay
    frames = len(actions) + delay + settle
    late: NDArray[np.bool_] = np.zeros(frames, bool)
    if change is not None:
        rng = np.random.default_rng([*change.seed, REPLAY_STREAM])
        actions = actions + np.append(change.zero * rng.uniform(-1, 1, 5), 0.0)
        late = rng.random(frames) < change.late
    operator = each(lambda _: LateReplay(actions, delay, late))
    for _, event in rollout([world], operator, [start], limit=frames):
        if isinstance(event, Ending):
            return event.outcome.value
    raise AssertionError("a rollout ends")


def _drawn(seed: int, number: int) -> Change:
    rng = np.random.default_rng([seed, number, STREAM])
    return Change(
        friction=float(rng.uniform(*FRICTION)),
        mass=_log_uniform(rng, MASS),
        delay=int(rng.integers(DELAY[0], DELAY[1] + 1)),
        late=float(rng.uniform(*LATE)),
        stiffness=_log_uniform(rng, STIFFNESS),
        zero=float(rng.uniform(*ZERO_DEG)),
        torque=float(rng.uniform(*TORQUE)),
        seed=(seed, number),
    )


def _log_uniform(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    return float(math.exp(rng.uniform(math.log(ends[0]), math.log(ends[1]))))
