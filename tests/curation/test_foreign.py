"""Datasets of older LeRobots are converted and proved; newer ones are only read; arrays read back what was written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation import foreign, layout
from curation.arrays import read_arrays, write_arrays
from curation.errors import DataError, NotADataset, TargetExists, UsageError
from curation.fingerprint import file_hashes
from curation.foreign import Converted, convert
from curation.notes import Note, add_notes
from curation.older import Older
from curation.provenance import read_provenance, tree
from curation.restat import differences, repair, restate
from curation.store import Store
from curation.video import Encoding, read_video
from studio.cli import run
from tests.curation.making import make_ours
from tests.curation.old import data_file, encode, make_old, video_file
from tests.curation.tiny import CAMERAS, numbers, picture

pytestmark = pytest.mark.filterwarnings("ignore")  # LeRobot's own warnings

LENGTHS, TASKS = [7, 8, 5, 9, 6], ["pick", "place", "pick", "stack", "pick"]


def silent(what: str, done: int, of: int) -> None: ...


def check_converted(lerobot: ModuleType, old: Path, new: Path, made: Converted, codec: str) -> None:
    assert (made.episodes, made.frames, made.images, made.statistics) == (5, 35, 70, "")
    store = Store.open(new)
    info = store.info["features"][CAMERAS[0]]["info"]
    assert (info["video.codec"], info["video.height"], info["video.pix_fmt"]) == (codec, 48, "yuv420p")
    assert "video_info" not in store.info["features"][CAMERAS[0]]
    for index, length in enumerate(LENGTHS):
        values = store.numeric(index)
        assert all(np.array_equal(values[key], own) for key, own in numbers(index, length).items())
        assert values["next.done"].ravel().tolist() == [False] * (length - 1) + [True]
        assert store.episode(index).task == TASKS[index]
        for camera, path in store.episode(index).videos.items():
            images = read_video(path, store.episode(index).video_starts[camera], length)
            for one, other in zip(images, read_video(video_file(old, index, camera)), strict=True):
                assert np.array_equal(one, other)
    assert not differences(store, restate(store, "all"))
    dataset = lerobot.LeRobotDataset("studio/old", root=new, video_backend="pyav")
    at = np.cumsum([0, *LENGTHS])
    for index in range(len(LENGTHS)):
        item = dataset[int(at[index]) + 3]
        assert (item["task"], int(item["episode_index"])) == (TASKS[index], index)
        shown = item[CAMERAS[1]].numpy().transpose(1, 2, 0) * 255
        assert np.abs(shown - picture(index, 3, 1)).mean() < 6


def test_v21_becomes_v30(lerobot: ModuleType, tmp_path: Path) -> None:
    old = make_old(tmp_path / "old", LENGTHS, TASKS)
    before = file_hashes(path for path in old.rglob("*") if path.is_file())
    with pytest.raises(NotADataset, match=f"older v2.1; studio convert {old} --to NEW"):
        Store.open(old)
    made = convert(old, tmp_path / "new", tell=silent)
    check_converted(lerobot, old, tmp_path / "new", made, "h264")
    lines = tree("new", read_provenance(tmp_path / "new"))
    assert "(convert from v2.1, " in lines[0]
    assert lines[1].startswith(f"  old  {len(LENGTHS)} episodes, {sum(LENGTHS)} frames")
    assert lines[1].endswith("(recorded by another tool)")
    assert file_hashes(path for path in old.rglob("*") if path.is_file()) == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "hf") == ["new", "old"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["data", "meta", "videos"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "encoding", "codec"),
    [
        ("v2.0", Encoding(preset="medium", gop=12, crf=23), "h264"),  # with frames that refer to later ones
        ("v2.1", Encoding(codec="libsvtav1", preset="12", crf=30), "av1"),
    ],
)
def test_other_old_ones(lerobot: ModuleType, tmp_path: Path, version: str, encoding: Encoding, codec: str) -> None:
    old = make_old(tmp_path / "old", LENGTHS, TASKS, version=version, encoding=encoding)
    made = convert(old, tmp_path / "new", tell=silent)
    assert made.version == version
    check_converted(lerobot, old, tmp_path / "new", made, codec)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return make_old(tmp_path / "old", [4, 5], ["pick", "place"])


def test_a_file_missing_or_too_many(old: Path, tmp_path: Path) -> None:
    stray = video_file(old, 3, CAMERAS[0])
    encode(stray, 3, 0, 4)
    with pytest.raises(DataError, match=r"episode_000003.mp4 belongs to no episode"):
        convert(old, tmp_path / "new", tell=silent)
    stray.unlink()
    data_file(old, 1).unlink()
    with pytest.raises(DataError, match=r"episode_000001.parquet is missing"):
        convert(old, tmp_path / "new", tell=silent)
    lines = (old / "meta/episodes.jsonl").read_text().splitlines()
    (old / "meta/episodes.jsonl").write_text(lines[0] + "\n" + lines[1].replace('index": 1', 'index": 2') + "\n")
    with pytest.raises(DataError, match="none numbered 1"):
        convert(old, tmp_path / "new", tell=silent)
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_converted(old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_ours(tmp_path / "ours", [4], ["pick"])
    assert run(["convert", str(tmp_path / "ours"), "--to", str(tmp_path / "new")]) == 2
    assert "is a LeRobot v3.0 dataset already" in capsys.readouterr().err
    info = json.loads((old / "meta/info.json").read_text())
    (old / "meta/info.json").write_text(json.dumps({**info, "codebase_version": "v1.6"}))
    with pytest.raises(UsageError, match=r"v1\.6; v2\.0 and v2\.1 can be converted"):
        Older(old)
    assert run(["convert", str(old)]) == 2
    assert "--arrays DIR" in capsys.readouterr().err
    (tmp_path / "new").mkdir()
    with pytest.raises(TargetExists):
        convert(old, tmp_path / "new", tell=silent)


def converter(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Put another program in the place of LeRobot's; it finds the copy's path as `root`."""
    monkeypatch.setattr(foreign, "_CHILD", f"import sys, pathlib; root = pathlib.Path(sys.argv[1])\n{body}")


