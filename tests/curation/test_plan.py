"""Plans: edits that name permanent ids and source frames, units, splits, phases."""

from __future__ import annotations

import json
import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from curation import splits
from curation.columns import Gripper, Rename
from curation.errors import DataError, UnknownChoice, UsageError
from curation.notes import Note, add_notes
from curation.phases import after_success, by_phase, require_phases, while_moving
from curation.plan import Clip, Columns, Cut, Drop, Edit, Keep, Plan, Relabel, Trim, begin, digest, edited, result_ids
from curation.recipe import read_recipe, write_recipe
from curation.results import resulting_row
from curation.store import Store
from curation.units import body_line, gripper_line, spans
from tests.curation.making import make_ours, make_packed


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_ours(tmp_path_factory.mktemp("plans") / "ours", [8, 6, 8], ["pick", "pick", "place"])


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_packed(tmp_path_factory.mktemp("plans") / "packed", [[4, 4], [4]], ["pick"] * 3)


def after(plan: Plan, *edits: Edit) -> Plan:
    for edit in edits:
        plan = edited(plan, edit)
    return plan


def test_a_plan_begins_with_everything_but_the_trash(ours: Store, packed: Store) -> None:
    plan = begin([ours, packed])
    assert [clip.length for clip in plan.clips] == [8, 6, 8, 4, 4, 4]
    assert plan.frames == 34
    assert not plan.left_out
    with pytest.raises(UsageError, match="once"):
        begin([ours, ours])


def test_masked_episodes_are_left_out_and_counted(tmp_path: Path) -> None:
    store = make_ours(tmp_path / "a", [4, 4], ["pick", "pick"])
    first = store.rows()[0].episode_id
    add_notes(store.root, [Note(first, "mask", True, "test")])
    plan = begin([store])
    assert [clip.episode_id for clip in plan.clips] == [store.rows()[1].episode_id]
    assert plan.left_out == ((0, first),)
    assert len(begin([store], with_masked=True).clips) == 2


def test_the_order_of_edits_does_not_matter(ours: Store) -> None:
    ids = [row.episode_id for row in ours.rows()]
    edits: list[Edit] = [
        Trim((0, ids[0]), 2, 7),
        Cut((0, ids[0]), (4,)),
        Relabel("sort", old=None, episodes=((0, ids[0]),)),
        Columns(Gripper("0..100", "0..1")),
    ]
    results = {(plan.clips, plan.parents) for order in permutations(edits) for plan in [after(begin([ours]), *order)]}
    assert len(results) == 1
    clips = results.pop()[0]
    gone: list[Edit] = [Drop(((0, ids[1]),)), Keep(((0, ids[1]), (0, ids[2]))), Trim((0, ids[1]), 1, 3), *edits[:2]]
    results = {after(begin([ours]), *order).clips for order in permutations(gone)}
    assert [clip.episode_id for clip in results.pop()] == [ids[2]]
    assert not results
    with pytest.raises(UsageError, match="cannot be trimmed"):
        after(begin([ours]), gone[0], Trim((0, ids[1]), 1, 9))
    assert [(c.start, c.stop, c.task) for c in clips[:2]] == [(2, 4, "sort"), (4, 7, "sort")]


def test_edits_that_make_no_sense_are_refused(ours: Store) -> None:
    plan, name = begin([ours]), ours.rows()[0].episode_id
    for edit, words in (
        (Trim((0, name), 3, 3), "cannot be trimmed to 3 to 3"),
        (Trim((0, name), 0, 9), "frames 0 to 8"),
        (Cut((0, name), (0,)), "cannot be cut at 0"),
        (Relabel(" "), "empty"),
        (Keep(((0, "nobody"),)), "Unknown episode"),
        (Drop(((1, name),)), "Unknown episode"),
        (Relabel("x", old="sorting"), "Unknown task"),
        (Columns(Rename("a", "b"), parent=3), "Unknown dataset"),
    ):
        with pytest.raises(UsageError, match=words):
            edited(plan, edit)


