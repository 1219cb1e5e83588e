"""A store says what was put into it, refuses what does not fit, and survives interruptions."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curation import layout
from curation import store as store_module
from curation.atomic import ASIDE, write_aside
from curation.errors import (
    CannotWrite,
    DataError,
    NoScene,
    NotADataset,
    TargetExists,
    UnknownChoice,
    UnreadableVideo,
    UsageError,
)
from curation.fingerprint import fingerprint
from curation.frames import Feature
from curation.instructions import said_by
from curation.rows import Rows
from curation.store import StagedEpisode, Store, stage
from curation.video import Encoding
from tests.curation.tiny import CAMERAS, FEATURES, Killed, kill_at, numbers

Stage = Callable[..., StagedEpisode]


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_what_went_in_comes_out(new_store: Store, make_stage: Stage) -> None:
    staged = [make_stage(episode, task="other" if episode == 1 else "pick") for episode in range(3)]
    rows = [episode.row for episode in staged]
    assert [new_store.commit(episode) for episode in staged] == [0, 1, 2]
    for store in (new_store, Store.open(new_store.root)):
        assert store.rows() == rows
        assert (store.total_episodes, store.total_frames, store.tasks) == (3, 24, ["pick", "other"])
        assert (store.fps, store.robot_type, store.scene) == (30, "so_follower", {"block": "cube"})
        assert store.features == FEATURES
        assert store.encoding == Encoding()
        assert store.episode("id-1") == store.episode(1)
        assert store.episode(1).task == "other"
        assert store.episode(2).start == 16
        assert store.episode(2).frames.read_bytes() == b"opaque 2"
        for key, values in numbers(2, 8).items():
            assert np.array_equal(store.numeric(2)[key], values)
    assert not any(episode.folder.exists() for episode in staged)


def test_every_frame_may_have_its_own_instruction(new_store: Store, make_stage: Stage) -> None:
    said = ("reach",) * 3 + ("pick",) + ("reach",) * 4
    new_store.commit(make_stage(0))
    staged = replace(make_stage(1), task="reach", tasks=said)
    with pytest.raises(DataError, match="8 frames and an instruction for 7"):
        new_store.commit(replace(staged, tasks=said[1:]))
    new_store.commit(staged)
    store = Store.open(new_store.root)
    assert store.tasks == ["pick", "reach"]
    assert store.episode(1).tasks == ("reach", "pick")
    assert tuple(said_by(store, store.episode(1), Rows(store).of(store.episode(1))["task_index"])) == said


def test_a_stage_keeps_the_instruction_of_every_frame(make_stage: Stage) -> None:
    staged = make_stage(0)
    more = stage(
        staged.folder, row=staged.row, task="pick", numeric=staged.numeric(), images=staged.images, tasks=["a", "b"] * 4
    )
    for one in (more, StagedEpisode.load(staged.folder)):
        assert one.said == ("a", "b") * 4
    assert staged.said == ("pick",) * 8


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ({"train": "0:2", "val": "2:3"}, {"train": "0:2", "val": "2:4"}),
        ({"val": "0:1", "train": "1:3"}, {"val": "0:1", "train": "1:4"}),
        ({"all": "0:3", "none": "3:3"}, {"all": "0:4", "none": "3:3"}),
        ({"train": "0:3"}, {"train": "0:4"}),
        ({"train": "0:2", "val": "2:9"}, {"train": "0:4"}),  # nobody knows what was meant
        ({}, {"train": "0:4"}),
    ],
)
def test_what_was_held_out_stays_so_when_episodes_are_added(
    new_store: Store, make_stage: Stage, said: dict[str, str], after: dict[str, str]
) -> None:
    for episode in range(3):
        new_store.commit(make_stage(episode))
    path = new_store.root / layout.INFO
    path.write_text(json.dumps({**json.loads(path.read_text()), "splits": said}))
    store = Store.open(new_store.root)
    store.commit(make_stage(3))
    assert Store.open(new_store.root).info["splits"] == after


def test_an_unknown_episode_is_named(new_store: Store, make_stage: Stage) -> None:
    new_store.commit(make_stage(0))
    with pytest.raises(UnknownChoice, match="Did you mean id-0"):
        new_store.episode("id-9")
    with pytest.raises(UnknownChoice, match="0 to 0"):
        new_store.episode(1)


def test_the_same_episode_is_saved_once(new_store: Store, make_stage: Stage) -> None:
    assert new_store.commit(make_stage(0)) == 0
    before = tree(new_store.root)
    again = make_stage(0)
    assert Store.open(new_store.root).commit(again) == 0
    assert tree(new_store.root) == before
    assert not again.folder.exists()


def test_two_stores_append_in_turn(new_store: Store, make_stage: Stage) -> None:
    other = Store.open(new_store.root)
    assert new_store.commit(make_stage(0)) == 0
    assert other.commit(make_stage(1)) == 1
    assert new_store.commit(make_stage(2)) == 2
    assert fingerprint(new_store.root) == fingerprint(new_store.root)
    stats = json.loads((new_store.root / "meta/stats.json").read_text())
    assert stats["index"]["max"] == [23]
    assert stats[CAMERAS[0]]["count"] == [24]


def test_a_resumed_session_writes_the_same_dataset(tmp_path: Path, new_store: Store, make_stage: Stage) -> None:
    for episode in range(3):
        new_store.commit(make_stage(episode))
    resumed = Store.create(
        tmp_path / "again", fps=30, features=FEATURES, robot_type="so_follower", scene={}, encoding=Encoding()
    )
    for episode in range(3):
        assert Store.open(resumed.root).commit(make_stage(episode)) == episode
    opened = Store.open(resumed.root)
    for again, saved in zip(opened.episodes, new_store.episodes, strict=True):
        # All but videos: x264 does not always give the same images the same stream.
        assert again.row == saved.row
        assert (again.tasks, again.length) == (saved.tasks, saved.length)
        for key, values in opened.numeric(again.index).items():
            assert np.array_equal(values, new_store.numeric(saved.index)[key]), key
    one, other = (json.loads((root / "meta/stats.json").read_text()) for root in (resumed.root, new_store.root))
    for key, values in one.items():
        for name, value in values.items():
            assert np.allclose(value, other[key][name], rtol=1e-12), (key, name)


def test_create_refuses_what_exists(new_store: Store, tmp_path: Path) -> None:
    arguments = {"fps": 30, "features": FEATURES, "robot_type": "r", "scene": {}, "encoding": Encoding()}
    with pytest.raises(TargetExists):
        Store.create(new_store.root, **arguments)
    (tmp_path / "empty/meta/studio").mkdir(parents=True)
    assert Store.create(tmp_path / "empty", **arguments).total_episodes == 0
    with pytest.raises(UsageError, match="'a/b'"):
        Store.create(tmp_path / "bad", **{**arguments, "features": {"a/b": Feature("float32", (1,), ())}})


def test_open_says_what_is_wrong(tmp_path: Path, new_store: Store, make_stage: Stage) -> None:
    with pytest.raises(NotADataset, match="no such folder"):
        Store.open(tmp_path / "nowhere")
    with pytest.raises(NotADataset, match=r"info\.json"):
        Store.open(tmp_path)
    new_store.commit(make_stage(0))
    rows = next((new_store.root / "meta/episodes").rglob("*.parquet"))
    rows.write_bytes(rows.read_bytes()[:-20])
    with pytest.raises(DataError, match=rows.name):
        Store.open(new_store.root)
    (new_store.root / "meta/info.json").write_text("{")
    with pytest.raises(NotADataset, match="damaged"):
        Store.open(new_store.root)


def test_what_does_not_fit_is_refused_and_nothing_written(new_store: Store, make_stage: Stage) -> None:
    new_store.commit(make_stage(0))
    before = tree(new_store.root)

    short = make_stage(1)
    video = short.video(CAMERAS[1])
    video.write_bytes(make_stage(2, length=7).video(CAMERAS[1]).read_bytes())
    with pytest.raises(DataError, match=r"id-1.*wrist_cam: frames is 7, 8"):
        new_store.commit(short)

    cut = make_stage(3)
    cut.video(CAMERAS[0]).write_bytes(cut.video(CAMERAS[0]).read_bytes()[:-200])
    with pytest.raises(UnreadableVideo, match="overhead_cam"):
        new_store.commit(cut)

    values = numbers(4, 8)
    values["action"][3, 5] = np.nan
    wrong = make_stage(4)
    wrong = stage(wrong.folder, row=wrong.row, task="pick", numeric=values, images=wrong.images)
    with pytest.raises(DataError, match=r"id-4, action is nan at frame 3, gripper\.pos"):
        new_store.commit(wrong)

    missing = make_stage(5)
    missing = stage(
        missing.folder,
        row=missing.row,
        task="pick",
        numeric={"action": values["action"]},
        images=missing.images,
    )
    with pytest.raises(DataError, match=r"missing \['observation.state'\]"):
        new_store.commit(missing)
    assert tree(new_store.root) == before


def test_an_incomplete_stage_is_none(make_stage: Stage) -> None:
    staged = make_stage(0)
    assert StagedEpisode.load(staged.folder).row == staged.row
    (staged.folder / "episode.json").unlink()
    with pytest.raises(DataError, match="no complete staged episode"):
        StagedEpisode.load(staged.folder)
    with pytest.raises(DataError, match="cannot name a file"):
        replace(staged.row, episode_id="../x")


@pytest.mark.parametrize("step", range(9))
def test_a_kill_at_any_step_is_undone(
    new_store: Store, make_stage: Stage, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    new_store.commit(make_stage(0))
    before, whole, staged = tree(new_store.root), fingerprint(new_store.root), make_stage(1, task="other")
    with monkeypatch.context() as patch:
        kill_at(patch, step)
        with pytest.raises(Killed):
            new_store.commit(staged)
    killed = tree(new_store.root)
    assert Store.open(new_store.root).rows() == [new_store.episode(0).row]
    assert fingerprint(new_store.root) == whole
    assert tree(new_store.root) == killed  # a reader changes nothing: the writer may be at work
    store = Store.open(new_store.root, writing=True)
    assert store.rows() == [new_store.episode(0).row]
    assert tree(store.root) == before
    assert store.commit(StagedEpisode.load(staged.folder)) == 1
    assert Store.open(store.root).tasks == ["pick", "other"]


def test_a_full_disk_loses_nothing(new_store: Store, make_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    new_store.commit(make_stage(0))
    before, staged = tree(new_store.root), make_stage(1)

    def full(path: Path, data: bytes) -> None:
        raise CannotWrite(path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "write_aside", full)
        with pytest.raises(CannotWrite, match="No space left"):
            new_store.commit(staged)
    assert tree(new_store.root) == before
    assert new_store.commit(staged) == 1


def test_files_that_no_commit_left_are_not_removed(new_store: Store, make_stage: Stage) -> None:
    for episode in range(3):
        new_store.commit(make_stage(episode))
    info = new_store.root / "meta/info.json"
    old = {**json.loads(info.read_text()), "total_episodes": 1, "total_frames": 8}
    info.write_text(json.dumps(old))
    before = tree(new_store.root)
    with pytest.raises(DataError, match="restore info"):
        Store.open(new_store.root, writing=True)
    with pytest.raises(DataError, match="restore info"):
        Store.open(new_store.root).commit(make_stage(4))
    assert tree(new_store.root) == before


def test_a_rollback_leaves_alone_what_others_are_writing(new_store: Store, make_stage: Stage) -> None:
    new_store.commit(make_stage(0))
    others = [new_store.root / layout.TAKES / f"a.jsonl{ASIDE}", new_store.root / layout.TRASH / f"b.jsonl{ASIDE}"]
    own = new_store.root / layout.FRAMES / f"id-1.parquet{ASIDE}"
    for path in (*others, own):
        write_aside(path, b"half")
    Store.open(new_store.root, writing=True)
    assert [path.exists() for path in (*others, own)] == [True, True, False]


def test_a_dataset_that_cannot_be_locked_is_read_but_not_written(new_store: Store, make_stage: Stage) -> None:
    lock = new_store.root / layout.COMMIT_LOCK
    lock.mkdir()
    assert Store.open(new_store.root).total_episodes == 0
    with pytest.raises(CannotWrite, match=r"commit\.lock"):
        Store.open(new_store.root, writing=True)
    staged = make_stage(0)
    with pytest.raises(CannotWrite, match=r"commit\.lock"):
        new_store.commit(staged)
    assert StagedEpisode.load(staged.folder).row == staged.row


def test_a_scene_is_required_by_those_who_draw(new_store: Store, tmp_path: Path) -> None:
    with pytest.raises(NoScene, match=r"has no meta/studio/scene\.json"):
        new_store.require_scene()
    ours = Store.create(
        tmp_path / "ours",
        fps=30,
        features=FEATURES,
        robot_type="r",
        scene={"scene": {"block": "cube"}},
        encoding=Encoding(),
    )
    assert ours.require_scene() == {"scene": {"block": "cube"}}
