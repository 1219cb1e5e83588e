"""Votes, disagreement, spread and tracking are what they say, on numbers that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from curation.frames import Vector
from training.chunks import Plan
from training.thought import GRIPPER, Thought, disagreement, votes
from training.tracking import foretold, lag, tracked


def thought(frame: int, gripper: list[float], **more: object) -> Thought:
    chunk = np.zeros((len(gripper), 6))
    chunk[:, GRIPPER] = gripper
    values = {"frame": frame, "plan": chunk, "sure": 2, "chunk": chunk, "blended": False, **more}
    return Thought(**values)  # type: ignore[arg-type]


THOUGHTS = {0: thought(0, [1, 2, 3, 4]), 2: thought(2, [30, 40, 50, 60]), 3: thought(3, [7])}


CHUNKS = {frame: one.chunk for frame, one in THOUGHTS.items()}


def test_votes_are_what_each_overlapping_chunk_says_for_a_frame() -> None:
    nan = np.nan
    expected = [[1, nan, nan, nan], [nan, 2, nan, nan], [30, nan, 3, nan], [7, 40, nan, 4], [nan, nan, 50, nan]]
    assert np.array_equal(votes(CHUNKS, 5), expected, equal_nan=True)
    assert votes({}, 3).shape == (3, 0)
    apart = disagreement(CHUNKS, 5)
    assert np.isnan(apart[[0, 1, 4]]).all(), "one chunk alone disagrees with nobody, and is not sure for that"
    assert apart[2, GRIPPER] == pytest.approx(np.std([30, 3], ddof=1))
    assert apart[3, GRIPPER] == pytest.approx(np.std([7, 40, 4], ddof=1))
    assert apart[3, 0] == 0


def test_while_an_arm_waits_for_an_answer_nothing_is_said_and_its_actions_are_of_later_frames() -> None:
    nan = np.nan
    plan, first = Plan(3, np.full(6, -1.0)), np.arange(5.0)[:, None].repeat(6, 1)
    driven, asked = [], {}
    for frame in range(10):
        if plan.due:
            plan.answer(first + 10 * frame, lost=3)
            asked[frame] = thought(frame, [], chunk=first + 10 * frame, plan=plan.ahead())
        driven.append(plan.next()[0])
    assert list(asked) == [0, 6]
    assert asked[0].timed[:, 0].tolist() == pytest.approx([nan, nan, nan, 0, 1, 2, 3, 4], nan_ok=True)
    # Two actions are left of the first answer when the second is asked for: one frame is waited.
    assert asked[6].timed[:, 0].tolist() == pytest.approx([60, 61, nan, 62, 63, 64], nan_ok=True)
    assert driven == [-1, -1, -1, 0, 1, 2, 3, 4, 4, 62]
    assert [asked[6].place(age) for age in range(6)] == [0, 1, 2, 2, 3, 4]
    said = votes({frame: one.timed for frame, one in asked.items()}, 10, 0)
    assert said[7].tolist() == pytest.approx([nan, 61, nan, nan, nan, nan, nan, 4], nan_ok=True)
    assert np.isfinite(said[:3]).sum() == np.isfinite(said[8]).sum() == 0
    for frame in (*range(3, 8), 9):
        assert driven[frame] in said[frame], "what is driven is somebody's vote"


def test_the_plan_in_force_foretells_each_frame() -> None:
    assert np.array_equal(foretold(THOUGHTS, 5)[:, GRIPPER], [1, 2, 30, 7, np.nan], equal_nan=True)
    assert np.array_equal(foretold(THOUGHTS, 5, 1)[:, GRIPPER], [np.nan, 2, 3, 40, np.nan], equal_nan=True)


def test_spread_is_known_only_where_there_are_several_answers() -> None:
    assert THOUGHTS[0].spread is None
    chunk = THOUGHTS[0].chunk
    sampled = thought(0, [1, 2, 3, 4], samples=np.stack([chunk + 1, chunk + 5]))
    assert sampled.spread is not None
    assert np.allclose(sampled.spread, np.std([0, 1, 5], ddof=1))


def test_what_lies_ahead_is_what_comes_and_settled_until_the_policy_is_asked() -> None:
    plan = Plan(3, np.full(6, -1.0))
    first, second = np.arange(5.0)[:, None].repeat(6, 1), 10 + np.arange(5.0)[:, None].repeat(6, 1)
    plan.answer(first, lost=2)
    assert np.array_equal(plan.ahead()[:, 0], [-1, -1, 0, 1, 2, 3, 4]), "it holds while nobody has answered"
    assert plan.sure == 5
    assert [plan.next()[0] for _ in range(5)] == [-1, -1, 0, 1, 2]
    assert (plan.due, plan.sure) == (True, 0)
    plan.answer(second, lost=3)
    ahead = plan.ahead()[:, 0]
    assert np.array_equal(ahead, [3, 4, 4, 12, 13, 14]), "two of its actions were due while the arm moved on"
    assert plan.sure == 4
    assert [plan.next()[0] for _ in range(4)] == list(ahead[:4])
    assert plan.due
    renewed = plan.renewed(2)
    assert (renewed.due, renewed.next()[0]) == (True, 12)


def moving(frames: int) -> Vector:
    steps = np.random.default_rng(1).normal(size=(frames, 6))
    return np.cumsum(steps, axis=0)


@pytest.mark.parametrize("late", [0, 1, 4])
def test_lag_is_the_shift_of_a_joint_behind_its_command(late: int) -> None:
    told = moving(80)
    did = np.concatenate([np.repeat(told[:1], late, axis=0), told[: 80 - late]])
    assert lag(told[:, 0], did[:, 0]) == late
    assert lag(np.zeros(80), did[:, 0]) is None, "who was told to stand says nothing"
    assert lag(told[:, 0], np.zeros(80)) is None, "who stands follows nothing"
    assert lag(told[:2, 0], did[:2, 0]) is None
    assert lag(told[:, 0], told[:, 3]) is None, "who moves otherwise is not late"


def test_a_lag_is_not_read_out_of_a_few_frames() -> None:
    told, other = moving(12), moving(24)[12:]
    assert [lag(told[:, joint], other[:, joint]) for joint in range(6)] == [None] * 6
    assert lag(told[:, 0], told[:, 0]) is None


def test_errors_are_between_a_target_and_where_the_joint_is_a_frame_later() -> None:
    told = moving(40)
    did = np.concatenate([told[:1], told + 0.5])
    found = tracked(told, did, told + 2.0)
    assert [one.joint for one in found][-1] == "gripper"
    assert found[0].mean_error == pytest.approx(0.5)
    assert found[0].max_error == pytest.approx(0.5)
    assert found[0].predicted_error == pytest.approx(2.0)
    assert found[0].lag == 1
    assert tracked(told, did[:40])[0].predicted_error == 0