def test_ids_stay_with_frames_that_stay_and_change_with_them(ours: Store, packed: Store) -> None:
    plan = begin([ours, packed])
    ids = [row.episode_id for row in ours.rows()]
    marks = ["one", "two"]
    plain = result_ids(plan, marks)
    assert plain[:3] == ids
    # Ids of foreign episodes come from the dataset they are in.
    assert len(set(plain)) == 6
    assert result_ids(plan, ["one", "three"])[3:] != plain[3:]
    trimmed = after(plan, Trim((0, ids[0]), 1, 8))
    assert result_ids(trimmed, marks)[0] not in plain
    assert result_ids(trimmed, marks)[1:] == plain[1:]
    assert result_ids(after(plan, Relabel("other")), marks) == plain
    assert not set(result_ids(after(plan, Columns(Gripper("0..100", "0..1"))), marks)) & set(plain)
    assert digest(plan, marks) != digest(trimmed, marks) != digest(trimmed, ["one", "other"])


def test_a_recipe_makes_the_same_plan(ours: Store, tmp_path: Path) -> None:
    ids = [row.episode_id for row in ours.rows()]
    plan = after(
        begin([ours]),
        Keep(((0, ids[0]), (0, ids[2])), "outcome:success"),
        Drop(((0, ids[2]),)),
        Trim((0, ids[0]), 1, 7, "idle"),
        Cut((0, ids[0]), (3,)),
        Relabel("sort", "pick"),
        Columns(Rename("observation.images.wrist_cam", "observation.images.hand")),
        Columns(Gripper("0..100", "0..97"), 0),
    )
    path = tmp_path / "recipe.json"
    write_recipe(path, plan, ["mark"], ["scene"])
    read = read_recipe(path)
    assert read.fingerprints == ("mark",)
    assert read.allow == ("scene",)
    assert (read.plan.clips, read.plan.edits) == (plan.clips, plan.edits)
    assert digest(read.plan, ["mark"]) == digest(plan, ["mark"]) == json.loads(path.read_text())["plan"]
    with pytest.raises(UsageError, match="already exists"):
        write_recipe(path, plan, ["mark"], [])
    for broken in ("", "[]", '{"recipe": 2}', path.read_text().replace('"keep"', '"melt"')):
        path.write_text(broken)
        with pytest.raises(UsageError, match="recipe"):
            read_recipe(path)


@pytest.mark.parametrize(
    ("source", "target", "value", "expected"),
    [
        ("0..100", "0..1", 100.0, 1.0),
        ("0..97", "0..1", 97.0, 1.0),
        ("0..1", "0..100", 0.25, 25.0),
        ("0..97", "0..100", 48.5, 50.0),
        # The scene's own conversion: 0 is -10 degrees, 100 is 100 degrees.
        ("0..100", "radians", 0.0, math.radians(-10)),
        ("radians", "0..100", math.radians(100), 100.0),
    ],
)
def test_gripper_ranges(source: str, target: str, value: float, expected: float) -> None:
    factor, offset = gripper_line(source, target)
    assert factor * value + offset == pytest.approx(expected)
    back, shift = gripper_line(target, source)
    assert back * expected + shift == pytest.approx(value)


def test_body_units_need_a_calibration_where_they_are_shares(tmp_path: Path) -> None:
    assert body_line("degrees", "radians", None)[0] == pytest.approx(math.pi / 180)
    with pytest.raises(UsageError, match="--calibration"):
        body_line("-100..100", "degrees", None)
    # The simulated roll joint goes from -157.21 to 162.79 degrees.
    factor, offset = body_line("-100..100", "degrees", spans("so101")["wrist_roll"])
    assert (-100 * factor + offset, 100 * factor + offset) == pytest.approx((-157.21, 162.79))
    path = tmp_path / "arm.json"
    path.write_text(json.dumps({"shoulder_pan": {"range_min": 1000, "range_max": 3000, "drive_mode": 0}}))
    # As LeRobot: (value - middle) * 360 / 4095.
    assert spans(str(path))["shoulder_pan"][1] == pytest.approx(1000 * 360 / 4095)
    for broken in ("{}", "[1]", '{"a": {"range_min": 5, "range_max": 5}}'):
        path.write_text(broken)
        with pytest.raises(UsageError, match=r"arm\.json"):
            spans(str(path))


