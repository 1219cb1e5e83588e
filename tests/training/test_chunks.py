"""What a chunk in execution promises, and what thinking costs."""

from __future__ import annotations

import numpy as np
import pytest

from curation.errors import UsageError
from curation.frames import Vector
from training.chunks import FEWEST_FRAMES, Plan, Span, narrow
from training.latency import Latency, parse_latency

HOME = np.full(6, -1.0)


def chunk_of(frame: int, length: int) -> Vector:
    """A chunk whose actions say for which frame they were meant."""
    return np.repeat(np.arange(frame, frame + length, dtype=float)[:, None], 6, axis=1)


def run(n_action_steps: int, length: int, lost: int, frames: int) -> tuple[list[float], list[int]]:
    """Targets, and the frames in which the policy was asked."""
    plan, targets, asked = Plan(n_action_steps, HOME), [], []
    for frame in range(frames):
        if plan.due:
            asked.append(frame)
            plan.answer(chunk_of(frame, length), lost)
        targets.append(float(plan.next()[0]))
    return targets, asked


def test_without_latency_every_action_is_of_its_frame_and_the_policy_is_asked_every_n_steps() -> None:
    targets, asked = run(5, 10, 0, 20)
    assert targets == list(range(20))
    assert asked == [0, 5, 10, 15]


def test_the_arm_goes_on_with_the_old_chunk_while_the_policy_thinks() -> None:
    targets, asked = run(4, 10, 3, 12)
    assert targets[:3] == [-1, -1, -1], "nothing to go on with before the first answer"
    # The first answer was for an arm that then stood still for three frames: it begins at its beginning.
    assert targets[3:7] == [0, 1, 2, 3]
    # Asked in frame 7; actions 4 to 6 of the old chunk meanwhile, then the new chunk's action of frame 10.
    assert asked[:2] == [0, 7]
    assert targets[7:12] == [4, 5, 6, 10, 11]


def test_the_arm_holds_its_last_target_when_the_old_chunk_is_over() -> None:
    targets, _ = run(4, 4, 2, 9)
    assert targets == [-1, -1, 0, 1, 2, 3, 3, 3, 6]


def test_a_policy_slower_than_its_chunk_goes_on_all_the_same() -> None:
    targets, asked = run(2, 3, 7, 40)
    assert len(asked) >= 4
    assert np.isfinite(targets).all()
    assert sorted(targets) == targets


@pytest.mark.parametrize(
    ("ms", "fps", "frames"), [(0, 30, 0), (33.3, 30, 0), (34, 30, 1), (100, 30, 2), (101, 30, 3), (250, 20, 4)]
)
def test_thinking_within_a_period_is_free_and_every_further_period_costs_a_frame(
    ms: float, fps: int, frames: int
) -> None:
    assert Latency(ms).lost(took_s=99.0, fps=fps) == frames
    assert Latency(None).lost(took_s=ms / 1000, fps=fps) == frames


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "1e9"])
def test_a_latency_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="real, or milliseconds"):
        parse_latency(text)
    assert parse_latency("real").real
    assert parse_latency("120").ms == 120.0


def test_actions_that_were_never_denormalised_raise_an_alarm_and_demonstrations_do_not() -> None:
    demonstrated = np.array([80.0, 120.0, 75.0, 65.0, 1.0, 60.0])
    normal, flat = Span(demonstrated), Span(demonstrated)
    ramp = np.linspace(0.0, 1.0, FEWEST_FRAMES)[:, None]
    normal.see(ramp * demonstrated, 0)
    flat.see(ramp * 4.0, 0)
    assert narrow(normal.share) == ""
    assert "Denormalised?" in narrow(flat.share)
    early = Span(demonstrated)
    early.see((ramp * 4.0)[:20], 0)
    assert narrow(early.share) == "", "a short chunk at rest is no sign"
