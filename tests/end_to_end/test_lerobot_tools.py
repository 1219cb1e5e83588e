"""What LeRobot's own library and command lines make of our datasets."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from curation.store import Store
from curation.video import read_video
from tests.end_to_end.commands import Commands
from tests.end_to_end.conftest import Made

# LeRobot's own warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

TINY_ACT = (
    "--policy.type=act", "--policy.pretrained_backbone_weights=null", "--policy.device=cpu",
    "--policy.push_to_hub=false", "--policy.chunk_size=10", "--policy.n_action_steps=10",
    "--policy.dim_model=32", "--policy.n_heads=2",
    "--policy.dim_feedforward=32", "--policy.n_encoder_layers=1", "--policy.use_vae=false",
)  # fmt: skip


def opened(lerobot: ModuleType, root: Path, **chosen: Any) -> Any:
    return lerobot.LeRobotDataset("studio/test", root=root, video_backend="pyav", **chosen)


def require_same_items(dataset: Any, stores: list[Store]) -> None:
    """Every item is the row and the pictures that the sources hold there."""
    index = 0
    for episode in (episode for store in stores for episode in store.episodes):
        store = next(store for store in stores if episode.data.is_relative_to(store.root))
        numbers = store.numeric(episode.index)
        cameras = episode.videos
        pictures = {key: read_video(path, episode.video_starts[key], episode.length) for key, path in cameras.items()}
        for frame in range(episode.length):
            item = dataset[index]
            for key, values in numbers.items():
                assert np.array_equal(item[key], values[frame]), (index, key)
            for key, film in pictures.items():
                shown = item[key].numpy().transpose(1, 2, 0) * 255
                assert np.abs(shown - next(film)).max() < 1, (index, key)
            assert item["task"] == episode.task
            index += 1
    assert index == len(dataset)


def test_opens_and_every_frame_decodes(lerobot: ModuleType, plain: Made) -> None:
    dataset = opened(lerobot, plain.root)
    assert dataset.num_episodes == 5
    require_same_items(dataset, [plain.store])


def test_episode_columns_and_filter(lerobot: ModuleType, plain: Made) -> None:
    rows = opened(lerobot, plain.root).meta.episodes
    assert rows["studio/success"] == [True] * 4 + [False]
    assert len(set(rows["studio/episode_id"])) == 5
    assert set(rows["studio/operator"]) == {"expert"}
    assert all(
        abs(x - 0.337) <= 0.02 and abs(y + 0.015) <= 0.02
        for x, y in zip(rows["studio/x"], rows["studio/y"], strict=True)
    )
    assert all(json.loads(text) for text in rows["studio/json"])
    for wanted, count in ((True, 4), (False, 1)):
        chosen = opened(
            lerobot, plain.root, episode_filter=lambda episode, wanted=wanted: episode["studio/success"] is wanted
        )
        assert chosen.num_episodes == count
        assert len(chosen) == sum(rows["length"][i] for i in range(5) if rows["studio/success"][i] is wanted)


def test_stats_are_those_of_the_data(lerobot: ModuleType, plain: Made) -> None:
    stats = json.loads((plain.root / "meta" / "stats.json").read_text())
    columns = opened(lerobot, plain.root).hf_dataset.with_format("numpy")
    for key in ("action", "observation.state"):
        values = np.asarray(columns[key], np.float64)
        fresh = {
            "min": values.min(0), "max": values.max(0), "mean": values.mean(0), "std": values.std(0),
            "count": [len(values)], **{f"q{q:02d}": np.quantile(values, q / 100, axis=0) for q in (1, 10, 50, 90, 99)},
        }  # fmt: skip
        assert stats[key].keys() == fresh.keys()
        for name, value in fresh.items():
            assert stats[key][name] == pytest.approx(np.asarray(value), rel=1e-6, abs=1e-9), (key, name)
    for key in ("observation.images.overhead_cam", "observation.images.wrist_cam"):
        films = [list(read_video(episode.videos[key])) for episode in plain.store.episodes]
        pixels = np.concatenate([np.array(film) for film in films]) / 255
        for name, value in (("mean", pixels.mean((0, 1, 2))), ("std", pixels.std((0, 1, 2)))):
            assert np.ravel(stats[key][name]) == pytest.approx(value, abs=0.01), (key, name)


def test_lerobot_train_writes_a_checkpoint(commands: Commands, plain: Made, tmp_path: Path) -> None:
    said = commands.run(
        "lerobot-train", "--dataset.repo_id=studio/plain", f"--dataset.root={plain.root}", *TINY_ACT, "--batch_size=2",
        "--steps=3", "--save_freq=3", "--log_freq=1", "--num_workers=0", "--env_eval_freq=0", "--wandb.enable=false",
        f"--output_dir={tmp_path / 'train'}",
    )  # fmt: skip
    losses = [float(loss) for loss in re.findall(r"step:\d+ .*? loss:([\d.]+)", said.out + said.err)]
    assert len(losses) == 3
    assert 0 < max(losses) < 10
    checkpoint = tmp_path / "train" / "checkpoints" / "000003" / "pretrained_model"
    assert (checkpoint / "model.safetensors").stat().st_size > 1e6
    inputs = json.loads((checkpoint / "config.json").read_text())["input_features"]
    assert set(inputs) == {"observation.state", "observation.images.overhead_cam", "observation.images.wrist_cam"}


def test_lerobot_dataset_viz_writes_its_file(commands: Commands, plain: Made, tmp_path: Path) -> None:
    commands.run(
        "lerobot-dataset-viz", "--repo-id", "studio/plain", "--root", str(plain.root), "--episode-index", "1", "--save",
        "1", "--output-dir", str(tmp_path), "--num-workers", "0", "--display-compressed-images",
    )  # fmt: skip
    assert (tmp_path / "studio_plain_episode_1.rrd").stat().st_size > 1e5


def test_lerobot_doctor_finds_nothing(commands: Commands, plain: Made, distracted: Made) -> None:
    told = json.loads(commands.run("lerobot-doctor", "check", str(distracted.root), "--json").out)
    messages = [message for check in told["checks"] for message in check["messages"]]
    assert (told["total_episodes"], told["format_version"], len(told["checks"])) == (2, "v3", 11)
    assert not [message for message in messages if message["severity"] != "PASS"]
    # A failure that was cut short earns remarks, but no error.
    commands.run("lerobot-doctor", "check", str(plain.root), "--ci", "--fail-on", "fail")
    commands.run("lerobot-doctor", "gate", str(plain.root), "--policy", "act", "--chunk-size", "10")


def test_lerobot_edit_dataset_merges(
    commands: Commands, lerobot: ModuleType, plain: Made, distracted: Made, tmp_path: Path
) -> None:
    parents = [tmp_path / "plain", tmp_path / "distracted"]
    for made, parent in zip((plain, distracted), parents, strict=True):
        shutil.copytree(made.root, parent)
    target = tmp_path / "merged"
    commands.run(
        "lerobot-edit-dataset", "--operation.type=merge", '--operation.repo_ids=["studio/plain","studio/distracted"]',
        f"--operation.roots={json.dumps([str(parent) for parent in parents])}", "--new_repo_id=studio/merged",
        f"--new_root={target}", "--push_to_hub=false",
    )  # fmt: skip
    merged = opened(lerobot, target)
    require_same_items(merged, [plain.store, distracted.store])
    ids = [row.episode_id for made in (plain, distracted) for row in made.store.rows()]
    assert merged.meta.episodes["studio/episode_id"] == ids
    # The tool knows nothing of what lies in meta/studio; our tools say what is lost and what to do.
    said = commands.studio("inspect", str(target))
    assert "physics missing, so they cannot be replayed or redrawn: episodes 0, 1" in said.out
    for command in (("replay", str(target)), ("rerender", str(target), "--to", "redrawn")):
        assert "was not recorded by the studio" in commands.studio(*command, code=2).err
