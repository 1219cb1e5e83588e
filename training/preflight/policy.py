"""Faults between a policy and its data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from curation import layout
from curation.checks import Finding
from curation.names import ACTION, POSE
from training.checkpoints import WEIGHTS, NoCheckpoint, last_complete
from training.normalisation import MAPPING, leaves_pose
from training.preflight.asked import Asked, finding

_APART = 5.0
"""Factor between two grippers' spans that no demonstration explains: 0..1 against 0..100."""


def policy(asked: Asked) -> Iterator[Finding]:
    """Chunk, cameras, gripper, inputs, and what a resumed training would start from."""
    yield from _chunk(asked)
    yield from _inputs(asked)
    yield from _gripper(asked)
    yield from _resume(asked)


def _chunk(asked: Asked) -> Iterator[Finding]:
    chunk, name = asked.understood.chunk, asked.understood.setting
    lengths = np.array([episode.length for episode in asked.chosen.episodes])
    if not chunk or chunk <= lengths.min():
        return
    longer = int((lengths < chunk).sum())
    what = f"a chunk has {chunk} frames, {longer} of {len(lengths)} episodes are shorter, the shortest {lengths.min()}"
    yield finding(
        "chunk",
        "error" if chunk > float(np.median(lengths)) else "warning",
        what,
        "What is missing of a chunk is filled with the last action: standing still is learnt after an episode's end.",
        f"Predict less: --set {name}={max(1, int(lengths.min()) // 10 * 10)}"
        f"{' policy.n_action_steps=' + str(max(1, int(lengths.min()) // 20 * 10)) if name.endswith('size') else ''}; "
        "or leave short episodes out with studio drop.",
    )


def _inputs(asked: Asked) -> Iterator[Finding]:
    features = asked.chosen.store.features
    sizes = {features[key].shape for key in layout.cameras(features)}
    if ACTION not in features:
        yield finding(
            "inputs",
            "error",
            "the dataset has no action",
            "There is nothing to learn.",
            "Rename the column that holds it.",
        )
    if asked.recipe.policy == "act" and not sizes and POSE not in features:
        yield finding(
            "inputs",
            "error",
            "the dataset has neither a camera nor observation.environment_state",
            "ACT refuses to be built without either.",
            "Train on a dataset with cameras, or record one with --privileged for a test.",
        )
    if not asked.recipe.weights and leaves_pose(asked.recipe.policy, features, asked.recipe.setting(MAPPING, "{}")):
        yield finding(
            "normalisation",
            "error",
            f"{POSE} is not normalised",
            "Centimetres told in metres are next to nothing beside other inputs: the policy goes to the mean position.",
            f'Leave --set {MAPPING} away, or name ENV in it, such as "ENV": "MEAN_STD".',
        )
    if asked.recipe.policy == "act" and len(sizes) > 1 and not asked.recipe.resize:
        told = ", ".join("x".join(map(str, shape[:2])) for shape in sorted(sizes))
        yield finding(
            "inputs",
            "error",
            f"cameras differ in size: {told}",
            "ACT's cameras share a backbone and a position embedding; LeRobot fails, or mixes them up.",
            "Give all one size: --resize 96x128.",
        )


def _gripper(asked: Asked) -> Iterator[Finding]:
    """The gripper's range in the weights against the one in the data."""
    action = asked.chosen.store.features.get(ACTION)
    if not asked.recipe.weights or action is None or not any("gripper" in name for name in action.names[-1:]):
        return
    theirs = gripper_of(Path(asked.recipe.weights))
    rows = [asked.chosen.store.numeric(index)[ACTION][:, -1] for index in asked.chosen.indices[:20]]
    ours = float(np.quantile(np.concatenate(rows), 0.99))
    if theirs is None:
        yield finding(
            "gripper",
            "warning",
            f"{asked.recipe.weights_given} holds no statistics of the actions it was trained on",
            "Nobody can say whether its gripper goes from 0 to 1 or from 0 to 100.",
            f"Look it up where the weights come from; here it goes up to {ours:.4g}.",
        )
        return
    if theirs <= 0 or ours <= 0:
        return
    ratio = ours / theirs
    if 1 / _APART < ratio < _APART:
        return
    looks = {True: "0..1", False: "0..100"}
    yield finding(
        "gripper",
        "error",
        f"the gripper goes up to {ours:.4g} here and up to {theirs:.4g} in the data of {asked.recipe.weights_given}",
        "The weights know another unit of the gripper: closing and opening mean something else.",
        f"studio gripper DATASET {looks[ours < 2]}:{looks[theirs < 2]} --to NEW, and train on that.",
    )


def gripper_of(weights: Path) -> float | None:
    """The most that the gripper, the last of the actions, opened in the data of a policy's weights; None if unknown.

    Statistics lie in the processors' files; before LeRobot had processors, among the weights.
    """
    from safetensors import safe_open

    # A header alone is read of files that hold none, however large.
    for path in [*sorted(weights.glob("*normalizer*.safetensors")), *(weights / name for name in WEIGHTS)]:
        if not path.is_file():
            continue
        with safe_open(str(path), framework="numpy") as file:
            kept = {name.replace("_", "."): name for name in file.keys() if "action" in name}  # noqa: SIM118

            def last(which: str, file: Any = file, kept: dict[str, str] = kept) -> float | None:
                name = next((own for told, own in kept.items() if told.endswith(f"action.{which}")), None)
                values = file.get_tensor(name).ravel() if name else np.zeros(0)
                return float(values[-1]) if values.size else None

            found = [last(which) for which in ("q99", "max")]
            mean, std = last("mean"), last("std")
        if mean is not None and std is not None:
            found.append(mean + 2 * std)
        # Statistics of nothing yet are infinite.
        if known := [value for value in found if value is not None and np.isfinite(value)]:
            return known[0]
    return None


def _resume(asked: Asked) -> Iterator[Finding]:
    if asked.resume is None:
        return
    try:
        _, damaged = last_complete(asked.resume)
    except NoCheckpoint as error:
        yield finding(
            "resume",
            "error",
            str(error),
            "Hours of training would be thrown away in silence, and the curve would say so only to who looks.",
            "Train anew under another --to.",
        )
        return
    for path, why in damaged:
        yield finding(
            "resume",
            "warning",
            f"checkpoint {path.name}: {why}",
            "The one before it is used.",
            "Nothing needs to be done.",
        )
