"""What datasets must share before they are one: meaning of the state, units, every camera, scenes, and no copies."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from curation import layout
from curation.apply import apply
from curation.columns import Convert, Gripper
from curation.difference import Difference
from curation.encodings import codec_and_size, encoding_differences, reencoding
from curation.fingerprint import fingerprint
from curation.meaning import units_of
from curation.notes import Note, add_notes, read_notes
from curation.plan import Columns, Keep, begin, edited
from curation.preflight import Disagreement, differences, require_agreement
from curation.splice import Stretch, splice
from curation.store import Store
from curation.twins import once, once_words
from curation.video import Encoding, check_video
from tests.curation.making import make_ours, make_packed
from tests.curation.tiny import CAMERAS

Numbers = NDArray[np.float32]
LONG = 40


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One episode long enough to see how the state follows."""
    return make_ours(tmp_path_factory.mktemp("agreement") / "long", [LONG], ["pick"])


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_packed(tmp_path_factory.mktemp("agreement") / "packed", [[4, 4]], ["pick", "pick"])


def copied(store: Store, to: Path) -> Store:
    shutil.copytree(store.root, to)
    return Store.open(to)


def with_numbers(store: Store, to: Path, change: Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]) -> Store:
    """A copy with other action and state, and other ids, so that no episode is in both."""
    shutil.copytree(store.root, to)
    for path in to.glob("data/*/*.parquet"):
        table = pq.read_table(path)
        action, state = (np.array(table[key].to_pylist(), np.float32) for key in ("action", "observation.state"))
        for key, values in zip(("action", "observation.state"), change(action, state), strict=True):
            place = table.column_names.index(key)
            table = table.set_column(
                place, table.schema.field(key), pa.array(list(values), table.schema.field(key).type)
            )
        pq.write_table(table, path)
    for path in to.glob("meta/episodes/*/*.parquet"):
        table = pq.read_table(path)
        place = table.column_names.index("studio/episode_id")
        ids = pa.array([f"{name}-{to.name}" for name in table["studio/episode_id"].to_pylist()])
        pq.write_table(table.set_column(place, table.schema.field(place), ids), path)
    return Store.open(to)


def told(*stores: Store, kind: str) -> list[Difference]:
    return [difference for difference in differences(begin(stores), stores) if difference.kind == kind]


def delayed(frames: int) -> Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]:
    return lambda action, _: (action, np.concatenate([action[:1].repeat(frames, 0), action[:-frames]]))


def test_a_state_that_is_no_joints_is_not_merged_with_one_that_is(long: Store, tmp_path: Path) -> None:
    def other(action: Numbers, _: Numbers) -> tuple[Numbers, Numbers]:
        rng = np.random.default_rng(5)
        return action, rng.normal(size=action.shape).astype(np.float32)

    follows = with_numbers(long, tmp_path / "follows", delayed(2))
    block = with_numbers(long, tmp_path / "block", other)
    [found] = told(follows, block, kind="state")
    assert found.blocks
    assert "does not follow the action" in found.what
    assert "--drop-feature observation.state" in found.mend
    stores = [follows, block]
    with pytest.raises(Disagreement, match="--allow state"):
        require_agreement(begin(stores), stores)
    require_agreement(begin(stores), stores, ["state"])


def test_a_state_that_is_the_action_is_told_from_one_that_was_measured(long: Store, tmp_path: Path) -> None:
    follows = with_numbers(long, tmp_path / "follows", delayed(2))
    same = with_numbers(long, tmp_path / "same", lambda action, _: (action, action))
    at_once = with_numbers(long, tmp_path / "at-once", lambda action, _: (action, action + np.float32(0.5)))
    later = with_numbers(long, tmp_path / "later", delayed(3))
    assert [d.blocks for d in told(follows, same, kind="state")] == [True]
    assert "is the action over again" in told(follows, same, kind="state")[0].what
    [found] = told(follows, at_once, kind="state")
    assert (found.blocks, found.what) == (False, "its state follows the action by 0 frames, by 2 before")
    assert not told(follows, later, kind="state")
    assert not told(same, kind="state")


def test_ranges_that_are_no_one_unit_are_named_though_both_say_degrees(long: Store, tmp_path: Path) -> None:
    radians = with_numbers(long, tmp_path / "radians", lambda *both: tuple(np.radians(v) for v in both))  # type: ignore[arg-type,return-value]
    [found] = told(long, radians, kind="state")
    assert found.blocks
    assert "that is not one unit" in found.what


