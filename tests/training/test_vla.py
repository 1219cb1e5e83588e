"""SmolVLA and Pi0, as small as they can be, loaded by path as real ones are: trained, resumed to the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from curation.store import Store
from studio.training_options import Training
from tests.training import vlas
from tests.training.runs import begun, copied, losses, trained
from training import checkpoints
from training.launch import forget_after

# LeRobot's own warnings are not ours to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]


@pytest.mark.parametrize("kind", ["smolvla", "pi0"])
def test_a_tiny_policy_is_trained_from_its_weights_and_resumed_exactly(
    arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    weights = vlas.smolvla(tmp_path, arm) if kind == "smolvla" else vlas.pi0(tmp_path, arm, monkeypatch)
    asked = Training(
        weights=str(weights), steps=4, batch_size=4, device="cpu", where="x<0.21",
        set_=("log_freq=1", "save_freq=2", "num_workers=0"),
    )  # fmt: skip
    run = begun(tmp_path / "whole", arm, asked)
    assert run.read()["policy"] == kind
    assert trained(run) == 0
    whole = losses(run)
    assert list(whole) == [1, 2, 3, 4]
    copy = copied(run, tmp_path / "copy", 2)
    forget_after(copy.progress, 2)
    checkpoint, _ = checkpoints.last_complete(copy.checkpoints)
    assert trained(copy, checkpoint) == 0
    assert losses(copy) == whole


def test_relative_actions_are_normalised_by_their_own_statistics(
    arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = vlas.pi0(tmp_path, arm, monkeypatch)
    asked = Training(
        weights=str(weights), steps=1, batch_size=2, device="cpu", where="x<0.21",
        set_=("policy.use_relative_actions=true", "num_workers=0"),
    )  # fmt: skip
    run = begun(tmp_path / "run", arm, asked)
    assert trained(run) == 0
    (path,) = (run.checkpoints / "000001" / checkpoints.MODEL).glob("policy_preprocessor*_normalizer*.safetensors")
    kept = load_file(path)
    numbers = Store.open(arm).numeric(0)
    action, state = (numbers[key].astype(np.float64) for key in ("action", "observation.state"))
    starts = range(len(action) - 10 + 1)
    moved = np.stack([action[start : start + 10] - state[start] * [1, 1, 1, 1, 1, 0] for start in starts])
    assert np.allclose(kept["action.mean"], moved.mean((0, 1)), atol=1e-3)
    assert np.allclose(kept["action.std"], moved.std((0, 1)), atol=1e-2)
