"""What every episode relies on: an exact clock, bit-equal repetition, no privileged state, no action driven unseen."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from curation.errors import BadAction
from curation.frames import JOINTS, Ending, Image, Observation, Placement, Status, Vector
from recorders.operators import each
from recorders.operators.expert import Expert
from recorders.rollout import Start, rollout
from recorders.world.scene import TIMESTEP, Scene
from recorders.world.servo import SERVOS, STEP_LIMIT_DEG_PER_S
from recorders.world.sim import HOME, SimWorld
from recorders.world.units import HIGH, LOW

PLACE = Placement(0.25, 0.05, 20.0)
FAR = Placement(0.9, 0.9, 0.0)
"""Where no arm touches the block [m]."""
STEP = STEP_LIMIT_DEG_PER_S / 30
PROFILES = ("ideal", "hardware")


@dataclass(frozen=True)
class Row:
    """One frame of a driven episode."""

    state: Vector
    time: float
    physics: Vector
    action: Vector
    images: dict[str, Image]


def expert_rows(world: SimWorld, frames: int, *, seed: int = 1, draw: bool = False) -> Iterator[Row]:
    """An expert's episode from reset on."""
    observation = world.reset(seed, PLACE)
    expert = Expert(world)
    expert.begin(observation, seed)
    for _ in range(frames):
        action = world.admit(expert.act(observation).action)
        images = observation.render() if draw else {}
        yield Row(observation.state, observation.time, world.physics(), action, images)
        observation = world.step(action)


def glide(world: SimWorld, target: Vector, seconds: float) -> Observation:
    """Move evenly from the reset pose to a target."""
    frames = round(seconds * world.fps)
    for frame in range(1, frames + 1):
        observation = world.step(HOME + (target - HOME) * (frame / frames))
    return observation


def arm_is_free(world: SimWorld) -> bool:
    """Whether nothing touches the arm."""
    table, block = world.model.geom("table").id, world.model.geom("block").id
    return all(set(pair) == {table, block} for pair in world._data.contact.geom)


def still_poses(world: SimWorld, count: int, seed: int) -> Iterator[tuple[Vector, Vector]]:
    """Random commanded poses away from every contact and the state after 1 s of hold, both (6,)."""
    rng = np.random.default_rng(seed)
    found = 0
    while found < count:
        action = rng.uniform(LOW, HIGH)
        world.reset(0, FAR)
        glide(world, action, 2.0)
        if not arm_is_free(world):
            continue
        for _ in range(world.fps):
            observation = world.step(action)
        if arm_is_free(world):
            found += 1
            yield action, observation.state


def test_at_rest_state_equals_action_within_a_degree() -> None:
    for action, state in still_poses(SimWorld(Scene()), count=60, seed=1):
        assert np.abs(state - action)[:5].max() < 1.0, action


def test_servos_like_hardware_sag_by_one_to_two_degrees_somewhere() -> None:
    gaps = [np.abs(state - action)[:5] for action, state in still_poses(SimWorld(Scene(servo="hardware")), 40, seed=2)]
    assert 1.0 < np.max(gaps) < 2.2
    assert np.median(np.max(gaps, axis=1)) < 1.5


def test_servos_like_hardware_act_one_frame_later() -> None:
    target = HOME + np.array([STEP, 0, 0, 0, 0, 0])
    pans = {}
    for profile in PROFILES:
        world = SimWorld(Scene(servo=profile))  # type: ignore[arg-type]
        world.reset(0, FAR)
        pans[profile] = [world.step(target).state[0] for _ in range(2)]
    assert pans["ideal"][0] > 1.0
    assert abs(pans["hardware"][0]) < 0.1
    assert pans["hardware"][1] > 1.0


def test_servos_like_hardware_measure_in_encoder_steps() -> None:
    step = SERVOS["hardware"].encoder_deg
    world = SimWorld(Scene(servo="hardware"))
    for row in expert_rows(world, 60):
        turns = row.state[:5] / step
        assert np.abs(turns - np.round(turns)).max() < 1e-9