def test_units_that_nobody_named_are_asked_for(long: Store, packed: Store) -> None:
    [found] = told(long, packed, kind="units")
    assert not found.blocks
    assert found.dataset == "packed"
    assert "cannot be known" in found.what
    assert "or -100..100" in found.what
    assert "--units=degrees and --gripper=0..100" in found.mend
    assert not told(packed, kind="units")
    stores = [long, packed]
    said = edited(
        edited(begin(stores), Columns(Convert("degrees", "degrees"), 1)), Columns(Gripper("0..100", "0..100"), 1)
    )
    assert not [d for d in differences(said, stores) if d.kind == "units"]


def test_each_camera_is_compared_and_only_the_one_that_differs_is_encoded_anew(packed: Store, tmp_path: Path) -> None:
    first, other = make_ours(tmp_path / "first", [4], ["pick"]), copied(packed, tmp_path / "other")
    # The second camera is really in another codec, as its info.json says.
    info = json.loads((other.root / layout.INFO).read_text())
    info["features"][CAMERAS[1]]["info"]["video.codec"] = "mpeg4"
    (other.root / layout.INFO).write_text(json.dumps(info))
    for path in {episode.videos[CAMERAS[1]] for episode in other.episodes}:
        shutil.move(path, tmp_path / "old.mp4")
        wanted = Encoding(codec="mpeg4", gop=2)
        splice(Stretch(tmp_path / "old.mp4", 0, 8, alone=True), path, fps=30, encoding=wanted, encode=True)
        assert codec_and_size(path) == ("mpeg4", 64, 48)
    stores = [first, Store.open(other.root)]
    [found] = [d for d in differences(begin(stores), stores) if d.kind == "encoding"]
    assert "wrist_cam in mpeg4" in found.what
    edit = reencoding(begin(stores), stores, 1)
    assert [(camera, to.codec) for camera, to in edit.cameras] == [(CAMERAS[1], "h264")]
    done = apply(edited(begin(stores), edit), tmp_path / "both", tell=lambda *_: None)
    assert done.videos["encoded"] == 2
    made = Store.open(tmp_path / "both")
    assert {check_video(path).codec for episode in made.episodes for path in episode.videos.values()} == {"h264"}


def test_videos_that_are_not_what_info_says_are_named(packed: Store, tmp_path: Path) -> None:
    lying = copied(packed, tmp_path / "lying")
    info = json.loads((lying.root / layout.INFO).read_text())
    info["features"][CAMERAS[0]]["info"]["video.codec"] = "av1"
    info["features"][CAMERAS[1]]["shape"] = [96, 128, 3]
    (lying.root / layout.INFO).write_text(json.dumps(info))
    store = Store.open(lying.root)
    codec, size = encoding_differences(begin([store]), [store], ["lying"])
    assert "overhead_cam are in h264, its info.json says av1" in codec.what
    assert told(store, kind="features")[0] == replace(size, dataset=store.root.name)
    assert "of 64x48 pixels, its info.json says 128x96" in size.what
    # What a tool calls by its encoder is no lie.
    info["features"][CAMERAS[0]]["info"]["video.codec"] = "libx264"
    (lying.root / layout.INFO).write_text(json.dumps(info))
    assert not told(Store.open(lying.root), kind="encoding")


def test_a_scene_is_compared_with_all_before_it(packed: Store, tmp_path: Path) -> None:
    one, two = (make_ours(tmp_path / name, [4], ["pick"], scene=name) for name in ("one", "two"))
    # The first dataset says nothing of its scene; the other two differ all the same.
    stores = [packed, one, two]
    found = [d for d in differences(begin(stores), stores) if d.kind == "scene"]
    assert [(d.dataset, d.blocks) for d in found] == [("one", False), ("two", True)]
    apply(begin(stores), tmp_path / "three", tell=lambda *_: None, allow=["scene"])
    three = Store.open(tmp_path / "three")
    ids = [row.episode_id for row in three.rows()]
    assert three.scene["episodes"] == {ids[2]: "one", ids[3]: "two"}
    # Merged again, with one more: a flat list, and no scene twice.
    third = make_ours(tmp_path / "third", [4], ["pick"], scene="third")
    stores = [three, third]
    assert [d.blocks for d in differences(begin(stores), stores) if d.kind == "scene"] == [True]
    apply(begin(stores), tmp_path / "four", tell=lambda *_: None, allow=["scene"])
    four = Store.open(tmp_path / "four")
    assert [card["fingerprint"] for card in four.scene["scenes"]] == ["one", "two", "third"]
    assert sorted(four.scene["episodes"].values()) == ["one", "third", "two"]
    # What is left of one scene is of one scene again.
    apply(edited(begin([four]), Keep(((0, ids[2]),))), tmp_path / "rest", tell=lambda *_: None)
    assert Store.open(tmp_path / "rest").require_scene()["fingerprint"] == "one"


