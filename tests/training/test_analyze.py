"""studio analyze: it predicts as LeRobot does, counts errors right, and names joints that have collapsed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curation.frames import JOINTS
from curation.store import Store
from tests.curation.making import tell_frames
from tests.studio.conftest import Studio, studio
from tests.training.policies import tiny_act
from training.analysis import fit
from training.predictions import Predictions, predict

__all__ = ["studio"]
rng = np.random.default_rng(0)


def predictions(predicted: np.ndarray, demonstrated: np.ndarray, state: np.ndarray) -> Predictions:
    n = len(predicted)
    return Predictions(
        predicted, demonstrated, state, np.repeat([0, 1], [n // 2, n - n // 2]), np.arange(n),
        np.abs(predicted - demonstrated).mean(axis=0)[None], ((predicted - demonstrated) ** 2).sum(axis=0),
        ((state - demonstrated) ** 2).sum(axis=0),
    )  # fmt: skip


def test_every_fault_of_a_joint_is_named() -> None:
    time = np.linspace(0, 20, 400)
    wanted = np.stack([20 * np.sin(time + phase) for phase in range(4)], axis=1)
    wanted[:, 3] = 5.0
    guessed = wanted.copy()
    guessed[:, 0] += rng.normal(0, 1, 400) + 0.5
    guessed[:, 1] = wanted[:, 1].mean() + rng.normal(0, 0.5, 400)
    guessed[:, 2] = 20 * np.sin(time)
    found = fit(predictions(guessed, wanted, wanted - 0.3), ["a", "b", "c", "d"])
    assert [joint.verdict for joint in found.joints] == ["good", "collapsed", "poor", "still"]
    assert found.collapsed == ("b",)
    first = found.joints[0]
    assert first.r2 == pytest.approx(1 - 1.25 / 200, abs=0.01)
    assert first.bias == pytest.approx(0.5, abs=0.15)
    assert first.skill is not None
    assert first.skill < 0  # worse than saying the state, 0.3 away
    assert first.mean_error == pytest.approx(np.abs(guessed - wanted)[:, 0].mean())
    assert found.max_error == np.abs(guessed - wanted).max()
    assert (found.joints[3].r2, found.joints[3].spread) == (None, None)
    assert (found.frames, found.episodes) == (400, 2)


def test_a_chunk_longer_than_the_episodes_is_still_json() -> None:
    wanted = rng.normal(size=(4, 1))
    found = replace(predictions(wanted, wanted, wanted), ahead=np.array([[0.5], [np.nan]]))
    told = json.loads(json.dumps(fit(found, ["a"]).values(), allow_nan=False))
    assert told["ahead"] == [0.5, None]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory, lerobot: None) -> Path:
    return tiny_act(tmp_path_factory.mktemp("policy") / "pretrained_model")


def test_every_frame_is_asked_with_its_own_instruction(
    arm: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.policy_model import PolicyModel

    copy = Path(shutil.copytree(arm, tmp_path / "copy"))
    said = ["wait" if frame % 3 == 1 else "pick" for frame in range(Store.open(copy).episodes[1].length)]
    tell_frames(copy, 1, said)
    told: list[list[str]] = []
    model, see = PolicyModel(policy, device="cpu"), PolicyModel.see

    def heard(self: PolicyModel, images: Any, state: Any, pose: Any, task: Any) -> Any:
        told.append(list(task))
        return see(self, images, state, pose, task)

    monkeypatch.setattr(PolicyModel, "see", heard)
    asked = predict(model, Store.open(copy), [1], every=10).frame.tolist()
    assert [text for batch in told for text in batch][: len(asked)] == [said[frame] for frame in asked]
    assert {said[frame] for frame in asked} == {"pick", "wait"}


def test_it_predicts_what_lerobot_predicts(arm: Path, policy: Path) -> None:
    import torch
    from lerobot.configs import PreTrainedConfig
    from lerobot.datasets import LeRobotDataset
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    from training.policy_model import PolicyModel

    found = predict(PolicyModel(policy, device="cpu"), Store.open(arm), [1], every=20)
    assert found.frame.tolist() == [0, 20, 40]
    theirs = ACTPolicy.from_pretrained(policy)
    theirs.eval()
    before, after = make_pre_post_processors(PreTrainedConfig.from_pretrained(policy), pretrained_path=str(policy))
    data = LeRobotDataset("test/arm", root=arm, video_backend="pyav")
    start = Store.open(arm).episodes[1].start
    for row, frame in enumerate(found.frame):
        item = data[start + int(frame)]
        with torch.inference_mode():
            seen = {key: value[None] for key, value in item.items() if key.startswith("observation.")}
            chunk = after(theirs.predict_action_chunk(before(seen)))
        assert np.allclose(found.predicted[row], chunk[0, 0].numpy(), atol=2e-3)
        assert np.allclose(found.demonstrated[row], item["action"].numpy())
        assert np.allclose(found.state[row], item["observation.state"].numpy())
    actions, state = Store.open(arm).numeric(1)["action"], Store.open(arm).numeric(1)["observation.state"]
    stayed = sum(((actions[at : at + 20] - state[at]) ** 2).sum(axis=0) for at in (0, 20, 40))
    assert np.allclose(found.staying, stayed, rtol=1e-4)


def test_a_policy_that_learned_nothing_has_collapsed(
    studio: Studio, arm: Path, policy: Path, tmp_path: Path, lerobot: None
) -> None:
    to = tmp_path / "found"
    said = studio("analyze", str(policy), str(arm), "--every", "3", "-n", "2", "--to", str(to), "--device", "cpu")
    assert said.code == 0, said.err
    assert "does not know its training episodes" in said.err
    assert "collapsed to a near constant: shoulder_pan" in said.out
    told = json.loads((to / "statistics.json").read_text())["sets"]["validation"]
    assert told["episodes_asked"] == [0, 3]
    assert [joint["name"] for joint in told["joints"]] == list(JOINTS)
    asked = sum(len(range(0, Store.open(arm).episodes[index].length, 3)) for index in (0, 3))
    with np.load(to / "predictions.npz") as kept:
        assert kept["val_pred"].shape == kept["val_gt"].shape == kept["val_obs"].shape == (asked, 6)
        error = np.abs(kept["val_pred"] - kept["val_gt"])
    assert told["mean_error"] == pytest.approx(error.mean())
    assert told["max_error"] == pytest.approx(error.max())
    pictures = {path.name for path in to.glob("*.png")}
    assert pictures == {"validation_timeseries.png", "validation_scatter.png", "error_histograms.png",
                        "error_ahead.png"}  # fmt: skip
    for name in pictures:
        with Image.open(to / name) as drawn:
            assert len(drawn.getcolors(1 << 24)) > 50
    again = studio("analyze", str(policy), str(arm), "--to", str(to))
    assert again.code == 2
    assert "never overwritten" in again.err


def test_a_dataset_that_lacks_what_the_policy_sees_is_refused(
    studio: Studio, arm: Path, tmp_path: Path, lerobot: None
) -> None:
    seeing = tiny_act(tmp_path / "other", cameras=(), privileged=True)
    said = studio("analyze", str(seeing), str(arm), "--to", str(tmp_path / "found"), "--device", "cpu")
    assert said.code == 2
    assert "observation.environment_state" in said.err


def test_data_of_another_kind_than_the_training_is_refused(
    studio: Studio, arm: Path, policy: Path, tmp_path: Path, lerobot: None
) -> None:
    def analysed(card: dict[str, Any], *more: str) -> Any:
        copy = tmp_path / f"policy-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(policy, copy)
        (copy / "studio.json").write_text(json.dumps({"version": 1, "run": "gone", "step": 1} | card))
        to = tmp_path / f"to-{copy.name}"
        return studio(
            "analyze", str(copy), str(arm), "--to", str(to), "--device", "cpu", "-n", "1", "--every", "30", *more
        )

    for card, why in (
        ({"fps": 25}, "trained at 25 fps"),
        ({"units": {"body": "radians", "gripper": "0..100"}}, "trained with body in radians"),
        (
            {"scene": {"fingerprint": "f" * 16, "scene": {}}},
            "trained in scene ffffffffffffffff, and episodes here are of",
        ),
    ):
        said = analysed(card)
        assert said.code == 2, said.err
        assert why in said.err
    meant = analysed({"scene": {"fingerprint": "f" * 16, "scene": {}}}, "--other-scene")
    assert meant.code == 0, meant.err
    model = Path(shutil.copytree(policy, tmp_path / "large"))
    config = json.loads((model / "config.json").read_text())
    for feature in config["input_features"].values():
        if feature["type"] == "VISUAL":
            feature["shape"] = [3, 96, 128]
    (model / "config.json").write_text(json.dumps(config))
    said = studio("analyze", str(model), str(arm), "--to", str(tmp_path / "found"), "--device", "cpu")
    assert said.code == 2
    assert "was 128x96 in training and is 64x48 in" in said.err
