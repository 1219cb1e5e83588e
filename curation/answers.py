"""What the state of a dataset is, told from how it goes with the action: the joints as measured, the action over again,
or something else, such as the block's pose that the earlier work stored there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from curation.columns import JOINT_COLUMNS, changed_features, changed_numbers, source_key
from curation.difference import Difference
from curation.frames import JOINTS
from curation.plan import Clip, Plan
from curation.rows import Rows
from curation.store import Store

Is = Literal["measured", "the action", "unrelated"]

FARTHEST = 6
"""Lags that are tried, in frames, either way."""
UNRELATED = 0.5
"""Correlation of state and action, at the best lag, below which one is not the measurement of the other."""
EPISODES = 8
"""Looked at of each dataset, evenly spread over it."""
APART = 20.0
"""Factor between the largest values of a joint that no two sets in one unit have: degrees are 57 radians."""
LARGE = 10.0
"""The larger of them must be above this: an arm that stands still is in any unit."""
_LEAST = 4 * FARTHEST
"""Frames an episode needs before its lag is looked for."""
_WORDS: dict[Is, str] = {
    "measured": "follows the action as a driven arm does",
    "the action": "is the action over again",
    "unrelated": "does not follow the action, so it is not the joints",
}


@dataclass(frozen=True)
class Answer:
    """How the state of a dataset goes with its action, as its numbers will be.

    Attributes:
        state: what it is; None where too few frames move.
        lag: frames by which it follows; None where it does not.
        largest: absolute value of each joint of the action, by name.
    """

    state: Is | None
    lag: int | None
    largest: dict[str, float]


def answer(plan: Plan, stores: Sequence[Store], number: int) -> Answer:
    """Look at some episodes of one parent, after its changes.

    Raises:
        DataError: its data cannot be read.
    """
    store, changes = stores[number], plan.parents[number].changes
    features = changed_features(store.features, changes)
    clips = [clip for clip in plan.clips if clip.parent == number]
    if not clips or any(key not in features or len(features[key].shape) != 1 for key in JOINT_COLUMNS):
        return Answer(None, None, {})
    if any(source_key(key, changes) != key for key in JOINT_COLUMNS):
        return Answer(None, None, {})
    action, state = (_joints(features[key].names, features[key].shape[0]) for key in JOINT_COLUMNS)
    pairs = [(name, action.index(name), state.index(name)) for name in action if name in state]
    rows, parts = Rows(store), []
    for clip in _some(clips):
        own = rows.numbers(store.episode(clip.episode_id))
        part = {key: own[key][clip.start : clip.stop] for key in own}
        after = changed_numbers(part, store.features, changes, success=False)
        parts.append([after[key].astype(np.float64) for key in JOINT_COLUMNS])
    largest = {name: max(float(np.abs(asked[:, i]).max()) for asked, _ in parts) for name, i, _ in pairs}
    body = [(i, j) for name, i, j in pairs if "gripper" not in name]
    return Answer(*_state(parts, body), largest)


def answer_differences(plan: Plan, stores: Sequence[Store], names: Sequence[str]) -> Iterator[Difference]:
    """Datasets whose state or whose numbers cannot mean what those of one before them mean."""
    if len(stores) < 2:
        return
    found = [answer(plan, stores, number) for number in range(len(stores))]
    for number, own in enumerate(found):
        before = found[:number]
        like = next((one for one in before if one.state is not None), None)
        if own.state is not None and like is not None and like.state is not None:
            yield from _meaning(own, like, names[number], number)
        ranges = next((one for one in before if one.largest.keys() == own.largest.keys() and own.largest), None)
        if ranges is not None:
            yield from _ranges(own, ranges, names[number], number)


def _meaning(own: Answer, like: Answer, name: str, number: int) -> Iterator[Difference]:
    assert own.state is not None
    assert like.state is not None
    if own.state != like.state:
        mend = (
            "A policy cannot read both. Leave the state out everywhere with --drop-feature observation.state, keep the "
            "datasets apart, or --allow state."
        )
        what = f"its observation.state {_WORDS[own.state]}, before it {_WORDS[like.state]}"
        yield Difference("state", name, what, mend, parent=number)
    elif own.lag is not None and like.lag is not None and (own.lag < 1) != (like.lag < 1):
        what = f"its state follows the action by {own.lag} frames, by {like.lag} before"
        mend = "One was observed before commanding and the other after; a policy learns two delays."
        yield Difference("state", name, what, mend, blocks=False, parent=number)


def _ranges(own: Answer, like: Answer, name: str, number: int) -> Iterator[Difference]:
    apart = []
    for joint, value in own.largest.items():
        low, high = sorted((value, like.largest[joint]))
        # The gripper of 0..1 beside one of 0..100; a whole body in radians beside one in degrees.
        if high > LARGE and 0 < low < high / APART:
            apart.append(joint)
    body = [joint for joint in own.largest if "gripper" not in joint]
    if 2 * len([joint for joint in apart if joint in body]) > len(body) or any("gripper" in joint for joint in apart):
        joint = apart[0]
        what = f"{joint} reaches {own.largest[joint]:.4g}, {like.largest[joint]:.4g} before: that is not one unit"
        mend = "Convert it with --units or --gripper FROM:TO, or --allow state if it only moved little."
        yield Difference("state", name, what, mend, parent=number)


def _state(parts: Sequence[Sequence[NDArray[Any]]], pairs: Sequence[tuple[int, int]]) -> tuple[Is | None, int | None]:
    long = [(asked, was) for asked, was in parts if len(asked) >= _LEAST]
    spread = [float(np.mean([asked[:, i].std() for asked, _ in long])) if long else 0.0 for i, _ in pairs]
    moving = [pair for pair, own in zip(pairs, spread, strict=True) if own > 0.02 * max(spread)]
    if not moving:
        return None, None
    if all(np.array_equal(asked[:, i], was[:, j]) for asked, was in long for i, j in moving):
        return "the action", 0
    best = [_best([(asked[:, i], was[:, j]) for asked, was in long]) for i, j in moving]
    if 2 * sum(related < UNRELATED for related, _ in best) >= len(best):
        return "unrelated", None
    return "measured", round(float(np.median([lag for related, lag in best if related >= UNRELATED])))


def _best(parts: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> tuple[float, int]:
    """The highest correlation of what was asked with what was measured some frames later, and how many."""
    found = []
    for lag in range(-FARTHEST, FARTHEST + 1):
        sums = np.zeros(3)
        for asked, was in parts:
            a = asked[FARTHEST : len(asked) - FARTHEST]
            b = was[FARTHEST + lag : len(was) - FARTHEST + lag]
            a, b = a - a.mean(), b - b.mean()
            sums += a @ a, b @ b, a @ b
        product = float(np.sqrt(sums[0] * sums[1]))
        found.append((sums[2] / product if product > 0 else 0.0, lag))
    return max(found, key=lambda one: (one[0], -abs(one[1])))


def _some(clips: Sequence[Clip]) -> list[Clip]:
    places = np.unique(np.linspace(0, len(clips) - 1, min(EPISODES, len(clips))).round().astype(int))
    return [clips[place] for place in places]


def _joints(names: Sequence[str], count: int) -> list[str]:
    """Names of the columns, by which state and action are paired; by their place where they have none."""
    if len(names) == count:
        return [name.removesuffix(".pos") for name in names]
    return list(JOINTS) if count == len(JOINTS) else [f"column {column}" for column in range(count)]
