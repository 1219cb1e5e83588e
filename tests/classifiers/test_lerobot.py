"""LeRobot's own HIL-SERL loads what we save, and says the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from classifiers.fit import Settings, taught
from classifiers.look import SIDE, CutOut
from classifiers.network import as_tensor, load_network, new_network, predict, save_network
from curation.errors import DataError
from curation.names import IMAGES

CAMERAS = ("overhead_cam", "wrist_cam")
LOOK = {"overhead_cam": CutOut(0.1, 0.55, 0.4, 0.3), "wrist_cam": CutOut()}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def network() -> Any:
    """Two steps of learning, so that nothing in it is as it was made."""
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (8, 2, SIDE, SIDE, 3), dtype=np.uint8)
    made = new_network(CAMERAS, 2)
    labels = (np.arange(8) % 2).astype(np.float32)
    taught(made, pictures, labels, Settings(epochs=1, batch=4), rng, lambda done, total: None)
    return made


@pytest.fixture
def saved(network: Any, tmp_path: Path) -> tuple[Path, list[float]]:
    return tmp_path / "done", save_network(network, tmp_path / "done", tmp_path / "done")


def smooth(rng: np.random.Generator, count: int, height: int, width: int) -> np.ndarray:
    """Pictures without detail finer than a few pixels, uint8 (count, height, width, 3)."""
    coarse = rng.integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)
    return np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in coarse])


def test_lerobots_loader_gives_the_same_probabilities_and_rewards(
    network: Any, saved: tuple[Path, list[float]]
) -> None:
    from lerobot.rewards.classifier.modeling_classifier import Classifier

    theirs = Classifier.from_pretrained(saved[0])
    rng = np.random.default_rng(3)
    pictures = np.stack([smooth(rng, 6, SIDE, SIDE) for _ in CAMERAS], axis=1)
    ours = 1 / (1 + np.exp(-predict(network, pictures)))
    batch = {IMAGES + camera: as_tensor(pictures)[:, number] for number, camera in enumerate(CAMERAS)}
    with torch.inference_mode():
        said = theirs.predict([batch[IMAGES + camera] for camera in CAMERAS]).probabilities.numpy()
        assert said == pytest.approx(ours, abs=1e-5)
        assert np.ptp(ours) > 1e-3, "they differ, so that exchanged cameras would show"
        middle = float(np.sort(ours)[2:4].mean())
        assert theirs.predict_reward(batch, threshold=middle).tolist() == (ours > middle).tolist()


def test_hil_serls_own_steps_cut_out_look_and_reward(network: Any, saved: tuple[Path, list[float]]) -> None:
    from lerobot.processor import RewardClassifierProcessorStep, TransitionKey
    from lerobot.processor.hil_processor import ImageCropResizeProcessorStep

    rng = np.random.default_rng(4)
    raw = {camera: smooth(rng, 1, 240, 320) for camera in CAMERAS}
    crops = {IMAGES + camera: LOOK[camera].pixels(240, 320) for camera in CAMERAS}
    cut = ImageCropResizeProcessorStep(crop_params_dict=crops, resize_size=(SIDE, SIDE))
    seen = cut.observation(
        {IMAGES + camera: torch.from_numpy(raw[camera]).permute(0, 3, 1, 2).float() / 255 for camera in CAMERAS}
    )
    ours = np.stack([np.stack([LOOK[camera].of(one) for one in raw[camera]]) for camera in CAMERAS], axis=1)
    for number, camera in enumerate(CAMERAS):
        assert float((seen[IMAGES + camera] - as_tensor(ours)[:, number]).abs().mean()) < 0.02
    probability = 1 / (1 + np.exp(-predict(network, ours)[0]))
    for threshold, rewarded in ((probability - 0.02, 1.0), (probability + 0.02, 0.0)):
        step = RewardClassifierProcessorStep(pretrained_path=str(saved[0]), success_threshold=threshold)
        found = step({TransitionKey.OBSERVATION: seen, TransitionKey.REWARD: 0.0, TransitionKey.DONE: False})
        assert found[TransitionKey.REWARD] == rewarded
        assert found[TransitionKey.DONE] == bool(rewarded)


def test_a_folder_that_was_moved_is_put_right_and_damage_is_named(saved: tuple[Path, list[float]]) -> None:
    from lerobot.rewards.classifier.modeling_classifier import Classifier

    folder, proof = saved
    moved = folder.with_name("elsewhere")
    shutil.move(folder, moved)
    load_network(moved, proof)
    assert json.loads((moved / "config.json").read_bytes())["model_name"] == str(moved / "encoder")
    assert Classifier.from_pretrained(moved) is not None
    with pytest.raises(DataError, match="answers otherwise"):
        load_network(moved, [value + 0.1 for value in proof])
    weights = moved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be loaded"):
        load_network(moved, proof)