def test_copies_among_datasets_of_others_are_found_before_anything_is_written(packed: Store, tmp_path: Path) -> None:
    again = copied(packed, tmp_path / "again")
    apply(begin([packed]), tmp_path / "edited", tell=lambda *_: None)
    mine = Store.open(tmp_path / "edited")
    for stores in ([packed, again], [packed, mine], [mine, packed]):
        plan = begin(stores)
        [found] = [d for d in differences(plan, stores) if d.kind == "duplicates"]
        assert found.blocks
        assert "2 of its episodes are in a dataset before it" in found.what
        edit = once(plan, stores)
        assert edit is not None
        require_agreement(edited(plan, edit), stores)
        assert len(edited(plan, edit).clips) == 2


def test_copies_in_another_form_are_told(long: Store, tmp_path: Path) -> None:
    from curation.plan import Trim

    name = long.rows()[0].episode_id
    apply(edited(begin([long]), Trim((0, name), 5, 30)), tmp_path / "short", tell=lambda *_: None)
    short = Store.open(tmp_path / "short")
    [found] = told(long, short, kind="duplicates")
    assert (found.blocks, found.what[:1]) == (False, "1")
    assert "show some frames" in found.what


def test_notes_of_a_copy_stay_and_what_was_decided_is_named(tmp_path: Path) -> None:
    first = make_ours(tmp_path / "first", [4, 4], ["pick", "pick"])
    copy = copied(first, tmp_path / "copy")
    ids = [row.episode_id for row in first.rows()]
    add_notes(first.root, [Note(ids[0], "score", 0.2, "a", "2026-11-01T00:00:00+00:00")])
    add_notes(
        copy.root,
        [Note(ids[0], "comment", "slips", "b"), Note(ids[0], "score", 0.9, "b"), Note(ids[1], "mask", True, "b")],
    )
    for path in copy.root.glob("meta/episodes/*/*.parquet"):
        table = pq.read_table(path)
        place = table.column_names.index("tasks")
        pq.write_table(table.set_column(place, table.schema.field(place), pa.array([["place"]] * len(table))), path)
    stores = [first, Store.open(copy.root)]
    plan = begin(stores, with_masked=True)
    told_of = next(d.what for d in differences(plan, stores) if d.kind == "duplicates")
    assert "with another task ('place', 'pick' before)" in told_of
    edit = once(plan, stores)
    assert edit is not None
    plan = edited(plan, edit)
    assert list(once_words(plan, stores, ["first", "copy"])) == [
        f"episode {n} of copy is episode {n} of first: task 'pick' stays, 'place' goes" for n in (0, 1)
    ]
    apply(plan, tmp_path / "both", tell=lambda *_: None)
    notes = [(note.episode_id, note.kind, note.value) for note in read_notes(tmp_path / "both")]
    # The later score is the last word, and nobody put the first dataset's episode into the trash.
    assert notes == [(ids[0], "score", 0.2), (ids[0], "comment", "slips"), (ids[0], "score", 0.9)]


def test_datasets_of_one_folder_name_are_told_apart(packed: Store, tmp_path: Path) -> None:
    stores = [copied(packed, tmp_path / place / "set") for place in ("a", "b")]
    found = [d for d in differences(begin(stores), stores) if d.kind == "units"]
    assert [d.dataset for d in found] == [str(tmp_path / place / "set") for place in ("a", "b")]
    assert [d.parent for d in found] == [0, 1]


def test_what_was_hashed_is_hashed_again_once_it_was_written_to(packed: Store, tmp_path: Path) -> None:
    store = copied(packed, tmp_path / "copy")
    before = fingerprint(store)
    assert before == fingerprint(packed)
    path = store.episodes[0].videos[CAMERAS[0]]
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert fingerprint(store) != before
    assert units_of(store)[1] is False