def test_a_gripper_that_was_in_another_range_is_not_converted() -> None:
    from curation.columns import changed_numbers
    from tests.curation.tiny import FEATURES

    numbers = {"action": np.full((3, 6), 60.0, np.float32)}
    with pytest.raises(DataError, match=r"60 to 60|6000"):
        changed_numbers(numbers, FEATURES, (Gripper("0..1", "0..100"),), success=False)


def test_splits_keep_together_what_belongs_together() -> None:
    groups = [f"place {n // 5}" for n in range(100)]
    strata = ["success" if n % 5 else "failure" for n in range(100)]
    parts = splits.split({"train": 0.8, "test": 0.2}, groups, ["all"] * 100, seed=3)
    assert {part: parts.count(part) for part in parts} == {"train": 80, "test": 20}
    assert all(len({parts[n] for n in range(100) if groups[n] == group}) == 1 for group in groups)
    assert parts == splits.split({"train": 0.8, "test": 0.2}, groups, ["all"] * 100, seed=3)
    assert parts != splits.split({"train": 0.8, "test": 0.2}, groups, ["all"] * 100, seed=4)
    alike = splits.split({"a": 1, "b": 1}, list(range(100)), strata, seed=0)
    failures = [part for part, stratum in zip(alike, strata, strict=True) if stratum == "failure"]
    assert failures.count("a") == failures.count("b") == 10
    with pytest.raises(UsageError, match="cannot be divided"):
        splits.split({"a": 1, "b": 1}, ["same"] * 10, ["all"] * 10, seed=0)
    with pytest.raises(UsageError, match="above 0"):
        splits.split({"a": 0}, ["same"], ["all"], seed=0)


def test_sittings_end_with_a_pause_and_with_the_dataset() -> None:
    times = ["2026-11-20T09:58:00", "2026-11-20T10:01:00", "2026-11-20T10:30:00", "", "2026-11-20T10:02:00", "now"]
    places = ["a", "a", "a", "a", "b", "a"]
    found = splits.sessions(times, places)
    # Across the full hour one sitting; after half an hour another, and in another dataset.
    assert [found.index(group) for group in found] == [0, 0, 2, 3, 4, 3]


def test_groups_keep_together_what_either_keeps_together() -> None:
    assert splits.together(["a", "a", "b", "c", "d"], [1, 2, 2, 3, 4]) == [0, 0, 0, 3, 4]


def test_frames_by_phase_success_and_motion(ours: Store) -> None:
    episode = ours.episode(0)
    assert by_phase(episode, "reach", "reach") == (0, 4)
    assert by_phase(episode, "transport", "transport") == (4, 8)
    with pytest.raises(UsageError, match="its phases are reach, transport"):
        by_phase(episode, "grasp", "release")
    with pytest.raises(UnknownChoice, match="phase"):
        require_phases("fly", "reach")
    # The judge spoke at frame 6 of 8, so that frame stays.
    assert after_success(episode, ours.fps, 0.0) == (0, 7)
    assert after_success(episode, ours.fps, 10.0) == (0, 8)
    still = np.zeros((20, 6), np.float32)
    still[8:12] = np.arange(4)[:, None]
    still[12:] = 3
    assert while_moving(still, 30, 0.0) == (8, 12)
    assert while_moving(still, 30, 0.1) == (5, 15)
    assert while_moving(np.zeros((5, 6), np.float32), 30, 0.0) == (0, 5)


@pytest.mark.parametrize(
    ("start", "stop", "outcome"),
    [(0, 8, "success"), (0, 7, "success"), (3, 7, "success"), (0, 5, ""), (7, 8, "")],
)
def test_an_outcome_stays_with_the_frames_it_speaks_of(ours: Store, start: int, stop: int, outcome: str) -> None:
    row = ours.rows()[0]
    made = resulting_row(row, Clip(0, row.episode_id, start, stop, 8, "pick"), "new", 30)
    assert (made.outcome, made.success) == (outcome, outcome == "success")
    if outcome and start:
        assert made.extra["success_s"] == pytest.approx(row.extra["success_s"] - start / 30)
