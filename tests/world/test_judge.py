"""The judge: a test per outcome out of synthetic readings, then the written precedence, then the report."""

from __future__ import annotations

import math
from typing import Any

import mujoco
import numpy as np
import pytest

from curation.frames import Outcome, Phase, Placement
from recorders.operators.expert import Expert
from recorders.world import props
from recorders.world.judge import DWELL_S, RELEASE_M, Judge, Reading
from recorders.world.scene import Scene, compile_scene
from recorders.world.sensing import Sensing
from recorders.world.sim import HOME, SimWorld

FPS = 30
START = (0.30, 0.05)
BOWL = (0.217, -0.225)

TABLE: dict[str, Any] = {"x": START[0], "y": START[1], "lowest": 0.0, "approach": 0.20}
GRASPED = {**TABLE, "approach": 0.01, "fixed": True, "moving": True, "force": 40.0}
LIFTED = {**GRASPED, "lowest": 0.03}
OVER_BOWL = {**LIFTED, "x": BOWL[0], "y": BOWL[1], "lowest": 0.06}
IN_BOWL = {**TABLE, "x": BOWL[0], "y": BOWL[1], "lowest": 0.004, "inside": True}
AWAY = {**TABLE, "x": 0.30, "y": 0.20}


def reading(time: float, x: float, y: float, lowest: float, approach: float, **more: Any) -> Reading:
    """One instant; what is not said is a block at rest that nobody touches."""
    values: dict[str, Any] = {
        "speed": 0.0, "fixed": False, "moving": False, "force": 0.0, "inside": False,
        "in_gripper": np.zeros(3), "overlap": 0.013, "offset": 0.0,
    } | more  # fmt: skip
    block = np.array([x, y, lowest + 0.0125])
    distance = float(np.hypot(x - BOWL[0], y - BOWL[1]))
    return Reading(time=time, block=block, lowest=lowest, approach=approach, goal_distance=distance, **values)


def judged(*story: tuple[dict[str, Any], int]) -> Judge:
    """A judge who saw each state for so many frames at 30 fps."""
    judge = Judge()
    frame = 0
    for state, frames in story:
        for _ in range(frames):
            judge.see(reading(frame / FPS, **state))
            frame += 1
    return judge


DWELL = round(DWELL_S * FPS)
CARRIED = ((TABLE, 5), (GRASPED, 5), (LIFTED, 5), (OVER_BOWL, 5))

STORIES = {
    Outcome.SUCCESS: (*CARRIED, (IN_BOWL, DWELL + 1)),
    Outcome.HELD_AT_TIMEOUT: ((TABLE, 5), (GRASPED, 5), (LIFTED, 5)),
    Outcome.NEVER_REACHED: ((TABLE, 30),),
    Outcome.KNOCKED_AWAY: ((TABLE, 5), ({**TABLE, "approach": 0.02, "moving": True}, 3), (AWAY, 5)),
    Outcome.NEVER_PICKED_UP: ((TABLE, 5), (GRASPED, 5), ({**TABLE, "approach": 0.03}, 5)),
    Outcome.TIMEOUT: (*CARRIED, (IN_BOWL, DWELL - 1)),
    Outcome.MISSED_GOAL: (*CARRIED, ({**TABLE, "x": BOWL[0] + 0.10, "y": BOWL[1]}, 30)),
    Outcome.DROPPED_IN_TRANSPORT: ((TABLE, 5), (GRASPED, 5), (LIFTED, 5), (AWAY, 30)),
}


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_is_reached_by_its_story(outcome: Outcome) -> None:
    assert judged(*STORIES[outcome]).outcome() is outcome


def test_success_wins_over_everything_after_it_and_the_end_is_told_beside_it() -> None:
    judge = judged(*STORIES[Outcome.SUCCESS], (GRASPED, 3), (LIFTED, 10))
    assert judge.outcome() is Outcome.SUCCESS
    assert judge.report()["success_at_end"] is False
    assert judged(*STORIES[Outcome.SUCCESS]).report()["success_at_end"] is True


