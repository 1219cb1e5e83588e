"""Policies of random weights as they are watched, and whether two histories are equal."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file, save_file

from curation.frames import Placement
from recorders.rollout import Start
from studio.evaluating import Setup
from studio.watching.history import History
from studio.watching.opening import Watched, opened
from studio.watching.repeating import first_difference
from studio.watching.session import Session
from tests.training.policies import SMALL
from training.latency import Latency
from training.policy import PolicySettings
from training.policy_model import PolicyModel

TASK = "pick up the block"
FRAMES = 36
START = Start(3, Placement(0.3, 0.0))
SETTINGS: dict[str, PolicySettings] = {
    "act": PolicySettings(n_action_steps=10),
    "late": PolicySettings(
        n_action_steps=10, latency=Latency(150.0), gripper_bias=30.0, gripper_clip=(20.0, 60.0), batch=2
    ),
    "ensemble": PolicySettings(ensemble=0.01),
    "smolvla": PolicySettings(),
    "diffusion": PolicySettings(),
}
"""The ways of carrying out a policy that are told apart here."""


def session_of(
    folder: Path, model: PolicyModel, settings: PolicySettings, frames: int = FRAMES, **more: Any
) -> Session:
    setup = Setup(folder, SMALL, settings.resolved(model), "cpu", 1, TASK, "policy:tiny", frames)
    return opened(Watched(setup, START, str(folder), **more), model)


def same(one: History, other: History) -> bool:
    """Whether two histories are equal bit for bit, thoughts and whiskers too."""
    if first_difference(one, other) is not None or one.asked != other.asked:
        return False
    for frame in one.asked:
        ours, theirs = one.outlooks[frame], other.outlooks[frame]
        pairs = [(getattr(ours.thought, name), getattr(theirs.thought, name)) for name in ("plan", "chunk", "samples")]
        pairs += [(ours.thought.denoising, theirs.thought.denoising), (ours.thought.sure, theirs.thought.sure)]
        assert ours.whisker is not None
        assert theirs.whisker is not None
        pairs += [(ours.whisker.path, theirs.whisker.path)]
        if not all(np.array_equal(first, second) for first, second in pairs):
            return False
    return True


def amplified(source: Path, folder: Path, factor: float) -> Path:
    """The same ACT with motions so many times as large: with 0 it always says the same, and its chunks agree."""
    shutil.copytree(source, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.action_head.weight"] *= factor
    save_file(weights, folder / "model.safetensors")
    return folder
