"""The cache of decoded frames gives training what LeRobot's own reader gives, frame by frame, or an error."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import DataError, UsageError
from curation.fingerprint import fingerprint
from curation.store import Store
from curation.video import read_video
from tests.training.runs import asked, begun, losses, trained
from training.checkpoints import MODEL
from training.frames_cache import FramesCache, frames_cache, resized
from training.frames_reader import reader

# LeRobot's own warnings are not ours to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def made(data: Path, size: tuple[int, int] | None = None) -> FramesCache:
    return frames_cache(Store.open(data), fingerprint(data), size)


def opened(data: Path, **chosen: Any) -> Any:
    from lerobot.datasets import LeRobotDataset

    return LeRobotDataset("studio/arm", root=data, video_backend="pyav", return_uint8=True, **chosen)


@pytest.mark.parametrize("episodes", [None, [3]], ids=["some of all", "all of some"])
def test_every_item_is_lerobots_own(arm: Path, episodes: list[int] | None) -> None:
    camera = "observation.images.wrist_cam"
    deltas = {"action": [i / 30 for i in range(5)], camera: [-1 / 30, 0.0], "observation.state": [-1 / 30, 0.0]}
    chosen: dict[str, Any] = {"episodes": episodes, "delta_timestamps": deltas}
    theirs, ours = opened(arm, **chosen), opened(arm, **chosen)
    reader(made(arm))(ours)
    ours.reader.get_item = pickle.loads(pickle.dumps(ours.reader.get_item))  # as a spawned worker gets it
    assert len(ours) == len(theirs)
    for index in range(0, len(theirs), 13 if episodes is None else 1):
        mine, its = ours[index], theirs[index]
        assert mine.keys() == its.keys()
        for key, value in its.items():
            if key == "task":
                assert mine[key] == value
            else:
                assert mine[key].dtype == value.dtype, key
                assert np.array_equal(mine[key], value), (index, key)


def test_a_cache_is_made_once_and_another_dataset_has_another(arm: Path, home: Path) -> None:
    first = made(arm)
    stamp = (first.folder / "cache.json").stat().st_mtime_ns
    assert made(arm).folder == first.folder
    assert (first.folder / "cache.json").stat().st_mtime_ns == stamp
    other = frames_cache(Store.open(arm), "f" * 64, None)
    assert other.folder != first.folder
    (first.folder / "observation.images.wrist_cam.u8").unlink()
    made(arm).verify()
    sums = first.folder / "observation.images.wrist_cam.crc"
    sums.write_bytes(sums.read_bytes()[:-4])
    made(arm).verify()
    sums.unlink()
    made(arm).verify()
    assert not list(home.glob("*.partial*"))


def test_depth_images_are_refused_before_anything_is_decoded(arm: Path, tmp_path: Path, home: Path) -> None:
    data = Path(shutil.copytree(arm, tmp_path / "deep"))
    info = json.loads((data / "meta/info.json").read_text())
    info["features"]["observation.images.wrist_cam"]["info"]["is_depth_map"] = True
    (data / "meta/info.json").write_text(json.dumps(info))
    told: list[int] = []
    with pytest.raises(UsageError, match=r"holds depth images \(observation\.images\.wrist_cam\)"):
        frames_cache(Store.open(data), fingerprint(data), None, lambda done, of: told.append(done))
    assert not told
    assert not home.exists()


def test_a_damaged_image_is_never_trained_on(arm: Path) -> None:
    cache = made(arm)
    path = cache.folder / "observation.images.wrist_cam.u8"
    data = bytearray(path.read_bytes())
    data[48 * 64 * 3 * 7 + 100] ^= 1  # one bit of image 7
    path.write_bytes(data)
    dataset = opened(arm)
    reader(made(arm))(dataset)
    assert dataset[6]["observation.images.wrist_cam"].shape == (3, 48, 64)
    with pytest.raises(DataError, match=r"Image 7 of observation\.images\.wrist_cam .* Remove the folder"):
        dataset[7]
    with pytest.raises(DataError, match="Image 7"):
        cache.verify()


def test_resized_images_are_those_of_the_policys_preprocessor(arm: Path) -> None:
    import torch
    from lerobot.processor.hil_processor import ImageCropResizeProcessorStep

    size = (24, 30)
    cache = made(arm, size)
    step = ImageCropResizeProcessorStep(resize_size=size)
    (episode, *_) = Store.open(arm).episodes
    key = "observation.images.overhead_cam"
    for index, image in enumerate(read_video(episode.videos[key], 0, 5)):
        whole = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 255
        shown = step.observation({key: whole})[key][0].numpy().transpose(1, 2, 0)
        assert np.abs(cache.images(key)[index] / 255 - shown).max() <= 0.5 / 255 + 1e-6
        assert np.array_equal(cache.images(key)[index], resized(image, size))


def test_training_from_the_cache_makes_the_same_numbers(arm: Path, tmp_path: Path) -> None:
    own, cached = (
        begun(tmp_path / f"{cache}", arm, asked(steps=2, where="x<0.21", cache=cache)) for cache in (False, True)
    )
    assert trained(own) == trained(cached) == 0
    assert losses(own) == losses(cached)


def test_a_resized_policy_says_its_size_and_resizes_by_itself(arm: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "run", arm, asked(steps=1, where="x<0.21", resize="32x32", cache=True))
    assert trained(run) == 0
    model = run.checkpoints / "000001" / MODEL
    inputs = json.loads((model / "config.json").read_text())["input_features"]
    assert inputs["observation.images.wrist_cam"]["shape"] == [3, 32, 32]
    steps = [step["registry_name"] for step in json.loads((model / "policy_preprocessor.json").read_text())["steps"]]
    assert steps.index("image_crop_resize_processor") < steps.index("normalizer_processor")