def test_held_wins_over_missed_goal_and_dropped() -> None:
    assert judged(*CARRIED).outcome() is Outcome.HELD_AT_TIMEOUT
    assert judged((TABLE, 5), (GRASPED, 5), (LIFTED, 5), (AWAY, 5), ({**LIFTED, "y": 0.2}, 2)).outcome() is (
        Outcome.HELD_AT_TIMEOUT
    )


def test_held_wins_over_never_picked_up() -> None:
    barely = {**GRASPED, "lowest": 0.010}
    assert judged((TABLE, 5), (GRASPED, 5), (barely, 5)).outcome() is Outcome.HELD_AT_TIMEOUT


def test_never_reached_wins_over_knocked_away() -> None:
    # Moved by a distractor, never near the gripper.
    assert judged((TABLE, 5), (AWAY, 5)).outcome() is Outcome.NEVER_REACHED


def test_a_touch_alone_is_reaching() -> None:
    touched = {**TABLE, "approach": 0.06, "fixed": True}
    assert judged((TABLE, 5), (touched, 2), (TABLE, 5)).outcome() is Outcome.NEVER_PICKED_UP


def test_knocked_away_wins_over_never_picked_up_from_5_cm_on() -> None:
    def pushed(way: float) -> Outcome:
        return judged((TABLE, 5), ({**TABLE, "approach": 0.02, "moving": True, "y": START[1] + way}, 5)).outcome()

    assert pushed(0.049) is Outcome.NEVER_PICKED_UP
    assert pushed(0.051) is Outcome.KNOCKED_AWAY


def test_a_block_once_lifted_is_dropped_not_knocked_away() -> None:
    assert judged((TABLE, 5), (GRASPED, 5), (LIFTED, 5), (AWAY, 5)).outcome() is Outcome.DROPPED_IN_TRANSPORT


def test_timeout_wins_over_missed_goal_while_touched_or_moving_inside() -> None:
    for late in ({"fixed": True}, {"speed": 0.05}):
        assert judged(*CARRIED, ({**IN_BOWL, **late}, 60)).outcome() is Outcome.TIMEOUT


def test_missed_goal_ends_at_12_cm_from_the_bowls_axis() -> None:
    def ended(distance: float) -> Outcome:
        return judged(*CARRIED, ({**TABLE, "x": BOWL[0] + distance, "y": BOWL[1]}, 5)).outcome()

    assert ended(0.119) is Outcome.MISSED_GOAL
    assert ended(0.121) is Outcome.DROPPED_IN_TRANSPORT


def test_a_block_that_starts_in_the_bowl_never_succeeds() -> None:
    assert judged((IN_BOWL, 300)).outcome() is Outcome.NEVER_REACHED
    squeezed = {**IN_BOWL, "approach": 0.01, "fixed": True, "moving": True}
    assert judged((IN_BOWL, 5), (squeezed, 5), (IN_BOWL, 300)).success_s is None


def test_a_block_pushed_into_the_bowl_without_a_lift_never_succeeds() -> None:
    judge = judged((TABLE, 5), (GRASPED, 30), (IN_BOWL, 300))
    assert judge.success_s is None
    assert judge.outcome() is Outcome.KNOCKED_AWAY


def test_lifting_needs_both_jaws_and_more_than_20_mm() -> None:
    for almost in ({**LIFTED, "moving": False}, {**LIFTED, "fixed": False}, {**LIFTED, "lowest": 0.0199}):
        assert judged((TABLE, 5), (GRASPED, 5), (almost, 10), (IN_BOWL, 60)).success_s is None
    assert judged((TABLE, 5), (GRASPED, 5), ({**LIFTED, "lowest": 0.0201}, 1), (IN_BOWL, 60)).success_s is not None


def test_a_block_held_above_the_bowl_is_not_in_it() -> None:
    held_inside = {**OVER_BOWL, "inside": True, "lowest": 0.03}
    judge = judged(*CARRIED, (held_inside, 300))
    assert judge.success_s is None
    assert judge.outcome() is Outcome.HELD_AT_TIMEOUT


