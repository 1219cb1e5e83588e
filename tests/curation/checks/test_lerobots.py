"""Datasets that LeRobot itself recorded and edited: clean ones stay clean, its faults are named and mended."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from curation.checks import check_folder
from curation.restat import differences, repair, restate
from curation.store import Store
from tests.curation.checks.arm import driven, record
from tests.curation.checks.plants import record_of, set_column
from tests.curation.tiny import CAMERAS, FEATURES, FPS, picture

# Its own warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

LENGTHS = (50, 61, 47)
OTHERS = (49, 60, 46)
"""Of the second dataset: episodes of one greatest length look cut off by a clock."""


def opened(lerobot: ModuleType, root: Path) -> Any:
    return lerobot.LeRobotDataset("studio/test", root=root, video_backend="pyav")


def make(lerobot: ModuleType, root: Path, *, streaming: bool, first: int = 0, videos: bool = True) -> Path:
    """Three episodes, recorded by LeRobot into one data file and one mp4 a camera, or with images in the data file."""
    from lerobot.configs import RGBEncoderConfig

    kinds = {} if videos else dict.fromkeys(CAMERAS, "image")
    features = {
        key: {"dtype": kinds.get(key, f.dtype), "shape": f.shape, "names": list(f.names)} for key, f in FEATURES.items()
    }
    dataset = lerobot.LeRobotDataset.create(
        "studio/theirs", fps=FPS, features=features, root=root, robot_type="so_follower",
        streaming_encoding=streaming, encoder_queue_maxsize=1000, use_videos=videos,
        rgb_encoder=RGBEncoderConfig(vcodec="h264", preset="veryfast", crf=18, g=2),
    )  # fmt: skip
    for episode, length in enumerate(OTHERS if first else LENGTHS, start=first):
        values = driven(episode, length)
        for frame in range(length):
            images = {camera: picture(episode, frame, number) for number, camera in enumerate(CAMERAS)}
            dataset.add_frame({key: v[frame] for key, v in values.items()} | images | {"task": f"pick {first}"})
        dataset.save_episode()
    dataset.finalize()
    return root


@pytest.fixture(scope="module")
def streamed(lerobot: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(lerobot, tmp_path_factory.mktemp("theirs") / "streamed", streaming=True)


@pytest.fixture(scope="module")
def sampled(lerobot: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(lerobot, tmp_path_factory.mktemp("theirs") / "sampled", streaming=False, first=3)


def named(root: Path, **asked: Any) -> list[str]:
    return [f"{one.level} {one.check}: {one.what}" for one in check_folder(root, **asked) if one.level != "note"]


def test_what_lerobot_recorded_is_clean(streamed: Path, sampled: Path) -> None:
    for root in (streamed, sampled):
        assert named(root, deep=True, second_opinion=root == streamed) == []


def test_a_dataset_of_theirs_is_repaired_and_still_opens(lerobot: ModuleType, streamed: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(streamed, tmp_path / "set"))
    untouched = {path: path.read_bytes() for path in [*root.rglob("data/**/*.parquet"), *root.rglob("*.mp4")]}
    before = pq.read_table(record_of(root, 0))
    assert {one.statistic for one in repair(Store.open(root))} >= {"q01", "q50", "count"}
    store = Store.open(root)
    assert differences(store, restate(store)) == []
    after = pq.read_table(record_of(root, 0))
    assert after.schema.equals(before.schema, check_metadata=True)
    kept = [name for name in before.column_names if not name.startswith("stats/")]
    assert after.select(kept).equals(before.select(kept))
    assert all(path.read_bytes() == content for path, content in untouched.items())
    dataset = opened(lerobot, root)
    assert len(dataset) == sum(LENGTHS)
    actions = np.concatenate([driven(e, n)["action"] for e, n in enumerate(LENGTHS)]).astype(np.float64)
    for name, value in (("mean", actions.mean(0)), ("std", actions.std(0)), ("q01", np.quantile(actions, 0.01, 0))):
        assert np.allclose(dataset.meta.stats["action"][name], value, rtol=0, atol=1e-12), name
    images = np.concatenate([[picture(e, f, 0) for f in range(n)] for e, n in enumerate(LENGTHS)]) / 255
    assert np.allclose(np.ravel(dataset.meta.stats[CAMERAS[0]]["mean"]), images.mean((0, 1, 2)), atol=0.02)


def test_images_inside_the_data_file_are_checked_and_counted(lerobot: ModuleType, tmp_path: Path) -> None:
    root = make(lerobot, tmp_path / "set", streaming=False, videos=False)
    assert named(root, deep=True) == []
    (root / "meta/stats.json").unlink()
    repair(Store.open(root))
    images = np.concatenate([[picture(e, f, 1) for f in range(n)] for e, n in enumerate(LENGTHS)]) / 255
    stored = opened(lerobot, root).meta.stats[CAMERAS[1]]
    for name, value in (
        ("mean", images.mean((0, 1, 2))),
        ("std", images.std((0, 1, 2))),
        ("max", images.max((0, 1, 2))),
    ):
        assert np.allclose(np.ravel(stored[name]), value, rtol=0, atol=1e-9), name


def test_recomputing_and_deleting_brings_stale_statistics_back_and_repair_ends_it(
    lerobot: ModuleType, streamed: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(streamed, tmp_path / "set"))
    path = root / "data/chunk-000/file-000.parquet"
    set_column(path, "action", lambda old: [[10 * value for value in row] for row in old])
    true = 10 * max(float(driven(e, LENGTHS[e])["action"].max()) for e in (0, 2))
    lerobot.recompute_stats(opened(lerobot, root))
    assert any("meta/episodes is stale for action" in what for what in named(root))

    lerobot.delete_episodes(opened(lerobot, root), [1], output_dir=tmp_path / "stale", repo_id="studio/stale")
    assert opened(lerobot, tmp_path / "stale").meta.stats["action"]["max"].max() < 0.2 * true
    found = named(tmp_path / "stale")
    assert any(what.startswith("error statistics: stats.json is stale for action") for what in found)

    repair(Store.open(root))
    lerobot.delete_episodes(opened(lerobot, root), [1], output_dir=tmp_path / "right", repo_id="studio/right")
    assert opened(lerobot, tmp_path / "right").meta.stats["action"]["max"].max() == pytest.approx(true, rel=1e-6)
    assert not any("action" in what and "stale" in what for what in named(tmp_path / "right"))


def test_merging_two_ways_of_recording_is_named(
    lerobot: ModuleType, streamed: Path, sampled: Path, tmp_path: Path
) -> None:
    both = [opened(lerobot, root) for root in (streamed, sampled)]
    lerobot.merge_datasets(both, "studio/merged", output_dir=tmp_path / "merged")
    found = named(tmp_path / "merged")
    assert any("count pixels" in what for what in found)
    assert any(what.startswith("warning statistics: stats.json is stale for") and "index" in what for what in found)
    assert not any(what.startswith("error") for what in found), found
    repair(Store.open(tmp_path / "merged"))
    assert named(tmp_path / "merged") == []
    assert len(opened(lerobot, tmp_path / "merged")) == sum(LENGTHS) + sum(OTHERS)


def test_deleting_from_a_dataset_of_the_studio_is_named(lerobot: ModuleType, clean: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(clean, tmp_path / "set"))
    lerobot.delete_episodes(opened(lerobot, root), [1], output_dir=tmp_path / "less", repo_id="studio/less")
    shutil.copytree(root / "meta/studio", tmp_path / "less/meta/studio")
    assert any("lost what the studio knew" in what for what in named(tmp_path / "less"))


@pytest.mark.parametrize("killed", range(5))
def test_every_state_of_an_interrupted_repair_opens(
    lerobot: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: int
) -> None:
    """Statistics are also missing from the first episodes' file, so that the columns of the files differ meanwhile."""
    from curation import restat
    from tests.curation.checks.plants import drop_columns
    from tests.curation.tiny import Killed

    root = record(tmp_path / "set", episodes=3, length=lambda episode: 8, physics=False).root
    for episode in (0, 1, 2):
        drop_columns(record_of(root, episode), "stats/action")
    done, real = iter(range(100)), restat.write_aside

    def write(path: Path, data: bytes) -> None:
        if next(done) == killed:
            raise Killed
        real(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(restat, "write_aside", write)
        if killed < 4:
            with pytest.raises(Killed):
                repair(Store.open(root))
        else:
            repair(Store.open(root))
    assert len(opened(lerobot, root)) == 24
    repair(Store.open(root))
    store = Store.open(root)
    assert differences(store, restate(store)) == []
    assert len(opened(lerobot, root)) == 24