def test_a_converter_that_fails(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converter(monkeypatch, "raise ValueError('no such thing')")
    with pytest.raises(DataError, match=r"could not convert .*old: ValueError: no such thing"):
        convert(old, tmp_path / "new", tell=silent)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.fixture
def converted(old: Path) -> tuple[Older, Store]:
    """A v3.0 dataset with the same content, which tests then damage."""
    older = Older(old)
    new = old.with_name("v30")
    texts = ["pick", "place"]
    tables = [older.table(index) for index in range(2)]
    records = []
    for index, table in enumerate(tables):
        place = {"chunk_index": 0, "file_index": index}
        names = ["videos/" + camera for camera in CAMERAS]
        record = {
            "episode_index": index, "tasks": [texts[index]], "length": len(table),
            "dataset_from_index": 4 * index, "dataset_to_index": 4 * index + len(table),
            "data/chunk_index": 0, "data/file_index": 0, "meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0,
            **{f"{name}/{key}": value for name in names for key, value in place.items()},
            **{f"{name}/from_timestamp": 0.0 for name in names},
        }  # fmt: skip
        records.append(layout.episode_table(record, {}))
        for camera in CAMERAS:
            path = new / layout.VIDEO.format(video_key=camera, **place)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(video_file(old, index, camera), path)
    first = {"chunk_index": 0, "file_index": 0}
    for pattern, table in ((layout.DATA, pa.concat_tables(tables)), (layout.EPISODES, pa.concat_tables(records))):
        path = new / pattern.format(**first)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    (new / layout.TASKS).write_bytes(layout.parquet_bytes(layout.tasks_table(texts)))
    info = {**older.info, "codebase_version": "v3.0", "data_path": layout.DATA, "video_path": layout.VIDEO}
    (new / layout.INFO).write_bytes(layout.json_bytes(info))
    return older, Store.open(new)


def test_a_converter_that_changes_something(converted: tuple[Older, Store]) -> None:
    older, store = converted
    assert foreign.verify(older, store, silent) == 18
    path = store.episode(0).data
    whole = pq.read_table(path)
    number = whole.column_names.index("action")
    values = whole["action"].to_pylist()
    values[6][2] += 1e-6
    pq.write_table(whole.set_column(number, "action", pa.array(values, pa.list_(pa.float32()))), path)
    with pytest.raises(DataError, match="episode 1, action: the converter did not keep it"):
        foreign.verify(older, store, silent)
    pq.write_table(whole, path)
    (store.root / layout.TASKS).write_bytes(layout.parquet_bytes(layout.tasks_table(["place", "pick"])))
    with pytest.raises(DataError, match="episode 0: task 0 is another one"):
        foreign.verify(older, Store.open(store.root), silent)
    (store.root / layout.TASKS).write_bytes(layout.parquet_bytes(layout.tasks_table(["pick", "place"])))
    video = store.episode(1).videos[CAMERAS[1]]
    video.unlink()
    encode(video, 0, 1, 5)
    with pytest.raises(DataError, match=r"episode_000001.mp4, frame 0: the converted video shows something else"):
        foreign.verify(older, Store.open(store.root), silent)
    video.unlink()
    encode(video, 1, 1, 4)
    with pytest.raises(DataError):
        foreign.verify(older, Store.open(store.root), silent)


def test_a_newer_minor_version_is_only_read(tmp_path: Path) -> None:
    store = make_ours(tmp_path / "ours", [4, 5], ["pick", "place"])
    path = store.root / layout.INFO
    path.write_text(path.read_text().replace('"v3.0"', '"v3.1"'))
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    assert Store.open(store.root).total_frames == 9
    for change in (lambda: Store.open(store.root, writing=True), lambda: repair(Store.open(store.root))):
        with pytest.raises(UsageError, match=r"is of LeRobot v3\.1; this studio writes v3\.0 .* studio merge"):
            change()
    assert run(["record", "--to", str(store.root), "--resume", "-n", "1"]) == 2
    assert before == {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    assert run(["merge", str(store.root), "--to", str(tmp_path / "new"), "-y"]) == 0
    assert Store.open(tmp_path / "new", writing=True).info["codebase_version"] == "v3.0"


def test_arrays_read_back(tmp_path: Path) -> None:
    store = make_ours(tmp_path / "ours", [4, 6, 5], ["pick", "place", "pick"])
    add_notes(store.root, [Note(store.episode(1).row.episode_id, "mask", True, "person")])
    assert run(["convert", str(store.root), "--arrays", str(tmp_path / "arrays")]) == 0
    found = list(read_arrays(tmp_path / "arrays"))
    assert [one.episode_id for one in found] == [store.episode(index).row.episode_id for index in (0, 2)]
    for one, index in zip(found, (0, 2), strict=True):
        episode, values = store.episode(index), store.numeric(index)
        last = [False] * (episode.length - 1) + [True]
        assert one.task == "pick"
        assert np.array_equal(one.steps["observation/state"], values["observation.state"])
        assert np.array_equal(one.steps["action"], values["action"])
        assert one.steps["action"].dtype == np.float32
        assert one.steps["is_first"].tolist() == last[::-1]
        assert one.steps["is_last"].tolist() == one.steps["is_terminal"].tolist() == last
        assert np.allclose(one.steps["timestamp"], np.arange(episode.length) / 30)
        for name, camera in (("image", CAMERAS[0]), ("wrist_image", CAMERAS[1])):
            assert np.array_equal(one.images[name], np.stack(list(read_video(episode.videos[camera]))))
    described = json.loads((tmp_path / "arrays/dataset.json").read_text())
    assert described["cameras"] == {"image": CAMERAS[0], "wrist_image": CAMERAS[1]}
    assert described["fps"] == 30


def test_arrays_that_are_not_whole(tmp_path: Path) -> None:
    store = make_ours(tmp_path / "ours", [4], ["pick"])
    write_arrays(store, tmp_path / "arrays", tell=silent)
    np.save(tmp_path / "arrays/episode_000000/image.npy", np.zeros((3, 48, 64, 3), np.uint8))
    with pytest.raises(DataError, match="image: 3 steps, 4 are counted"):
        list(read_arrays(tmp_path / "arrays"))
    store.episode(0).videos[CAMERAS[0]].write_bytes(b"no video")
    with pytest.raises(DataError):
        write_arrays(store, tmp_path / "again", tell=silent)
    assert not (tmp_path / "again").exists()