@pytest.mark.parametrize("jaw", ["fixed", "moving"])
def test_a_block_still_touched_by_one_jaw_is_not_released(jaw: str) -> None:
    assert judged(*CARRIED, ({**IN_BOWL, jaw: True}, 300)).success_s is None


def test_success_lasts_half_a_second_on_end() -> None:
    assert judged(*CARRIED, (IN_BOWL, DWELL)).success_s is None
    done = judged(*CARRIED, (IN_BOWL, DWELL + 1))
    assert done.success_s == pytest.approx((20 + DWELL) / FPS)
    disturbed = {**IN_BOWL, "speed": 0.011}
    judge = judged(*CARRIED, (IN_BOWL, DWELL), (disturbed, 1), (IN_BOWL, DWELL))
    assert judge.success_s is None


def test_the_first_success_is_latched() -> None:
    once = judged(*STORIES[Outcome.SUCCESS]).success_s
    judge = judged(*STORIES[Outcome.SUCCESS], (LIFTED, 5), (IN_BOWL, 60))
    assert once is not None
    assert judge.success_s == once


def test_a_dwell_at_any_frame_rate_counts_whole_frames() -> None:
    for start in range(300):
        judge = Judge()
        for frame, state in enumerate([LIFTED] * 1 + [IN_BOWL] * (DWELL + 1), start):
            judge.see(reading(frame / FPS, **state))
        assert judge.success_s == (start + 1 + DWELL) / FPS


def test_success_at_the_first_attempt_is_clean_and_after_a_fumble_is_not() -> None:
    assert judged(*STORIES[Outcome.SUCCESS]).report()["clean"] is True
    lost_on_the_table = judged((TABLE, 5), (GRASPED, 5), (TABLE, 5), *STORIES[Outcome.SUCCESS])
    dropped_on_the_way = judged((TABLE, 5), (GRASPED, 5), (LIFTED, 5), (AWAY, 5), *STORIES[Outcome.SUCCESS])
    for judge in (lost_on_the_table, dropped_on_the_way):
        report = judge.report()
        assert judge.outcome() is Outcome.SUCCESS
        assert report["fumbles"] == 1
        assert report["clean"] is False
    assert judged(*CARRIED).report()["clean"] is False


def test_letting_go_over_the_bowl_is_no_fumble_up_to_its_rim() -> None:
    def fumbles(distance: float) -> int:
        at = {"x": BOWL[0] + distance, "y": BOWL[1]}
        return judged(*CARRIED, ({**OVER_BOWL, **at}, 2), ({**OVER_BOWL, **at, "fixed": False}, 1)).fumbles

    assert [fumbles(way) for way in (0.0, 0.041, RELEASE_M - 1e-4, RELEASE_M + 1e-4)] == [0, 0, 0, 1]


def test_a_shallow_an_off_centre_and_a_slipping_grasp_are_lazy() -> None:
    def lazy(**change: Any) -> bool:
        return bool(judged((TABLE, 2), ({**GRASPED, **change}, 3), ({**LIFTED, **change}, 3)).report()["lazy_grip"])

    assert not lazy()
    assert lazy(overlap=0.0049)
    assert lazy(offset=0.0051)
    slipping = judged((TABLE, 2), (GRASPED, 3), (LIFTED, 3), ({**LIFTED, "in_gripper": np.array([0, 0.006, 0])}, 3))
    assert slipping.report()["lazy_grip"]
    squeezed = judged((TABLE, 2), (GRASPED, 3), (LIFTED, 3), ({**LIFTED, "in_gripper": np.array([0.006, 0, 0])}, 3))
    assert not squeezed.report()["lazy_grip"]


