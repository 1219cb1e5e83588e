"""Every fault that the earlier work or LeRobot left in data is planted, and check names it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.apply import apply
from curation.checks import Finding, check_folder
from curation.frames import Feature
from curation.plan import begin
from curation.store import Store
from tests.curation.checks import plants
from tests.curation.checks.arm import GOAL, LENGTH, Numbers, block_path, driven, placement, record
from tests.curation.checks.plants import FRONT, column, data, info, record_of, stats, truncate, video
from tests.curation.tiny import FEATURES, picture

Plant = Callable[[Path], None]


def grave(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.what) for finding in findings if finding.level != "note"]


def test_a_clean_dataset_has_no_finding(clean: Path) -> None:
    assert check_folder(clean) == []
    assert grave(check_folder(clean, deep=True, second_opinion=True)) == []


FILES: list[tuple[str, Plant, str, str, str]] = [
    # counts
    ("frames counted", info(lambda i: i.update(total_frames=300)), "counts", "error", "counts 300 frames"),
    ("tasks counted", info(lambda i: i.update(total_tasks=2)), "counts", "error", "counts 2 tasks"),
    ("split", info(lambda i: i.update(splits={"train": "0:3"})), "counts", "warning", "split train is 0:3"),
    ("too many episodes", info(lambda i: i.update(total_episodes=5)), "metadata", "error", "none numbered 4"),
    ("range of an episode", column("dataset_to_index", lambda o: [o[0] + 1], record_of), "counts", "error", "continue"),
    ("one id twice", column("studio/episode_id", lambda o: ["id-0"], record_of), "ids", "error", "share an id"),
    # rows
    ("frame_index", column("frame_index", lambda o: [o[0], *o[:-1]]), "frame_index", "error", "0 at row 1"),
    ("index", column("index", lambda o: [v + 7 for v in o]), "index", "error", "67 at row 0, 60 is due"),
    ("episode_index", column("episode_index", lambda o: [0] * 5 + o[5:]), "counts", "error", "54 rows"),
    ("no row", column("episode_index", lambda o: [0] * len(o)), "counts", "error", "has no row of episode 1"),
    ("task_index", column("task_index", lambda o: [3 for _ in o]), "task_index", "error", "1 tasks are known"),
    ("times of 20 Hz", column("timestamp", lambda o: [v * 1.5 for v in o]), "timestamps", "error", "0.05 at row 1"),
    ("interpolated x2", column("timestamp", lambda o: [v / 2 for v in o]), "timestamps", "error", "at row 1"),
    ("nan", column("action", lambda o: [[float("nan")] * 6, *o[1:]]), "finite", "error", "action"),
    # crash before the footer was written
    ("footerless data", truncate(data), "data readable", "error", "cannot be read"),
    ("footerless episodes", truncate(record_of), "metadata", "error", "cannot be read"),
    ("data lost", lambda root: data(root).unlink(), "data readable", "error", "cannot be read"),
    # videos
    ("dropped images", lambda root: plants.film(root, 49), "video frames", "error", "49 images, 59 rows"),
    ("surplus images", lambda root: plants.film(root, 70), "video frames", "note", "70 images, 59 are used"),
    ("fewer images said", column(f"videos/{FRONT}/to_timestamp", lambda o: [o[0] - 0.5], record_of), "video frames",
     "error", "44 images for 59 rows"),
    ("times drifted", column(f"videos/{FRONT}/from_timestamp", lambda o: [0.004], record_of), "video frames", "warning",
     "between two images"),
    ("wrong video", plants.point_at_first, "video frames", "error", "claim the same images"),
    ("past the end", column(f"videos/{FRONT}/from_timestamp", lambda o: [1.0], record_of), "video frames", "error",
     "images"),
    ("video lost", lambda root: video(root).unlink(), "video readable", "error", "is missing"),
    ("video cut off", truncate(video), "video readable", "error", "cannot be read"),
    ("other rate", lambda root: plants.film(root, 59, fps=25), "video frames", "error", "fps 25"),
    ("other size", lambda root: plants.film(root, 59, size=(32, 48)), "video frames", "error", "width 32"),
    # statistics
    ("overflowed std", stats(plants.overflow), "statistics", "error", "standard deviation of 0.0058"),
    ("placeholders", stats(plants.placeholder), "statistics", "error", "placeholders"),
    ("image statistics missing", stats(lambda s: s.pop(FRONT)), "statistics", "error", "has no statistics"),
    ("pixels of 0..255", stats(lambda s: s[FRONT].update(max=[[[255.0]]] * 3)), "statistics", "error", "reaches 255"),
    ("stale whole", stats(lambda s: s["action"].update(max=[1.0] * 6)), "statistics", "error", "action max is 1"),
    ("feature missing", stats(lambda s: s.pop("action")), "statistics", "error", "missing"),
    ("stale index", stats(lambda s: s["index"].update(max=[59])), "statistics", "warning", "index max is 59"),
    ("stale task_index", stats(lambda s: s["task_index"].update(max=[1])), "statistics", "warning", "task_index max"),
    ("averaged quantiles", stats(lambda s: s["action"].update(q01=[0.0] * 6)), "statistics", "note", "q01 of action"),
    ("counts of pixels", plants.count_pixels, "statistics", "warning", "count pixels"),
    ("recomputed, episodes stale", plants.times_ten, "statistics", "warning", "meta/episodes is stale for action"),
    ("no statistics of episodes", lambda root: plants.drop_columns(record_of(root, 0), "stats/action"), "statistics",
     "warning", "missing"),
    ("no stats.json", lambda root: (root / "meta/stats.json").unlink(), "statistics", "error", "missing or damaged"),
    # files
    ("physics lost", lambda root: (root / "meta/studio/frames/id-2.parquet").unlink(), "sidecars", "warning",
     "episode 2 is missing"),
    ("physics damaged", truncate(lambda root: root / "meta/studio/frames/id-2.parquet"), "sidecars", "warning",
     "cannot be read"),
    ("histograms lost", lambda root: shutil.rmtree(root / "meta/studio/histograms"), "sidecars", "note", "histograms"),
    ("orphan rows", plants.orphan, "orphans", "warning", "file-009.parquet"),
    ("orphan video", lambda root: shutil.copy(video(root), video(root, 9)), "orphans", "note", "file-009.mp4"),
    ("v2 beside v3", lambda root: (root / "meta/episodes.jsonl").write_text("{}\n"), "other tools", "warning", "v2"),
    ("leftovers", lambda root: (root / "images").mkdir(), "leftovers", "note", "images"),
    ("columns dropped", plants.forget_studio, "other tools", "warning", "lost what the studio knew"),
    # columns
    ("columns the first file lacks", plants.one_more_column, "columns", "error", "file-000.parquet lacks: score"),
    ("a studio column lost", lambda root: plants.drop_columns(record_of(root), "studio/x"), "metadata", "error", "x"),
    ("other type", plants.as_text, "columns", "error", "another type"),
    ("column lost", lambda root: plants.drop_columns(data(root), "action"), "columns", "error", "no column action"),
    # scene
    ("another scene.json", lambda root: plants.edit_json(root / "meta/studio/scene.json",
     lambda s: s.update(fingerprint="f" * 16)), "scene", "error", "ffffffff"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("plant", "named", "level", "words"), [row[1:] for row in FILES], ids=[row[0] for row in FILES]
)
def test_a_fault_on_disk_is_named(copy: Callable[[], Path], plant: Plant, named: str, level: str, words: str) -> None:
    root = copy()
    plant(root)
    found = check_folder(root)
    mine = [finding for finding in found if finding.check == named and words in finding.what]
    assert [finding.level for finding in mine][:1] == [level], found
    assert all(finding.means and finding.mend for finding in found)


def scaled(factor: float, key: str = "") -> Callable[[int, Numbers, Any], Numbers]:
    return lambda episode, numbers, block: {
        name: (values * factor).astype(np.float32) if key in name else values for name, values in numbers.items()
    }


def clipped(episode: int, numbers: Numbers, block: Any) -> Numbers:
    return {name: np.clip(values * 4, -100, 100) for name, values in numbers.items()}


def gripper(change: Callable[[Any], Any]) -> Callable[[int, Numbers, Any], Numbers]:
    def twist(episode: int, numbers: Numbers, block: Any) -> Numbers:
        return {k: np.column_stack([v[:, :5], change(v[:, 5])]).astype(np.float32) for k, v in numbers.items()}

    return twist


def one_joint(key: str, joint: int, change: Callable[[Any], Any], only: int | None = None) -> Any:
    def twist(episode: int, numbers: Numbers, block: Any) -> Numbers:
        if only is not None and episode != only:
            return numbers
        values = numbers[key].copy()
        values[:, joint] = change(values[:, joint])
        return {**numbers, key: values}

    return twist


def block_as_state(episode: int, numbers: Numbers, block: Any) -> Numbers:
    """The earlier work's qpos[:6], through its normaliser of joints."""
    return {**numbers, "observation.state": (block[:, :6] * 60.0).astype(np.float32)}


