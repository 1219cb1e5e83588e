"""Every difference between datasets is named before they are merged, with the edit that reconciles it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.apply import apply
from curation.columns import Convert, Gripper, Rename
from curation.encodings import reencoding
from curation.errors import DataError, UnknownChoice, UsageError
from curation.plan import Columns, Drop, begin, edited
from curation.preflight import Disagreement, Kind, differences, require_agreement
from curation.store import Store
from tests.curation.making import make_ours, make_packed
from tests.curation.tiny import CAMERAS


@pytest.fixture
def first(tmp_path: Path) -> Store:
    return make_ours(tmp_path / "first", [4], ["pick"])


def change_info(store: Store, **changes: Any) -> Store:
    path = store.root / "meta/info.json"
    info = json.loads(path.read_text())
    for key, value in changes.items():
        info[key] = value(info[key]) if callable(value) else value
    path.write_text(json.dumps(info))
    return Store.open(store.root)


def other_codec(features: dict[str, Any]) -> dict[str, Any]:
    for feature in features.values():
        if feature["dtype"] == "video":
            feature["info"]["video.codec"] = "av1"
    return features


def other_names(features: dict[str, Any]) -> dict[str, Any]:
    features["action"]["names"] = features["action"]["names"][::-1]
    return features


def found(*stores: Store) -> dict[Kind, str]:
    told: dict[Kind, str] = {}
    for d in differences(begin(stores), stores):
        told[d.kind] = f"{told.get(d.kind, '')}{'!' if d.blocks else '?'} {d}\n"
    return told


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"fps": 50}, "fps", "50 frames a second, 30 before"),
        ({"features": other_codec}, "encoding", "--reencode"),
        ({"features": other_names}, "features", "gripper.pos, wrist_roll.pos"),
        ({"robot_type": "koch"}, "robot", "koch, so_follower before"),
    ],
)
def test_a_difference_is_named_with_its_mend(
    first: Store, tmp_path: Path, change: dict[str, Any], kind: Kind, words: str
) -> None:
    other = change_info(make_packed(tmp_path / "other", [[4]], ["pick"]), **change)
    assert words in found(first, other)[kind]
    with pytest.raises(Disagreement, match="do not fit together"):
        apply(begin([first, other]), tmp_path / "result", tell=lambda *_: None)
    assert not (tmp_path / "result").exists()


def test_cameras_of_another_name_are_named(first: Store, tmp_path: Path) -> None:
    wrist = Rename("observation.images.wrist_cam", "observation.images.wrist")
    apply(edited(begin([first]), Columns(wrist)), tmp_path / "other", tell=lambda *_: None)
    other = Store.open(tmp_path / "other")
    told = [str(d) for d in differences(begin([first, other]), [first, other]) if d.kind == "features"]
    assert "--rename observation.images.wrist:observation.images.wrist_cam" in told[0]
    back = Columns(Rename("observation.images.wrist", "observation.images.wrist_cam"), 1)
    require_agreement(edited(begin([first, other]), back), [first, other])


def test_units_are_told_apart_and_reconciled(first: Store, tmp_path: Path) -> None:
    grip = edited(begin([first]), Columns(Gripper("0..100", "0..1")))
    apply(grip, tmp_path / "one", tell=lambda *_: None)
    turned = edited(begin([first]), Columns(Convert("degrees", "radians")))
    apply(turned, tmp_path / "radians", tell=lambda *_: None)
    one, radians = Store.open(tmp_path / "one"), Store.open(tmp_path / "radians")
    assert json.loads((one.root / "meta/studio/units.json").read_text()) == {"body": "degrees", "gripper": "0..1"}
    plan = begin([first, one, radians])
    told = [str(d) for d in differences(plan, [first, one, radians]) if d.kind == "units"]
    assert told == [
        "units: one: gripper in 0..1, 0..100 before. Convert with --gripper 0..1:0..100",
        "units: radians: body joints in radians, degrees before. Convert with --units radians:degrees",
    ]
    plan = edited(edited(plan, Columns(Gripper("0..1", "0..100"), 1)), Columns(Convert("radians", "degrees"), 2))
    require_agreement(plan, [first, one, radians])
    with pytest.raises(UsageError, match=r"gripper is in 0\.\.100, so it cannot be converted from 0\.\.1"):
        differences(edited(begin([first]), Columns(Gripper("0..1", "0..100"))), [first])


def test_units_of_others_are_seen_in_their_numbers(first: Store, tmp_path: Path) -> None:
    apply(edited(begin([first]), Columns(Gripper("0..100", "0..1"))), tmp_path / "one", tell=lambda *_: None)
    for name in ("units.json", "scene.json"):
        (tmp_path / "one/meta/studio" / name).unlink()
    assert "gripper in 0..1, 0..100 before" in found(first, Store.open(tmp_path / "one"))["units"]


def test_scenes_may_differ_only_when_that_is_said(first: Store, tmp_path: Path) -> None:
    other = make_ours(tmp_path / "other", [4], ["pick"], scene="two")
    assert "look two instead of one" in found(first, other)["scene"]
    plan = begin([first, other])
    with pytest.raises(Disagreement, match="--allow scene"):
        require_agreement(plan, [first, other])
    with pytest.raises(UnknownChoice, match="difference to allow"):
        require_agreement(plan, [first, other], ["fps"])
    apply(plan, tmp_path / "both", tell=lambda *_: None, allow=["scene"])
    both = Store.open(tmp_path / "both")
    # Nobody can take the one scene for that of all episodes.
    assert [card["fingerprint"] for card in both.scene["scenes"]] == ["one", "two"]
    with pytest.raises(UsageError, match="scene"):
        both.require_scene()


def test_an_unknown_scene_is_told_but_refuses_nothing(first: Store, tmp_path: Path) -> None:
    other = make_packed(tmp_path / "other", [[4]], ["pick"])
    assert "nobody knows in which scene" in found(first, other)["scene"]
    require_agreement(begin([first, other]), [first, other])


def test_tasks_that_say_the_same_are_told(first: Store, tmp_path: Path) -> None:
    other = make_ours(tmp_path / "other", [4], ["Pick. "])
    assert '--relabel "Pick. :pick"' in found(first, other)["tasks"]
    plan = begin([first, other])
    with pytest.raises(Disagreement, match="--allow tasks"):
        require_agreement(plan, [first, other])
    require_agreement(plan, [first, other], ["tasks"])
    # Within one dataset it was so before: told, and nothing more.
    alone = make_ours(tmp_path / "alone", [4, 4], ["Pick. ", "pick"])
    assert found(alone)["tasks"].startswith("?")


def test_episodes_that_two_datasets_hold_are_taken_once(first: Store, tmp_path: Path) -> None:
    apply(begin([first]), tmp_path / "copy", tell=lambda *_: None)
    copy = Store.open(tmp_path / "copy")
    plan = begin([first, copy])
    assert "1 of its episodes are in a dataset before it" in found(first, copy)["duplicates"]
    with pytest.raises(Disagreement, match="--duplicates first"):
        apply(plan, tmp_path / "result", tell=lambda *_: None)
    once = edited(plan, Drop(((1, first.rows()[0].episode_id),)))
    require_agreement(once, [first, copy])


def test_videos_of_another_codec_are_encoded_anew(first: Store, tmp_path: Path) -> None:
    other = make_packed(tmp_path / "other", [[4, 4]], ["pick", "pick"])
    change_info(other, features=other_codec)
    stores = [first, Store.open(other.root)]
    edit = reencoding(begin(stores), stores, 1)
    assert [camera for camera, _ in edit.cameras] == list(CAMERAS)
    plan = edited(begin(stores), edit)
    done = apply(plan, tmp_path / "result", tell=lambda *_: None)
    assert done.videos == {"copied": 2, "encoded": 4}
    assert 30 < done.least_psnr < 100


def test_a_source_that_changed_since_the_recipe_is_refused(first: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not what the recipe was made for"):
        apply(begin([first]), tmp_path / "result", tell=lambda *_: None, expected=["0" * 64])
    assert not (tmp_path / "result").exists()


def test_a_damaged_source_is_named_and_nothing_is_written(first: Store, tmp_path: Path) -> None:
    video = next(iter(first.episode(0).videos.values()))
    good = video.read_bytes()
    video.write_bytes(good[: len(good) // 2])
    with pytest.raises(DataError, match=video.name):
        apply(begin([first]), tmp_path / "result", tell=lambda *_: None)
    video.unlink()
    with pytest.raises(DataError, match=video.name):
        apply(begin([first]), tmp_path / "result", tell=lambda *_: None)
    assert not list(tmp_path.glob("*result*"))


def test_a_feature_that_cannot_be_written_is_named(first: Store) -> None:
    def with_text(features: dict[str, Any]) -> dict[str, Any]:
        return {**features, "language": {"dtype": "string", "shape": [1], "names": None}}

    store = change_info(first, features=with_text)
    assert "--drop-feature language" in found(store)["features"]


def test_changes_that_do_not_fit_are_refused(first: Store) -> None:
    for change, words in (
        (Rename("nobody", "new"), "Unknown feature 'nobody'"),
        (Rename("action", "observation.state"), "is taken"),
        (Rename("action", "a/b"), "has a '/'"),
    ):
        with pytest.raises(UsageError, match=words):
            differences(edited(begin([first]), Columns(change)), [first])


def test_provenance_names_parents_and_edits(first: Store, tmp_path: Path) -> None:
    from curation.provenance import read_provenance, tree

    plan = edited(begin([first]), Columns(Rename("observation.images.wrist_cam", "observation.images.hand")))
    apply(plan, tmp_path / "one", tell=lambda *_: None)
    apply(begin([Store.open(tmp_path / "one")]), tmp_path / "two", tell=lambda *_: None)
    story = read_provenance(tmp_path / "two")
    assert story["parents"][0]["provenance"]["parents"][0]["name"] == "first"
    lines = tree("two", story)
    assert [line.split()[0] for line in lines] == ["two", "one", "first"]
    assert "rename" in lines[1]
    # Renaming twice gives the same dataset: only the date is another.
    apply(plan, tmp_path / "again", tell=lambda *_: None)
    one, again = read_provenance(tmp_path / "one"), read_provenance(tmp_path / "again")
    assert {**one, "when": ""} == {**again, "when": ""}


def test_agreement_of_one_dataset_is_no_question(first: Store) -> None:
    plan = begin([first])
    assert differences(plan, [first]) == []
    assert differences(replace(plan, clips=()), [first]) == []