def test_slip_counts_after_a_hard_impact_of_the_jaws_but_not_while_they_let_go() -> None:
    moved = {"in_gripper": np.array([0, 0.006, 0])}
    impact = {**GRASPED, "force": 200.0}
    slipped = judged((TABLE, 2), (impact, 2), (LIFTED, 3), ({**LIFTED, **moved}, 3))
    assert slipped.report()["grasps"][0]["slip"] == pytest.approx(0.006)
    assert slipped.report()["grasps"][0]["peak_force"] == 200.0
    opened = judged((TABLE, 2), (GRASPED, 2), (LIFTED, 3), ({**LIFTED, **moved, "force": 5.0}, 3))
    assert opened.report()["grasps"][0]["slip"] == 0.0


def test_a_judge_who_saw_nothing_says_so() -> None:
    with pytest.raises(ValueError, match="no frame"):
        Judge().outcome()


def test_the_phases_of_an_expert_episode_come_in_order() -> None:
    world = SimWorld(Scene())
    observation = world.reset(1, Placement(*START, 20.0))
    expert = Expert(world)
    expert.begin(observation, 1)
    phases = [world.phase]
    while world.judge.success_s is None and len(phases) < 300:
        observation = world.step(expert.act(observation).action)
        phases.append(world.phase)
    changes = [phase for phase, before in zip(phases, [None, *phases], strict=False) if phase is not before]
    assert changes == [Phase.REACH, Phase.GRASP, Phase.LIFT, Phase.TRANSPORT, Phase.RELEASE]
    assert world.verdict()[0] is Outcome.SUCCESS


def test_a_block_put_into_the_bowl_at_reset_is_inside_and_a_block_across_the_rim_is_not() -> None:
    world = SimWorld(Scene())
    for offset, inside in ((0.0, True), (0.040, True), (0.055, False), (0.062, False), (0.12, False)):
        world.reset(0, Placement(BOWL[0] + offset, BOWL[1], 0.0))
        assert world.judge.last is not None
        assert world.judge.last.inside is inside, offset


@pytest.mark.parametrize(("lean", "inside"), [(0.0, True), (25.0, True), (35.0, False), (180.0, False)])
def test_a_free_bowl_holds_a_block_only_while_it_stands(lean: float, inside: bool) -> None:
    scene = Scene(bowl="free")
    sensing, model = Sensing(scene, compile_scene(scene)), compile_scene(scene)
    data = mujoco.MjData(model)
    half = math.radians(lean) / 2
    quat = np.array([math.cos(half), math.sin(half), 0.0, 0.0])
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, quat)
    bowl, block = (model.joint(name).qposadr[0] for name in ("bowl", "block"))
    place = np.array([*BOWL, 0.10])
    data.qpos[bowl : bowl + 7] = [*place, *quat]
    # On the floor in the bowl's own frame, turned with it.
    data.qpos[block : block + 7] = [*(place + turn.reshape(3, 3) @ [0.0, 0.0, 0.0165]), *quat]
    assert sensing.read(data, 0.0).inside is inside


def test_a_block_on_the_floor_of_an_upturned_bowl_is_not_inside() -> None:
    scene = Scene(bowl="free")
    model = compile_scene(scene)
    data = mujoco.MjData(model)
    bowl, block = (model.joint(name).qposadr[0] for name in ("bowl", "block"))
    data.qpos[bowl : bowl + 7] = [*BOWL, props.BOWL_HEIGHT, 0.0, 1.0, 0.0, 0.0]
    data.qpos[block : block + 7] = [*BOWL, props.BOWL_HEIGHT + 0.0125, 1.0, 0.0, 0.0, 0.0]
    assert not Sensing(scene, model).read(data, 0.0).inside


def test_a_reading_is_of_the_state_it_is_told_with() -> None:
    world = SimWorld(Scene())
    world.reset(0, Placement(*START))
    address = world.model.joint("block").qposadr[0]
    world._data.qvel[world.model.joint("block").dofadr[0] + 2] = 1.0
    world.step(HOME)
    assert world.judge.last is not None
    assert np.array_equal(world.judge.last.block, world._data.qpos[address : address + 3])
