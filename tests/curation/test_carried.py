"""What others put into a dataset stays through an edit, or is named: tasks of frames, columns, splits, files."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from curation.apply import Applied, apply
from curation.arrays import read_arrays, write_arrays
from curation.checks import check_folder
from curation.columns import Gripper
from curation.diff import diff
from curation.errors import DataError, UnknownChoice
from curation.fingerprint import fingerprint
from curation.hub.card import card
from curation.inspect import inspect
from curation.library import entries
from curation.plan import Columns, Cut, Drop, Keep, Plan, Relabel, Trim, begin, edited
from curation.store import Store
from tests.curation.making import make_ours, make_packed, truth_of


@pytest.fixture
def several(tmp_path: Path) -> Store:
    """Episodes whose frames have one, two and three instructions."""
    return make_packed(tmp_path / "several", [[4, 6], [6]], ["reach", ("reach", "grasp"), ("a", "b", "c")])


def write(plan: Plan, to: Path, **options: Any) -> tuple[Store, Applied]:
    done = apply(plan, to, tell=lambda *_: None, **options)
    return Store.open(to), done


def tasks(store: Store) -> list[list[str]]:
    return [truth.tasks for truth in truth_of(store).values()]


def change_info(store: Store, **changes: Any) -> Store:
    path = store.root / "meta/info.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return Store.open(store.root)


def test_every_frame_keeps_its_instruction(lerobot: ModuleType, several: Store, tmp_path: Path) -> None:
    plan = edited(begin([several]), Drop(((0, "episode-000000"),)))
    plan = edited(edited(plan, Trim((0, "episode-000001"), 1, 5)), Cut((0, "episode-000002"), (4,)))
    result, _ = write(plan, tmp_path / "result")
    assert tasks(result) == [["grasp", "reach", "grasp", "reach"], ["a", "b", "c", "a"], ["b", "c"]]
    assert [episode.tasks for episode in result.episodes] == [("grasp", "reach"), ("a", "b", "c"), ("b", "c")]
    opened = lerobot.LeRobotDataset("test/result", root=result.root, video_backend="pyav")
    assert [opened[n]["task"] for n in range(10)] == [task for part in tasks(result) for task in part]


def test_people_are_told_every_instruction(several: Store, tmp_path: Path) -> None:
    assert [entry.tasks for entry in entries(several.root)] == [("reach",), ("reach", "grasp"), ("a", "b", "c")]
    assert [episode.task for episode in inspect(several).episodes] == ["reach", "reach; grasp", "a; b; c"]
    text = card(several, "me/several", "mit", (), release="v3.0.0")
    assert [line.split(" | ")[:2] for line in text.splitlines() if line.startswith("| ") and " minutes " in line] == [
        ["| reach", "1"], ["| reach; grasp", "1"], ["| a; b; c", "1"]
    ]  # fmt: skip
    said = edited(begin([several]), Relabel("lift", "grasp", ((0, "episode-000001"),)))
    result, _ = write(said, tmp_path / "result")
    found = diff(several, result)
    assert found.facts["tasks"] == ("a, b, c, grasp, reach", "a, b, c, lift, reach")
    assert [one.what for one in found.changed] == [("task 'reach, grasp' became 'reach, lift'",)]


def test_arrays_hold_the_instruction_of_every_step(several: Store, tmp_path: Path) -> None:
    write_arrays(several, tmp_path / "arrays", tell=lambda *_: None)
    found = list(read_arrays(tmp_path / "arrays"))
    assert [one.tasks for one in found] == tasks(several)
    with np.load(tmp_path / "arrays/episode_000000/steps.npz") as steps:
        assert steps["language_instruction"].shape == ()


def test_relabelling_takes_the_frames_it_names(several: Store, tmp_path: Path) -> None:
    plan = edited(begin([several]), Relabel("close", old="grasp"))
    assert tasks(write(plan, tmp_path / "one")[0])[:2] == [["reach"] * 4, ["reach", "close"] * 3]
    whole = edited(edited(plan, Relabel("sort", episodes=((0, "episode-000001"),))), Relabel("b", old="a"))
    assert tasks(write(whole, tmp_path / "two")[0])[1:] == [["sort"] * 6, ["b", "b", "c"] * 2]
    with pytest.raises(UnknownChoice, match="task"):
        edited(plan, Relabel("x", old="grasp"))


def test_two_datasets_with_other_instructions_in_between_differ(tmp_path: Path, several: Store) -> None:
    before = fingerprint(several)
    path = several.episode(1).data
    table = pq.read_table(path)
    turned = table["task_index"].to_pylist()
    turned[4:6] = turned[5:3:-1]
    pq.write_table(table.set_column(table.schema.get_field_index("task_index"), "task_index", [turned]), path)
    assert fingerprint(Store.open(several.root)) != before


def test_rows_that_say_another_task_than_their_episode_are_named(tmp_path: Path) -> None:
    store = make_packed(tmp_path / "torn", [[4], [4]], ["pick", "place"])
    path = store.episode(0).data
    table = pq.read_table(path)
    table = table.set_column(table.schema.get_field_index("task_index"), "task_index", [[1] * 4])
    pq.write_table(table, path)
    with pytest.raises(DataError, match=r"episode 0: its frames name task 1 \(place\), its row says pick"):
        write(begin([Store.open(store.root)]), tmp_path / "result")
    mended = edited(begin([Store.open(store.root)]), Relabel("pick it", episodes=((0, "episode-000000"),)))
    assert tasks(write(mended, tmp_path / "result")[0]) == [["pick it"] * 4, ["place"] * 4]


def test_columns_of_others_stay_with_whole_episodes(lerobot: ModuleType, tmp_path: Path) -> None:
    others = {"grade": ["a", "b", "c"], "votes": [[1, 2], [3], None], "cost": [0.5, None, 2.0]}
    one = make_packed(tmp_path / "one", [[4, 4], [4]], ["pick"] * 3, others=others)
    two = make_ours(tmp_path / "two", [4], ["pick"])
    plan = edited(begin([one, two]), Drop(((0, "episode-000001"),)))
    result, done = write(edited(plan, Trim((0, "episode-000002"), 0, 3)), tmp_path / "result")
    assert [episode.others for episode in result.episodes] == [
        {"grade": "a", "votes": [1, 2], "cost": 0.5},
        {"grade": None, "votes": None, "cost": None},
        {"grade": None, "votes": None, "cost": None},
    ]
    assert any("cost, grade of 1 episodes of one" in words for words in done.lost)
    # They go on from there, too.
    again, done = write(begin([result]), tmp_path / "again")
    assert [e.others for e in again.episodes] == [e.others for e in result.episodes]
    assert not done.lost
    opened = lerobot.LeRobotDataset("test/again", root=again.root, video_backend="pyav")
    assert [opened.meta.episodes[n]["grade"] for n in range(3)] == ["a", None, None]


def test_columns_of_one_name_and_two_types_are_named(tmp_path: Path) -> None:
    one = make_packed(tmp_path / "one", [[4]], ["pick"], others={"grade": ["a"]})
    two = make_packed(tmp_path / "two", [[4]], ["pick"], others={"grade": [1]})
    result, done = write(begin([one, two]), tmp_path / "result")
    assert [episode.others for episode in result.episodes] == [{}, {}]
    assert "column grade is not carried: it is int64 in two, string before" in done.lost[0]


@pytest.mark.parametrize(
    ("left", "splits"),
    [
        ((0, 1, 2, 3), {"train": "0:3", "val": "3:4"}),
        ((1, 3), {"train": "0:1", "val": "1:2"}),
        ((0, 1), {"train": "0:2"}),
    ],
)
def test_splits_follow_their_episodes(tmp_path: Path, left: tuple[int, ...], splits: dict[str, str]) -> None:
    store = make_packed(tmp_path / "one", [[4] * 4], ["pick"] * 4)
    store = change_info(store, splits={"train": "0:3", "val": "3:4"})
    plan = edited(begin([store]), Keep(tuple((0, f"episode-{n:06d}") for n in left)))
    result, done = write(plan, tmp_path / "result")
    assert (result.info["splits"], done.lost) == (splits, ())


def test_splits_that_are_torn_by_a_merge_are_named(tmp_path: Path) -> None:
    stores = [make_packed(tmp_path / name, [[4] * 2], ["pick"] * 2) for name in ("one", "two")]
    stores = [change_info(store, splits={"train": "0:1", "val": "1:2"}) for store in stores]
    result, done = write(begin(stores), tmp_path / "result")
    assert result.info["splits"] == {"train": "0:4"}
    assert "the episodes of train, val do not follow each other" in done.lost[0]


def test_splits_that_were_wrong_before_are_not_carried(tmp_path: Path) -> None:
    store = make_packed(tmp_path / "one", [[4] * 3], ["pick"] * 3)
    for said in ({"train": "0:2"}, {"train": "0:2", "val": "2:9"}, {"train": "0:1", "val": "2:3"}):
        result, done = write(begin([change_info(store, splits=said)]), tmp_path / f"{len(list(tmp_path.iterdir()))}")
        assert result.info["splits"] == {"train": "0:3"}
        assert [("not hold all" in words) for words in done.lost] == [True] * (len(said) > 1)
        assert any("split" in one.what for one in check_folder(store.root))
        assert not any("split" in one.what for one in check_folder(result.root))
    result, _ = write(begin([change_info(store, splits={"train": "0:2", "val": "2:3"})]), tmp_path / "right")
    assert not any("split" in one.what for one in check_folder(result.root))


def test_words_of_info_stay_where_all_say_them(tmp_path: Path) -> None:
    one = change_info(make_packed(tmp_path / "one", [[4]], ["pick"]), license="mit", lab="here", tools=None)
    two = change_info(make_packed(tmp_path / "two", [[4]], ["pick"]), license="mit", arm=7)
    result, done = write(begin([one, two]), tmp_path / "result")
    assert result.info["license"] == "mit"
    assert not {"lab", "arm"} & result.info.keys()
    assert [words.split("'s")[0] for words in done.lost] == ["lab of one", "arm of two"]
    assert write(begin([one]), tmp_path / "alone")[0].info["lab"] == "here"


def test_unknown_files_stay_where_nothing_changes_that_they_could_speak_of(tmp_path: Path) -> None:
    store = make_packed(tmp_path / "one", [[4, 4]], ["pick"] * 2)
    (store.root / "meta/labels").mkdir()
    (store.root / "meta/labels/boxes.json").write_text("[1]")
    (store.root / "progress.parquet").write_bytes(b"?")
    (store.root / "README.md").write_text("words")
    result, done = write(edited(begin([store]), Relabel("put")), tmp_path / "result")
    assert (result.root / "meta/labels/boxes.json").read_text() == "[1]"
    assert (result.root / "progress.parquet").exists()
    assert (done.lost, (result.root / "README.md").exists()) == ((), False)
    for edit in (
        Drop(((0, "episode-000000"),)),
        Trim((0, "episode-000000"), 0, 3),
        Columns(Gripper("0..100", "0..1")),
    ):
        result, done = write(edited(begin([store]), edit), tmp_path / type(edit).__name__)
        assert not (result.root / "meta/labels").exists()
        assert "meta/labels/boxes.json, progress.parquet of one is not carried" in done.lost[0]