def begins_at_block(episode: int, numbers: Numbers, block: Any) -> Numbers:
    state = numbers["observation.state"].copy()
    state[:, 0] += placement(episode)[0] - state[0, 0]
    return {**numbers, "observation.state": state}


def observed_late(episode: int, numbers: Numbers, block: Any) -> Numbers:
    """The observation of a row is taken after its action was carried out."""
    return {**numbers, "action": np.concatenate([numbers["action"][:1], numbers["action"][:-1]])}


def shifted(episode: int, numbers: Numbers, block: Any) -> Numbers:
    return {**numbers, "action": np.roll(numbers["action"], -5, axis=0)} if episode == 2 else numbers


def slow(episode: int, numbers: Numbers, block: Any) -> Numbers:
    return {**numbers, "action": driven(episode, len(numbers["action"]) + 10)["action"][10:]}


def wrapped(values: Any) -> Any:
    return np.where(np.arange(len(values)) < 30, values, values - 340.2)


def twin(episode: int, numbers: Numbers, block: Any) -> Numbers:
    """Episode 3 is episode 0, begun five frames later."""
    length = len(numbers["action"])
    return {k: v[5 : 5 + length] for k, v in driven(0, length + 5).items()} if episode == 3 else numbers


EE = FEATURES | {"ee": Feature("float32", (7,), ("x", "y", "z", "qw", "qx", "qy", "qz"))}