@pytest.mark.parametrize("profile", PROFILES)
def test_moving_only_the_block_changes_no_state_at_all(profile: str) -> None:
    world = SimWorld(Scene(servo=profile))  # type: ignore[arg-type]
    rng = np.random.default_rng(4)
    motion = np.cumsum(rng.uniform(-1.5, 1.5, (60, 6)), axis=0) + HOME
    episodes = []
    for _ in range(12):
        at = Placement(float(rng.uniform(0.25, 0.40)), float(rng.uniform(-0.1, 0.28)), float(rng.uniform(-180, 180)))
        states = [world.reset(0, at).state]
        for action in motion:
            states.append(world.step(action).state)
            assert arm_is_free(world)
        episodes.append(np.array(states))
    assert np.ptp(episodes[0], axis=0).max() > 1.0
    for other in episodes[1:]:
        assert np.array_equal(other, episodes[0])


@pytest.mark.parametrize("fps", [10, 25, 30, 50])
def test_one_control_step_is_exactly_one_period(fps: int) -> None:
    scene = Scene(fps=fps)
    assert scene.steps_per_frame * TIMESTEP == pytest.approx(1 / fps, abs=1e-15)
    world = SimWorld(scene)
    assert world.reset(0, PLACE).time == 0.0
    for index in range(1, 40):
        assert world.step(HOME).time == index / fps
        assert world._data.time == pytest.approx(index / fps, abs=1e-12)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_same_seed_and_placement_repeat_bit_for_bit_in_fresh_worlds(profile: str) -> None:
    scene = Scene(servo=profile)  # type: ignore[arg-type]
    first, second = SimWorld(scene), SimWorld(scene)
    for one, two in zip(expert_rows(first, 165), expert_rows(second, 165), strict=True):
        assert one.time == two.time
        for left, right in ((one.state, two.state), (one.action, two.action), (one.physics, two.physics)):
            assert left.tobytes() == right.tobytes()
    assert first.verdict() == second.verdict()
    assert first.judge.success_s is not None


def test_the_same_seed_and_placement_draw_the_same_raw_images_in_fresh_worlds() -> None:
    scene = Scene(width=160, height=120)
    first, second = SimWorld(scene), SimWorld(scene)
    seen = set()
    for one, two in zip(expert_rows(first, 165, draw=True), expert_rows(second, 165, draw=True), strict=True):
        assert one.images.keys() == {"overhead_cam", "wrist_cam"}
        for camera, image in one.images.items():
            assert image.shape == (120, 160, 3)
            assert np.array_equal(image, two.images[camera]), camera
            seen.add(image.tobytes())
    assert len(seen) > 250  # Two cameras on a moving arm: hardly a frame is like another.
    first.close()
    second.close()


def test_a_used_world_repeats_a_fresh_one_bit_for_bit() -> None:
    scene = Scene(distractors=2)
    used = SimWorld(scene)
    for _ in expert_rows(used, 100, seed=8):
        pass
    for one, two in zip(expert_rows(used, 120), expert_rows(SimWorld(scene), 120), strict=True):
        assert one.physics.tobytes() == two.physics.tobytes()


def test_an_image_is_of_its_own_instant_however_late_it_is_drawn() -> None:
    world = SimWorld(Scene(width=160, height=120))
    observation = world.reset(0, PLACE)
    early = observation.render()
    for _ in range(10):
        world.step(HOME + np.array([30.0, 0, 0, 0, 0, 50]))
    late, now = observation.render(), world.observe().render()
    for camera, image in early.items():
        assert np.array_equal(late[camera], image)
        assert not np.array_equal(now[camera], image)
    world.close()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("cut", [1, 40, 75, 105])
def test_restore_goes_on_bit_for_bit(profile: str, cut: int) -> None:
    scene = Scene(servo=profile)  # type: ignore[arg-type]
    rows = list(expert_rows(SimWorld(scene), cut + 45))
    world = SimWorld(scene)
    observation = world.restore(rows[cut].physics)
    for row in rows[cut:]:
        assert world.physics().tobytes() == row.physics.tobytes(), row.time
        assert observation.state.tobytes() == row.state.tobytes()
        assert observation.time == row.time
        observation = world.step(row.action)


