"""Vision-language-action policies drive worlds as the others do, and what they draw comes from the seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curation.frames import Frame, Placement, Vector
from recorders.rollout import Start, rollout
from recorders.world.sim import SimWorld
from tests.training import vlas
from tests.training.policies import SMALL
from training.policy import PolicyOperator, PolicySettings
from training.policy_model import PolicyModel

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]


@pytest.mark.parametrize("kind", ["smolvla", "pi0"])
def test_a_tiny_policy_with_language_drives_two_worlds(
    kind: str, arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = vlas.smolvla(tmp_path, arm) if kind == "smolvla" else vlas.pi0(tmp_path, arm, monkeypatch)
    model = PolicyModel(folder, device="cpu")
    assert (model.kind, model.chunked, model.resizes) == (kind, True, True)
    assert set(model.cameras) == set(SMALL.cameras)
    first = SimWorld(SMALL)
    worlds = [first, SimWorld(SMALL, first.model, first.painter)]
    drives = PolicyOperator(model, PolicySettings(batch=2), fps=30, task="pick up the block")
    once, again, other = (driven(drives, worlds, seed) for seed in (3, 3, 4))
    first.close()
    assert np.isfinite(once).all()
    assert drives.calls == [3, 3], "frames 0, 5 and 10"
    assert np.array_equal(once, again)
    assert not np.array_equal(once, other), "its noise is another"


def driven(drives: PolicyOperator, worlds: list[SimWorld], seed: int) -> Vector:
    """Both worlds' actions, shape (2, 12, 6); they begin alike whatever the seed."""
    starts = [Start(seed, Placement(0.3, 0.0)), Start(seed + 10, Placement(0.25, 0.1))]
    actions: list[list[Vector]] = [[], []]
    for number, event in rollout(worlds, drives, starts, limit=12):
        if isinstance(event, Frame):
            actions[number].append(event.command.action)
    return np.array(actions)
