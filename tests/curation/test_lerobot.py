"""LeRobot itself opens, reads and merges what the store writes, also after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from curation.fingerprint import fingerprint
from curation.store import StagedEpisode, Store
from tests.curation.tiny import CAMERAS, FEATURES, FPS, Killed, kill_at, numbers, picture

Stage = Callable[..., StagedEpisode]

# Its own warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


def opened(lerobot: ModuleType, root: Path, **chosen: Any) -> Any:
    return lerobot.LeRobotDataset("studio/test", root=root, video_backend="pyav", **chosen)


def check_items(dataset: Any, episodes: list[int], length: int = 8) -> None:
    assert len(dataset) == length * len(episodes)
    for index in range(len(dataset)):
        item, episode, frame = dataset[index], episodes[index // length], index % length
        assert np.array_equal(item["action"], numbers(episode, length)["action"][frame])
        for number, camera in enumerate(CAMERAS):
            shown = item[camera].numpy().transpose(1, 2, 0) * 255
            assert np.abs(shown - picture(episode, frame, number)).mean() < 4, (index, camera)


def test_items_and_rows(lerobot: ModuleType, new_store: Store, make_stage: Stage) -> None:
    for episode in range(3):
        new_store.commit(make_stage(episode, task="other" if episode == 1 else "pick"))
    dataset = opened(lerobot, new_store.root)
    check_items(dataset, [0, 1, 2])
    assert [dataset[i]["task"] for i in (0, 8, 16)] == ["pick", "other", "pick"]
    rows = dataset.meta.episodes
    assert rows["studio/episode_id"] == ["id-0", "id-1", "id-2"]
    assert rows["studio/success"] == [True, False, True]
    chosen = opened(lerobot, new_store.root, episode_filter=lambda e: e["studio/success"])
    assert chosen.num_episodes == 2


def test_statistics_are_lerobots(lerobot: ModuleType, new_store: Store, make_stage: Stage) -> None:
    from lerobot.datasets.compute_stats import get_feature_stats

    for episode in range(3):
        new_store.commit(make_stage(episode))
    ours = opened(lerobot, new_store.root).meta.stats
    for key in ("action", "observation.state"):
        values = np.concatenate([numbers(episode, 8)[key] for episode in range(3)])
        theirs = get_feature_stats(values.astype(np.float64), axis=0, keepdims=False)
        for name, value in theirs.items():
            tolerance = 1e-12 if name in ("min", "max", "mean", "std", "count") else 0.5
            assert np.allclose(ours[key][name], value, atol=tolerance), (key, name)
    for number, camera in enumerate(CAMERAS):
        images = np.stack([picture(e, f, number) for e in range(3) for f in range(8)]).transpose(0, 3, 1, 2)
        theirs = get_feature_stats(images, axis=(0, 2, 3), keepdims=True)
        for name in ("min", "max", "mean", "std", "q10", "q90"):
            assert ours[camera][name].shape == (3, 1, 1)
            assert np.allclose(ours[camera][name], theirs[name][0] / 255, atol=0.02), name
    for key, top in (("index", 23), ("episode_index", 2), ("frame_index", 7), ("task_index", 0)):
        assert ours[key]["max"].tolist() == [top]


@pytest.fixture
def recorded(lerobot: ModuleType, tmp_path: Path) -> Any:
    """Episodes 5 and 6, written by LeRobot's own recorder."""
    from lerobot.configs import RGBEncoderConfig

    features = {key: {"dtype": f.dtype, "shape": f.shape, "names": list(f.names)} for key, f in FEATURES.items()}
    dataset = lerobot.LeRobotDataset.create(
        "studio/theirs",
        fps=FPS,
        features=features,
        root=tmp_path / "theirs",
        robot_type="so_follower",
        streaming_encoding=True,
        rgb_encoder=RGBEncoderConfig(vcodec="h264", preset="veryfast", crf=18, g=2),
    )
    for episode in (5, 6):
        values = numbers(episode, 8)
        for frame in range(8):
            images = {camera: picture(episode, frame, number) for number, camera in enumerate(CAMERAS)}
            dataset.add_frame({key: v[frame] for key, v in values.items()} | images | {"task": "pick"})
        dataset.save_episode()
    dataset.finalize()
    return opened(lerobot, tmp_path / "theirs")


def test_info_and_schemas_are_lerobots(recorded: Any, new_store: Store, make_stage: Stage) -> None:
    import pyarrow.parquet as pq

    new_store.commit(make_stage(0))
    ours, theirs = (json.loads((root / "meta/info.json").read_text()) for root in (new_store.root, recorded.root))
    assert ours["features"] == theirs["features"]
    assert list(ours) == list(theirs)
    name = "data/chunk-000/file-000.parquet"
    schemas = [pq.read_schema(root / name) for root in (new_store.root, recorded.root)]
    assert schemas[0].equals(schemas[1])
    features = [json.loads(schema.metadata[b"huggingface"])["info"]["features"] for schema in schemas]
    assert features[0] == features[1]
    name = "meta/episodes/chunk-000/file-000.parquet"
    columns = [{f.name: f.type for f in pq.read_schema(root / name)} for root in (new_store.root, recorded.root)]
    assert {k: t for k, t in columns[0].items() if not k.startswith("studio/")} == columns[1]


@pytest.mark.parametrize("ours_first", [True, False])
def test_merges_with_a_recorded_set(
    lerobot: ModuleType, recorded: Any, new_store: Store, make_stage: Stage, tmp_path: Path, ours_first: bool
) -> None:
    for episode in range(2):
        new_store.commit(make_stage(episode))
    both = [opened(lerobot, new_store.root), recorded][:: 1 if ours_first else -1]
    order = [0, 1, 5, 6] if ours_first else [5, 6, 0, 1]
    merged = lerobot.merge_datasets(both, "studio/merged", output_dir=tmp_path / "merged")
    check_items(merged, order)
    store = Store.open(tmp_path / "merged")
    known = [row.episode_id for row in store.rows()]
    assert [known[order.index(episode)] for episode in (0, 1)] == ["id-0", "id-1"]
    assert store.rows()[order.index(1)].seed == 1
    for place, episode in enumerate(order):
        assert np.array_equal(store.numeric(place)["action"], numbers(episode, 8)["action"])


@pytest.mark.parametrize("step", range(9))
def test_loads_after_a_kill_at_any_step(
    lerobot: ModuleType, new_store: Store, make_stage: Stage, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    for episode in range(2):
        new_store.commit(make_stage(episode))
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        with pytest.raises(Killed):
            new_store.commit(make_stage(2, task="other"))
    check_items(opened(lerobot, new_store.root), [0, 1])


def test_the_fingerprint_knows_content_from_notes(new_store: Store, make_stage: Stage) -> None:
    new_store.commit(make_stage(0))
    before = fingerprint(new_store.root)
    (new_store.root / "meta/studio/notes.jsonl").write_text("{}\n")
    assert fingerprint(new_store.root) == before
    new_store.commit(make_stage(1))
    assert fingerprint(new_store.root) != before