@pytest.mark.parametrize(("joint", "value"), [*itertools.product(range(6), (math.nan, math.inf, -math.inf))])
def test_an_action_that_is_not_finite_is_refused_by_joint_and_changes_nothing(joint: int, value: float) -> None:
    world = SimWorld(Scene())
    world.reset(0, PLACE)
    world.step(HOME + 1.0)
    before = world.physics()
    action = HOME.copy()
    action[joint] = value
    with pytest.raises(BadAction, match=re.escape(f"{JOINTS[joint]} = {value}")):
        world.step(action)
    assert world.physics().tobytes() == before.tobytes()
    assert world.observe().time == 1 / 30


@pytest.mark.parametrize("shape", [(), (5,), (7,), (1, 6), (6, 1)])
def test_an_action_of_another_shape_is_refused_and_changes_nothing(shape: tuple[int, ...]) -> None:
    world = SimWorld(Scene())
    world.reset(0, PLACE)
    before = world.physics()
    with pytest.raises(BadAction, match=re.escape(f"got {shape}")):
        world.step(np.zeros(shape))
    assert world.physics().tobytes() == before.tobytes()


def test_a_far_target_moves_at_most_the_step_limit_and_gets_there() -> None:
    world = SimWorld(Scene())
    world.reset(0, FAR)
    before = HOME
    for _ in range(40):
        admitted = world.admit(np.array([100.0, 20.0, -50.0, -90.0, 160.0, 100.0]))
        travel = np.abs(admitted - before)
        assert travel[:5].max() <= STEP + 1e-4
        assert travel[5] <= STEP / 1.1 + 1e-4
        world.step(np.array([100.0, 20.0, -50.0, -90.0, 160.0, 100.0]))
        before = admitted
    assert np.array_equal(before, [100.0, 20.0, -50.0, -90.0, 160.0, 100.0])


def test_a_target_beyond_the_joints_is_held_at_their_limits() -> None:
    world = SimWorld(Scene())
    world.reset(0, FAR)
    for _ in range(60):
        admitted = world.admit(np.full(6, 1e6))
        world.step(np.full(6, 1e6))
    assert np.abs(admitted - HIGH).max() < 1e-4


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_admitted_is_what_is_driven_and_what_float32_stores(profile: str) -> None:
    scene = Scene(servo=profile)  # type: ignore[arg-type]
    asked, stored = SimWorld(scene), SimWorld(scene)
    asked.reset(0, PLACE)
    stored.reset(0, PLACE)
    rng = np.random.default_rng(6)
    for _ in range(60):
        action = rng.uniform(LOW - 50.0, HIGH + 50.0)
        admitted = asked.admit(action)
        assert np.array_equal(admitted.astype(np.float32).astype(np.float64), admitted)
        asked.step(action)
        stored.step(admitted)
        assert asked.physics().tobytes() == stored.physics().tobytes()


@pytest.mark.parametrize("action", ["home", None, ["1", "2", "3", "4", "5", "6"], [None] * 6, [[1.0], 2.0], {}])
def test_an_action_that_is_no_numbers_is_refused_and_changes_nothing(action: object) -> None:
    world = SimWorld(Scene())
    world.reset(0, PLACE)
    before = world.physics()
    with pytest.raises(BadAction, match="six numbers"):
        world.step(action)  # type: ignore[arg-type]
    assert world.physics().tobytes() == before.tobytes()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("field", "value", "word"), [("qpos", math.nan, "positions"), ("qvel", 1e12, "speeds")])
def test_a_state_that_breaks_ends_the_take_and_keeps_its_frames(
    profile: str, field: str, value: float, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes its log where it runs
    world = SimWorld(Scene(servo=profile))  # type: ignore[arg-type]
    frames = 0
    for _, event in rollout([world], each(lambda _: Expert(world)), [Start(1, PLACE)], limit=30):
        if isinstance(event, Ending):
            assert event.status is Status.FAILED
            assert word in event.report["error"]
            assert "frame 9:" in event.report["error"]
            break
        frames += 1
        if event.index == 9:
            getattr(world._data, field)[0] = value
    assert frames == 10
    world.reset(1, PLACE)
    world.step(HOME)
