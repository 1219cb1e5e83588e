"""Faults that a plain look misses: rows nobody counts, numbers that are none, columns of another scale or name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.apply import apply
from curation.checks import Finding, check_folder
from curation.errors import StudioError
from curation.frames import JOINTS, Feature
from curation.notes import Note, add_notes
from curation.plan import begin
from curation.store import Store
from tests.curation.checks.arm import LENGTH, Numbers, driven, record
from tests.curation.checks.plants import FRONT, data, edit_json, record_of, set_column
from tests.curation.making import make_packed
from tests.curation.tiny import FEATURES, picture


def named(found: list[Finding], check: str, words: str) -> list[str]:
    return [one.level for one in found if one.check == check and words in one.what]


def surplus(root: Path, episode: int, *, front: bool, owner: int = 99) -> None:
    """Five rows more in a data file that counts, of an episode that does not."""
    path = data(root, episode)
    table = pq.read_table(path)
    more = table.slice(0, 5)
    place = more.column_names.index("episode_index")
    kind = more.schema.field(place)
    more = more.set_column(place, kind, pa.array([owner] * 5, kind.type))
    pq.write_table(pa.concat_tables([more, table] if front else [table, more]), path)


@pytest.mark.parametrize(("episode", "front", "owner"), [(3, False, 99), (1, True, 99), (2, True, 0)])
def test_rows_that_no_episode_counts_are_named_and_left_out(
    copy: Callable[[], Path], tmp_path: Path, episode: int, *, front: bool, owner: int
) -> None:
    root = copy()
    surplus(root, episode, front=front, owner=owner)
    found = check_folder(root)
    assert named(found, "counts", f"file-00{episode}.parquet holds 5 rows of episode {owner}") == ["error"]
    # LeRobot finds a frame by its place among all rows: those behind are another episode's.
    assert named(found, "index", "of all rows") == (["error"] if front else [])
    apply(begin([Store.open(root)]), tmp_path / "mended", tell=lambda *told: None)
    assert [one for one in check_folder(tmp_path / "mended") if one.level == "error"] == []


def test_data_files_in_another_order_than_their_episodes_are_named(copy: Callable[[], Path]) -> None:
    root = copy()
    for episode, other in ((1, 2), (2, 1)):
        set_column(record_of(root, episode), "data/file_index", lambda old, other=other: [other for _ in old])
    data(root, 1).rename(root / "aside")
    data(root, 2).rename(data(root, 1))
    (root / "aside").rename(data(root, 2))
    assert named(check_folder(root), "index", "its first row is number") == ["error"]


NAN = float("nan")


@pytest.mark.parametrize(("key", "name", "value"), [
    ("action", "mean", [NAN] * 6), ("observation.state", "std", [1.0] * 5 + [NAN]), ("action", "q01", [NAN] * 6),
    (FRONT, "mean", [[[NAN]]] * 3), ("index", "max", [float("inf")]), ("action", "min", [None] * 6),
])  # fmt: skip
def test_statistics_that_are_no_numbers_are_errors(copy: Callable[[], Path], key: str, name: str, value: Any) -> None:
    root = copy()
    edit_json(root / "meta/stats.json", lambda stats: stats[key].update({name: value}))
    found = check_folder(root)
    assert named(found, "statistics", f"no numbers: {key} {name}") == ["error"]
    assert not any("estimates" in one.what for one in found)


def test_an_episode_whose_statistics_are_no_numbers_is_an_error(copy: Callable[[], Path]) -> None:
    root = copy()
    set_column(record_of(root, 2), "stats/action/std", lambda old: [[NAN] * 6 for _ in old])
    (one,) = [one for one in check_folder(root) if "no numbers" in one.what]
    assert (one.level, one.episodes) == ("error", (2,))


POSE = {
    **FEATURES,
    "observation.state": Feature("float32", (6,), tuple(f"ee.{n}" for n in ("x", "y", "z", "a", "b", "c"))),
}


def in_metres(episode: int, numbers: Numbers, block: Any) -> Numbers:
    """Two columns in metres, beside others that are a thousand times as wide."""
    state, time = numbers["observation.state"].copy(), np.arange(len(numbers["action"]))
    state[:, 0], state[:, 1] = 0.25 + 0.015 * np.sin(time / 9), 0.015 * np.cos(time / 9)
    return {**numbers, "observation.state": state}


@pytest.fixture(scope="module")
def metres(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("pose") / "set", twist=in_metres, features=POSE, physics=False).root


@pytest.mark.parametrize(("change", "level", "words"), [
    (lambda s: s["mean"].__setitem__(0, s["mean"][0] - s["std"][0]), "error", "observation.state mean is 0.2"),
    (lambda s: s["std"].__setitem__(1, 2 * s["std"][1]), "error", "observation.state std is 0.02"),
    (lambda s: s["mean"].__setitem__(0, s["mean"][0] + 1e-4 * s["std"][0]), "note", "small differences"),
    (lambda s: s["q50"].__setitem__(0, s["q50"][0] + 0.01), "note", "q50 of observation.state are estimates"),
], ids=["mean", "std", "little", "quantile"])  # fmt: skip
def test_a_wrong_statistic_is_measured_by_its_own_column(
    metres: Path, tmp_path: Path, change: Callable[[Any], None], level: str, words: str
) -> None:
    root = Path(shutil.copytree(metres, tmp_path / "set"))
    edit_json(root / "meta/stats.json", lambda stats: change(stats["observation.state"]))
    found = [one for one in check_folder(root) if one.check == "statistics"]
    assert [(one.level, words in one.what) for one in found] == [(level, True)], found


# Joints by other names.


def faults(episode: int, numbers: Numbers, block: Any) -> Numbers:
    """Episode 1 jumps in a joint by half a turn, episode 2 stops to tell another, episode 3 is cut off."""
    action, state = numbers["action"].copy(), numbers["observation.state"].copy()
    if episode == 1:
        action[30:, 0] += 180
        state[31:, 0] += 180
    if episode == 2:
        state[20:, 2] = state[20, 2]
    return {"action": action, "observation.state": state}


def under(names: tuple[str, ...]) -> dict[str, Feature]:
    return {**FEATURES, "action": Feature("float32", (6,), names), "observation.state": Feature("float32", (6,), names)}


def test_joints_of_earlier_formats_are_known_by_their_names(tmp_path: Path) -> None:
    features = under(tuple(f"main_{name}" for name in JOINTS))
    found = check_folder(record(tmp_path / "set", twist=faults, physics=False, features=features).root)
    assert named(found, "wrap", "main_shoulder_pan") == ["error"]
    assert named(found, "stuck", "main_elbow_flex") == ["warning"]
    assert named(found, "scope", "") == []


def test_columns_of_any_name_are_held_against_themselves(tmp_path: Path) -> None:
    features = under(tuple(f"m{number}" for number in range(6)))

    def cut(episode: int, numbers: Numbers, block: Any) -> Numbers:
        twisted = faults(episode, numbers, block)
        return {
            key: np.column_stack([values[:, :4], np.minimum(values[:, 4:], -20.0)]) for key, values in twisted.items()
        }

    found = check_folder(record(tmp_path / "set", twist=cut, physics=False, features=features).root)
    assert named(found, "jumps", "m0 jumps by") == ["warning"]
    assert named(found, "stuck", "m2 stays the same") == ["warning"]
    assert named(found, "saturated", "m4 is exactly at one end") == ["warning"]
    assert named(found, "scope", "is named after no joint") == ["note"]
    clean = check_folder(record(tmp_path / "clean", physics=False, features=features).root)
    assert [one.check for one in clean if one.check != "sidecars"] == ["scope"]


def test_the_block_is_found_under_any_name(tmp_path: Path) -> None:
    def leak(episode: int, numbers: Numbers, block: Any) -> Numbers:
        state = numbers["observation.state"].copy()
        state[:, :2] = 300 * block[:, :2]
        return {**numbers, "observation.state": state}

    features = under(tuple(f"m{number}" for number in range(6)))
    found = check_folder(record(tmp_path / "set", twist=leak, features=features, episodes=6).root)
    assert named(found, "state", "m0, m1 follow the simulated block") == ["error"]


def test_the_block_beside_the_state_is_a_note(tmp_path: Path) -> None:
    features = {**FEATURES, "observation.environment_state": Feature("float32", (2,), ("u", "v"))}

    def beside(episode: int, numbers: Numbers, block: Any) -> Numbers:
        return {**numbers, "observation.environment_state": block[:, :2].astype(np.float32)}

    found = check_folder(record(tmp_path / "set", twist=beside, features=features).root)
    assert [(one.check, one.level) for one in found] == [("state", "note")]
    assert "observation.environment_state u, v follow the simulated block" in found[0].what


# Labels.


def untold(**more: Any) -> Callable[[int], dict[str, Any]]:
    return lambda episode: {"outcome": "", "success": False, **more}


def test_equal_lengths_without_an_outcome_are_timeouts(tmp_path: Path) -> None:
    every = check_folder(record(tmp_path / "every", row=untold(), length=lambda e: 20, physics=False).root)
    assert named(every, "timeouts", "episodes 0, 1, 2, 3 end at 0.6") == ["warning"]
    limit = untold(extra={"limit_frames": 30, "scene": "0123456789abcdef"})
    one = check_folder(record(tmp_path / "one", row=limit, length=lambda e: (20, 30, 20, 10)[e], physics=False).root)
    assert named(one, "timeouts", "episode 1 ends at 1 s, their limit") == ["warning"]


def test_an_episode_of_one_frame_is_too_short_and_no_start_in_the_goal(tmp_path: Path) -> None:
    found = check_folder(record(tmp_path / "set", length=lambda e: 1 if e == 2 else LENGTH).root)
    assert named(found, "short", "episode 2 has 1 frame") == ["warning"]
    assert named(found, "start in goal", "") == []


# Copies.


@pytest.mark.parametrize(("noise", "copied"), [(0.0, True), (0.02, True), (0.3, False)])
def test_check_and_the_filter_mean_the_same_by_a_copy(tmp_path: Path, noise: float, *, copied: bool) -> None:
    from studio.verbs.choose import Choose, choose

    def twin(episode: int, numbers: Numbers, block: Any) -> Numbers:
        if episode != 1:
            return numbers
        rng = np.random.default_rng(1)
        length = len(numbers["action"])
        return {
            k: (v[:length] + noise * rng.uniform(-1, 1, v[:length].shape)).astype(np.float32)
            for k, v in driven(0).items()
        }

    root = record(tmp_path / "set", twist=twin, physics=False).root
    assert named(check_folder(root), "duplicates", "episodes 0, 1") == (["warning"] if copied else [])
    chosen = choose(Choose(no_duplicates=True), [root])
    assert len(chosen.parts[0].kept) == (3 if copied else 4)
    add_notes(root, [Note("id-1", "mask", True, "me")])
    assert named(check_folder(root), "duplicates", "") == []


# Damaged, or out of reach.


@pytest.mark.parametrize("content", ["{bad", "[1]", '"scene"'])
def test_a_broken_scene_is_a_finding(copy: Callable[[], Path], content: str) -> None:
    root = copy()
    (root / "meta/studio/scene.json").write_text(content)
    assert named(check_folder(root), "scene", "scene.json") == ["error"]


def test_a_card_edited_on_the_hub_is_no_fault(copy: Callable[[], Path]) -> None:
    root = copy()
    (root / "meta/studio/hub.json").write_text('{"repo": "me/set", "commit": "aaaa", "tag": "v3.0"}')
    refs = {"main": "bbbb", "v3.0": "aaaa"}
    same = check_folder(root, refs=lambda repo: refs, trees=lambda repo, commit: {"data/x": "1"})
    assert [(one.level, one.check) for one in same] == [("note", "hub")]
    other = check_folder(root, refs=lambda repo: refs, trees=lambda repo, commit: {"data/x": commit})
    assert [(one.level, one.check) for one in other] == [("error", "hub")]

    def away(repo: str) -> dict[str, str]:
        raise StudioError("The Hub cannot be reached.")

    assert [(one.level, one.what) for one in check_folder(root, refs=away)] == [
        ("note", "the Hub was not asked about me/set: The Hub cannot be reached.")
    ]


# Cameras.


@pytest.mark.parametrize("deep", [False, True], ids=["quick", "deep"])
def test_a_camera_that_hangs_while_the_arm_moves_is_named(tmp_path: Path, *, deep: bool) -> None:
    def hangs(episode: int, frame: int, camera: int) -> Any:
        return picture(episode, 0 if (episode, camera) == (1, 1) else frame, camera)

    root = record(tmp_path / "set", image=hangs).root
    (found,) = [one for one in check_folder(root, deep=deep) if one.level != "note"]
    assert (found.check, found.level, found.episodes) == ("pictures", "warning", (1,))
    assert found.what.startswith("observation.images.wrist_cam ")


def test_a_camera_that_hangs_while_the_arm_rests_is_not(tmp_path: Path) -> None:
    def rests(episode: int, numbers: Numbers, block: Any) -> Numbers:
        return {key: values * 0.01 for key, values in numbers.items()}

    root = record(tmp_path / "set", image=lambda e, f, c: picture(e, 0, c), twist=rests, physics=False).root
    assert not any(one.check == "pictures" for deep in (False, True) for one in check_folder(root, deep=deep))


def test_a_picture_that_stands_still_for_a_second_in_the_middle_is_found_deeply(tmp_path: Path) -> None:
    def pauses(episode: int, frame: int, camera: int) -> Any:
        return picture(episode, min(frame, 15) if (episode, camera) == (2, 0) and frame < 50 else frame, camera)

    (found,) = [
        one for one in check_folder(record(tmp_path / "set", image=pauses).root, deep=True) if one.level != "note"
    ]
    assert "overhead_cam shows one picture for 1.2 s of episode 2" in found.what


@pytest.mark.parametrize("deep", [False, True], ids=["quick", "deep"])
def test_cameras_exchanged_in_an_episode_are_named(tmp_path: Path, *, deep: bool) -> None:
    root = record(tmp_path / "set", image=lambda e, f, c: picture(e, f, 1 - c if e == 1 else c)).root
    found = [one for one in check_folder(root, deep=deep) if one.level != "note"]
    assert [(one.check, one.level, one.episodes) for one in found] == [("pictures", "warning", (1,))] * 2
    assert "overhead_cam shows what observation.images.wrist_cam shows elsewhere in episode 1" in found[0].what


@pytest.mark.parametrize(("mean", "std", "found"), [(None, None, False), (0.9, None, True), (None, 0.6, True)])
def test_image_statistics_of_others_are_held_against_a_sample(
    tmp_path: Path, mean: float | None, std: float | None, *, found: bool
) -> None:
    root = make_packed(tmp_path / "set", [[40, 31], [20]], ["pick"] * 3).root
    for name, value in (("mean", mean), ("std", std)):
        if value is not None:
            edit_json(root / "meta/stats.json", lambda s, n=name, v=value: s[FRONT].update({n: [[[v]]] * 3}))
    told = [one for one in check_folder(root) if one.check == "statistics"]
    assert named(told, "statistics", f"stats.json is stale for {FRONT}") == (["error"] if found else [])
    assert named(told, "statistics", "image statistics of episodes 0, 1, 2 were not compared") == ["note"]
    assert named(check_folder(root, deep=True), "statistics", "not compared") == []


# State and action.


def crossed(*pairs: tuple[int, int]) -> Callable[[int, Numbers, Any], Numbers]:
    def twist(episode: int, numbers: Numbers, block: Any) -> Numbers:
        state = numbers["observation.state"].copy()
        for one, other in pairs:
            state[:, [one, other]] = state[:, [other, one]]
        return {**numbers, "observation.state": state}

    return twist


@pytest.mark.parametrize(("pairs", "words"), [
    ([(0, 4)], "shoulder_pan.pos moves as wrist_roll.pos is driven"),
    ([(1, 2)], "elbow_flex.pos moves as shoulder_lift.pos is driven"),
    ([(0, 1), (1, 2)], "elbow_flex.pos moves as shoulder_pan.pos is driven"),
])  # fmt: skip
def test_joints_exchanged_in_the_state_are_named(tmp_path: Path, pairs: list[tuple[int, int]], words: str) -> None:
    root = record(tmp_path / "set", twist=crossed(*pairs), physics=False, episodes=6).root
    found = [one for one in check_folder(root) if one.check in ("state", "lag")]
    assert [(one.level, words in one.what) for one in found] == [("error", True)], found


def test_one_stranger_among_three_moving_joints_does_not_hide_their_lag(tmp_path: Path) -> None:
    def late(episode: int, numbers: Numbers, block: Any) -> Numbers:
        """Three joints move; one is measured by something else, and all is seen late."""
        length = len(numbers["action"])
        action, state = driven(episode, length + 10)["action"][10:].copy(), numbers["observation.state"].copy()
        action[:, 3:5], state[:, 3:5] = 5.0, 5.0
        state[:, 2] = np.cumsum(np.random.default_rng(episode).normal(0, 2, length))
        return {"action": action, "observation.state": state}

    found = check_folder(record(tmp_path / "set", twist=late, physics=False, episodes=6).root)
    assert named(found, "state", "elbow_flex.pos does not follow") == ["warning"]
    assert named(found, "lag", "follows its action late") == ["warning"]


def test_episodes_too_short_for_a_lag_are_counted(tmp_path: Path) -> None:
    found = check_folder(record(tmp_path / "set", length=lambda e: 30 if e == 1 else LENGTH, physics=False).root)
    assert named(found, "lag", "not looked at in episode 1: fewer than 48 frames") == ["note"]