def flipped(episode: int, numbers: Numbers, block: Any) -> Numbers:
    """An attitude that turns slowly, and is written with the other sign in between."""
    angle = np.linspace(0, 1, len(block))
    turns = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle, 0 * angle])
    if episode == 1:
        turns[20:30] *= -1
    return {**numbers, "ee": np.hstack([block[:, :3], turns]).astype(np.float32)}


RECORDED: list[tuple[str, dict[str, Any], str, str, str]] = [
    # the state is not the robot
    ("block pose as state", {"twist": block_as_state}, "state", "error", "follow the simulated block"),
    ("block pose, no physics", {"twist": block_as_state, "physics": False}, "state", "error", "does not follow"),
    ("placement in the state", {"twist": begins_at_block, "physics": False}, "state", "error", "placement"),
    # units
    ("radians", {"twist": scaled(np.pi / 180), "physics": False}, "units", "error", "as radians are"),
    ("radians, physics", {"twist": scaled(np.pi / 180, "state")}, "units", "error", "0.0175 times the degrees"),
    ("-100..100, physics", {"twist": one_joint("observation.state", 0, lambda v: v / 1.1)}, "units", "error", "0.909"),
    ("-100..100, clipped", {"twist": clipped, "physics": False}, "units", "warning", "exactly 100"),
    ("ticks", {"twist": one_joint("action", 1, lambda v: 2048 + v * 11.4)}, "units", "error", "no degrees"),
    ("gripper 0..1", {"twist": gripper(lambda v: v / 100), "physics": False}, "units", "error", "0..1"),
    ("gripper radians", {"twist": gripper(lambda v: np.radians(v * 1.1 - 10)), "physics": False}, "units", "error",
     "radians"),
    ("gripper ticks", {"twist": gripper(lambda v: v * 20), "physics": False}, "units", "error", "0..100 is named"),
    ("gripper 0..97, physics", {"twist": gripper(lambda v: v * 0.97)}, "units", "error", "0.97 times"),
    ("action in other units", {"twist": one_joint("action", 0, lambda v: v / 57), "physics": False}, "units", "warning",
     "two units"),
    # state and action
    ("observed after acting", {"twist": observed_late}, "lag", "warning", "same moment"),
    ("shifted episode", {"twist": shifted}, "lag", "warning", "episode 2 by"),
    ("slow", {"twist": slow}, "lag", "warning", "late"),
    ("blocked", {"twist": one_joint("observation.state", 4, lambda v: np.clip(v, -22, -8), 1), "physics": False},
     "gap", "warning", "episode 1"),
    # joints
    ("wrap", {"twist": one_joint("observation.state", 4, wrapped, 1), "physics": False}, "wrap", "error", "338"),
    ("jump", {"twist": one_joint("action", 1, lambda v: v + 45 * (np.arange(len(v)) == 20), 1)}, "jumps", "warning",
     "deg/s"),
    ("first step", {"twist": one_joint("action", 0, lambda v: np.where(np.arange(len(v)) < 9, v + 25, v), 1)},
     "first step", "warning", "episode 1"),
    ("frozen", {"twist": one_joint("observation.state", 2, lambda v: np.full_like(v, 3.0), 1)}, "frozen", "error",
     "elbow_flex"),
    ("stuck", {"twist": one_joint("observation.state", 2, lambda v: np.where(np.arange(len(v)) > 20, v[20], v), 1)},
     "stuck", "warning", "the same for"),
    ("idle everywhere", {"twist": one_joint("action", 3, lambda v: np.full_like(v, 3.0))}, "frozen", "note", "never"),
    ("saturated", {"twist": one_joint("action", 1, lambda v: np.full_like(v, -100.0) + 1e-3 * v), "physics": False},
     "saturated", "warning", "shoulder_lift"),
    ("dark camera", {"image": lambda e, f, c: picture(e, f, c) * ((e, c) != (2, 1))},
     "pictures", "warning", "wrist_cam shows nothing but one colour in episode 2"),
    ("sign flip", {"features": EE, "twist": flipped}, "turns", "warning", "episode 1"),
    # labels
    ("twins", {"twist": twin}, "duplicates", "warning", "episodes 0, 3"),
    ("unlabelled timeouts", {"row": lambda e: {"outcome": ""}, "length": lambda e: (40, 90, 45, 90)[e],
     "physics": False}, "timeouts", "warning", "3 s"),
    ("no outcomes", {"row": lambda e: {"outcome": ""}}, "labels", "note", "no outcome"),
    ("a failure kept", {"row": lambda e: {"success": e != 1}}, "outcomes", "note", "episode 1 did not succeed"),
    ("start in goal", {"block": lambda e, n: block_path(e, n) if e != 2 else np.tile([*GOAL, 0.0125, 1, 0, 0, 0.0],
     (n, 1)), "row": lambda e: {"x": GOAL[0], "y": GOAL[1]} if e == 2 else {}}, "start in goal", "error", "episode 2"),
    ("success at once", {"length": lambda e: 4 if e == 2 else LENGTH - e, "physics": False}, "start in goal", "error",
     "episode 2"),
    ("placed elsewhere", {"block": lambda e, n: block_path(0, n)}, "placement", "error", "not where"),
    ("two scenes", {"row": lambda e: {"extra": {"scene": "ab" * 8 if e == 3 else "0123456789abcdef"}}}, "scene",
     "warning", "2 scenes"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("chosen", "named", "level", "words"), [row[1:] for row in RECORDED], ids=[row[0] for row in RECORDED]
)
def test_a_fault_in_what_was_recorded_is_named(
    tmp_path: Path, chosen: dict[str, Any], named: str, level: str, words: str
) -> None:
    store = record(tmp_path / "set", **chosen)
    found = check_folder(store.root)
    mine = [finding for finding in found if finding.check == named and words in finding.what]
    assert [finding.level for finding in mine][:1] == [level], found


@pytest.mark.parametrize(
    "name",
    ["index", "frame_index", "times of 20 Hz", "split", "frames counted", "times drifted",
     "orphan rows", "columns the first file lacks"
    ],
)  # fmt: skip
def test_what_is_said_to_mend_a_fault_mends_it(copy: Callable[[], Path], tmp_path: Path, name: str) -> None:
    """`studio merge DATASET --to NEW`, which many findings recommend."""
    root = copy()
    next(row[1] for row in FILES if row[0] == name)(root)
    assert any("studio merge DATASET --to NEW" in one.mend for one in check_folder(root) if one.level != "note")
    apply(begin([Store.open(root)]), tmp_path / "mended", tell=lambda *told: None)
    assert grave(check_folder(tmp_path / "mended")) == []


def test_a_stretch_that_an_edit_kept_may_begin_anywhere(tmp_path: Path) -> None:
    """Its block is no longer where it was placed, and may be in the goal already; that is no fault."""
    extra = {"scene": "0123456789abcdef", "cut": {"start": 30, "stop": 90, "length": 90}}
    carried = {"block": lambda e, n: block_path(e, n + 30)[30:], "row": lambda e: {"extra": extra, "outcome": ""}}
    assert grave(check_folder(record(tmp_path / "cut", **carried).root)) == []
    del carried["row"]
    assert {check for check, _ in grave(check_folder(record(tmp_path / "whole", **carried).root))} == {"placement"}


@pytest.mark.parametrize(
    ("plant", "named", "words"),
    [(plants.swap_videos, "pictures", "episodes 1, 2"), (plants.damage_middle, "video readable", "episode 1")],
    ids=["swapped", "damaged in the middle"],
)
def test_decoding_finds_what_unpacking_cannot(tmp_path: Path, plant: Plant, named: str, words: str) -> None:
    root = record(tmp_path / "set", length=lambda episode: LENGTH).root
    plant(root)
    assert grave(check_folder(root)) == []
    assert [(check, words in what) for check, what in grave(check_folder(root, deep=True))] == [(named, True)]


def test_a_stale_tag_of_the_hub_is_named(copy: Callable[[], Path]) -> None:
    root = copy()
    (root / "meta/studio/hub.json").write_text('{"repo": "me/set", "commit": "aaaa", "tag": "v3.0"}')
    known = {"main": "aaaa", "v3.0": "aaaa"}
    assert check_folder(root, refs=lambda repo: known) == []
    for refs, level, words in (
        ({"main": "aaaa", "v3.0": "bbbb"}, "error", "tag v3.0 is bbbb"),
        ({"main": "aaaa"}, "error", "has no tag"),
        ({"main": "cccc", "v3.0": "cccc"}, "warning", "is at cccc"),
    ):
        found = check_folder(root, refs=lambda repo, refs=refs: refs)
        assert [(one.check, one.level) for one in found] == [("hub", level)]
        assert words in found[0].what
