"""Histories of real small policies, as faces are made of."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from curation.frames import Phase, Placement
from recorders.events import Mark
from recorders.rollout import Start
from studio.evaluating import Setup
from studio.watching.history import History
from studio.watching.opening import Watched, opened
from tests.training.policies import SMALL, tiny_act, tiny_diffusion
from training.policy import PolicySettings
from training.policy_model import PolicyModel

EVENTS = {5: "grasp", 9: "lift", 22: "release"}


def ensembled(folder: Path, frames: int) -> History:
    """Of an ACT whose overlapping chunks are blended."""
    return _watched(tiny_act(folder, cameras=(), privileged=True), PolicySettings(ensemble=0.01), frames)


def diffused(folder: Path, frames: int, samples: int = 3) -> History:
    """Of a diffusion policy, with samples and denoising steps."""
    return _watched(tiny_diffusion(folder), PolicySettings(), frames, samples)


def with_events(history: History) -> History:
    """The same with `EVENTS`, which no policy of random weights brings about."""
    marks = []
    for frame in range(len(history.columns.marks)):
        phase = Phase.REACH if frame < 9 else Phase.LIFT if frame < 22 else Phase.RELEASE
        marks.append(Mark(phase, int(frame >= 5), 0, False))
    return History(history.told, replace(history.columns, marks=tuple(marks)), history.outlooks)


def _watched(folder: Path, settings: PolicySettings, frames: int, samples: int = 0) -> History:
    model = PolicyModel(folder, device="cpu")
    setup = Setup(folder, SMALL, settings.resolved(model), "cpu", 1, "pick up the block", "policy:tiny", frames)
    session = opened(Watched(setup, Start(3, Placement(0.3, 0.0)), str(folder), samples=samples), model)
    with closing(session.world):
        session.finish()
        return session.history
