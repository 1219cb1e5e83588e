"""A recipe holds all that decides its result: what was in the trash, calibrations, encodings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curation.apply import apply
from curation.columns import Convert
from curation.encodings import reencoding
from curation.errors import UsageError
from curation.fingerprint import fingerprint
from curation.notes import Note, add_notes
from curation.plan import Columns, Once, Plan, Reencode, begin, digest, edited, result_ids
from curation.recipe import Recipe, read_recipe, write_recipe
from curation.store import Store
from curation.units import spans
from curation.video import Encoding
from tests.curation.making import make_ours
from tests.curation.tiny import CAMERAS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_ours(tmp_path / "a", [4, 4], ["pick", "pick"])


def through_a_file(plan: Plan, path: Path) -> Recipe:
    write_recipe(path, plan, ["mark"] * len(plan.parents), [])
    return read_recipe(path)


def test_what_is_put_into_the_trash_later_changes_nothing(store: Store, tmp_path: Path) -> None:
    first, second = (row.episode_id for row in store.rows())
    add_notes(store.root, [Note(first, "mask", True, "test")])
    path = tmp_path / "r.json"
    plan = begin([store])
    write_recipe(path, plan, [fingerprint(store)], [])
    add_notes(store.root, [Note(first, "mask", False, "test"), Note(second, "mask", True, "test")])
    read = read_recipe(path)
    assert (read.plan.clips, read.plan.left_out, read.plan.with_masked) == (plan.clips, ((0, first),), False)
    done = apply(read.plan, tmp_path / "made", tell=lambda *_: None, expected=read.fingerprints)
    assert [row.episode_id for row in Store.open(done.root).rows()] == [second]
    assert through_a_file(begin([store], with_masked=True), tmp_path / "all.json").plan.with_masked


def test_a_recipe_that_was_changed_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_recipe(path, begin([store]), ["mark"], [])
    whole = json.loads(path.read_text())
    changes: list[dict[str, Any]] = [
        {"left_out": [[0, store.rows()[0].episode_id]]},
        {"edits": [{"edit": "relabel", "task": "other", "old": None, "episodes": None}]},
        {"plan": "0" * 64},
    ]
    for change in changes:
        path.write_text(json.dumps({**whole, **change}))
        with pytest.raises(UsageError, match="does not make the plan that it was saved for"):
            read_recipe(path)
    path.write_text(json.dumps({**whole, "recipe": 1}))
    with pytest.raises(UsageError, match="version 1; 2 is known"):
        read_recipe(path)


def test_a_calibration_is_kept_by_what_it_says(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "arm.json"

    def calibrated(range_max: int) -> Plan:
        file.write_text(json.dumps({"shoulder_pan": {"range_min": 1000, "range_max": range_max, "drive_mode": 0}}))
        change = Convert("-100..100", "degrees", tuple(spans(str(file)).items()))
        return edited(begin([store]), Columns(change))

    plan, other = calibrated(3000), calibrated(2000)
    read = through_a_file(plan, tmp_path / "r.json").plan
    assert read == plan
    assert str(tmp_path / "arm.json") not in (tmp_path / "r.json").read_text()
    assert digest(plan, ["m"]) != digest(other, ["m"])
    assert not set(result_ids(plan, ["m"])) & set(result_ids(other, ["m"]))


def test_an_encoding_is_kept_and_makes_ids(store: Store, tmp_path: Path) -> None:
    plain = begin([store])
    coarse, fine = (edited(plain, Reencode(0, ((CAMERAS[0], Encoding(crf=crf)),))) for crf in (30, 18))
    assert through_a_file(coarse, tmp_path / "r.json").plan == coarse
    ids = [set(result_ids(plan, ["m"])) for plan in (plain, coarse, fine)]
    assert not ids[0] & ids[1]
    assert not ids[1] & ids[2]
    # Nothing differs from the first dataset, so nothing is encoded.
    assert reencoding(plain, [store], 0).cameras == ()


def test_copies_taken_once_are_taken_once_again(store: Store, tmp_path: Path) -> None:
    other = make_ours(tmp_path / "b", [4], ["pick"])
    stores = [store, other]
    pair = (1, other.rows()[0].episode_id), (0, store.rows()[0].episode_id)
    plan = edited(begin(stores), Once((pair,)))
    assert through_a_file(plan, tmp_path / "r.json").plan == plan
    assert [clip.parent for clip in plan.clips] == [0, 0]
