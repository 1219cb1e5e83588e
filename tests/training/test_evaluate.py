"""Evaluations: the same rows again and after an interruption, no place moved, no rate without its interval."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from curation.errors import DataError
from curation.rates import wilson
from curation.trials import read_trials
from curation.video import count_frames
from recorders.world.scene import fingerprint
from studio import loop_mark
from tests.studio.conftest import Ended, Studio, studio
from tests.training.evaluations import write_evaluation, write_run
from tests.training.policies import SMALL, tiny_act
from training.evaluated import read_evaluation
from training.rows import RowFile

assert studio
QUICK = ("--limit", "1", "--batch", "4", "--jitter", "0.02", "--device", "cpu")
SIZE = ("--width", "64", "--height", "48")
MEASURED = ("call_ms", "wall_s")
"""Columns that say how fast the machine was."""


def card_of(**changes: Any) -> dict[str, Any]:
    scene = {"fingerprint": fingerprint(SMALL), "scene": asdict(SMALL)}
    return {
        "version": 1, "run": "a", "group": "a", "step": 100, "policy": "act", "seed": 3, "fps": 30, "task": "Pick it",
        "scene": scene, "cameras": {}, "privileged": True, "dataset": {"name": "pos2"}, **changes,
    }  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one checkpoint that sees the block's pose and no image."""
    home = tmp_path_factory.mktemp("runs")
    write_run(home, "a")
    folder = tiny_act(home / "a/train/checkpoints/000100/pretrained_model", cameras=(), privileged=True)
    (folder / "studio.json").write_text(json.dumps(card_of()))
    return home


@pytest.fixture
def home(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runs with that run, and nothing evaluated."""
    folder = tmp_path / "runs"
    (folder / "a/train").mkdir(parents=True)
    (folder / "a/run.json").write_bytes((trained / "a/run.json").read_bytes())
    (folder / "a/train/checkpoints").symlink_to(trained / "a/train/checkpoints")
    monkeypatch.setenv("STUDIO_RUNS", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def evaluation(home: Path) -> Path:
    (folder,) = (home / "a/evaluations").iterdir()
    return folder


def rows(folder: Path) -> list[dict[str, Any]]:
    """Everything in rows.jsonl that does not depend on the machine's speed, by index."""
    found = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    return sorted(({k: v for k, v in row.items() if k not in MEASURED} for row in found), key=lambda row: row["index"])


def run(studio: Studio, *options: str) -> Ended:
    done = studio("evaluate", "a", *QUICK, *options)
    assert done.code == 0, done.err
    return done


def test_rows_are_equal_again_and_after_interruptions_and_with_more_episodes(home: Path, studio: Studio) -> None:
    run(studio, "-n", "10")
    folder = evaluation(home)
    first = rows(folder)
    assert [row["index"] for row in first] == list(range(10))
    path = folder / "rows.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    # Killed while the fourth row was written, and with one of an earlier batch missing.
    path.write_bytes(b"".join(line for line in lines[:4] if json.loads(line)["index"] != 1) + lines[4][:30])
    told = run(studio, "-n", "10")
    assert "of 10 episodes are there already" in told.err
    assert rows(folder) == first
    run(studio, "-n", "14")
    longer = rows(folder)
    assert longer[:10] == first
    path.unlink()
    run(studio, "-n", "14")
    assert rows(folder) == longer
    assert len({row["seed"] for row in longer}) == 14
    assert run(studio, "-n", "6", "--json").out.count('"index"') == 6, "fewer were asked for than are there"


def test_places_are_never_moved_or_refused_and_those_out_of_reach_are_marked(home: Path, studio: Studio) -> None:
    done = studio(
        "evaluate", "a", "--grid", "2", "2", "--box", "0.217", "0.6", "-0.225", "0.2", "--limit", "0.5", "--device",
        "cpu", "--batch", "4", "--yaw", "30",
    )  # fmt: skip
    assert done.code == 0, done.err
    found = rows(evaluation(home))
    assert [(row["x"], row["y"], row["cell"]) for row in found] == [
        (0.217, -0.225, "0,0"), (0.6, -0.225, "1,0"), (0.217, 0.2, "0,1"), (0.6, 0.2, "1,1"),
    ]  # fmt: skip
    assert [row["feasible"] for row in found] == [False, False, True, False]
    assert found[0]["why_not"] == "in or too close to the bowl"
    assert "out of the arm's reach" in found[1]["why_not"]
    assert {row["yaw_deg"] for row in found} == {30.0}
    assert "at all places: 0 % (0 of 4 episodes" in done.out
    assert "where the arm can do it (3 elsewhere): 0 % (0 of 1 episodes, 95 % CI 0 to 79 %)" in done.out
    assert "grid 2 x 2 over 0.217 0.6 -0.225 0.2, seed 1000, jitter 0 mm, yaw 30 deg; limit 0.5 s" in done.out
    trials = read_trials(evaluation(home) / "rows.jsonl")
    assert (len(trials), trials.infeasible) == (1, 3)


def test_results_say_their_conditions_and_intervals(home: Path, studio: Studio) -> None:
    table = run(studio, "-n", "5", "--csv", "rows.csv")
    assert "a@000100 (privileged: it sees the block)" in table.out
    assert f"servo ideal, scene {fingerprint(SMALL)}; n_action_steps 10, batch 4, cpu" in table.out
    told = json.loads(run(studio, "-n", "5", "--json").out)
    outcomes = told["rates"]["outcomes"]
    assert sum(rate["k"] for rate in outcomes.values()) == 5
    expected = wilson(told["rates"]["success"]["k"], 5)
    assert told["rates"]["success"] == {"k": expected.k, "n": 5, "low": expected.low, "high": expected.high}
    with open("rows.csv", newline="") as file:
        listed = list(csv.DictReader(file))
    assert [int(row["index"]) for row in listed] == list(range(5))
    assert {"x", "y", "success", "feasible", "outcome", "reach", "transport"} <= listed[0].keys()
    stored = json.loads((evaluation(home) / "evaluation.json").read_text())
    assert stored == told["evaluation"]
    assert (stored["run"], stored["step"], stored["train_seed"], stored["limit_frames"]) == ("a", 100, 3, 30)
    assert stored["settings"]["task"] == "Pick it"


def test_films_show_episodes_as_their_rows_say_and_are_drawn_once(home: Path, studio: Studio) -> None:
    told = json.loads(run(studio, "-n", "3", "--films", "1", "--json").out)
    (film,) = map(Path, told["films"])
    frames = next(row["frames"] for row in told["rows"] if row["index"] == int(film.name[:4]))
    assert count_frames(film) == -(-frames // 2), "every second frame is shown"
    again = run(studio, "-n", "3", "--films", "1")
    assert "run again" not in again.err
    assert str(film) in again.out


def test_another_way_of_asking_is_another_evaluation(home: Path, studio: Studio) -> None:
    for options in ((), ("--n-action-steps", "5"), ("--seed", "1"), ("--gripper-bias", "-3"), ("--latency", "100")):
        run(studio, "-n", "1", *options)
    assert len(list((home / "a/evaluations").iterdir())) == 5
    run(studio, "-n", "1", "--n-action-steps", "10")
    assert len(list((home / "a/evaluations").iterdir())) == 5, "ten is what it was trained with"


@pytest.mark.parametrize(
    ("where", "most"),
    [(("--at", "0.337", "-0.015"), 1), (("--box", "0.2", "0.4", "-0.1", "0.1", "--grid", "2", "2"), 4)],
)
def test_episodes_at_one_placement_are_one_trial_and_are_refused(
    home: Path, studio: Studio, where: tuple[str, ...], most: int
) -> None:
    fixed = ("evaluate", "a", *where, "--yaw", "0", "--limit", "0.5", "--device", "cpu")
    refused = studio(*fixed, "-n", "6")
    assert refused.code == 2
    assert f"6 episodes would be at {most} different placements" in refused.err
    assert "--jitter 0.005 or --yaw free" in refused.err
    assert studio(*fixed, "-n", str(most)).code == 0
    assert studio(*fixed, "-n", str(most + 2), "--jitter", "0.005").code == 0


def test_copies_on_disk_count_once(home: Path) -> None:
    folder = write_evaluation(home, "a", [True] * 8)
    lines = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    copied = [{**lines[0], "index": index, "seed": index} for index in range(6)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*copied, *lines[6:]]))
    assert (read_evaluation(folder).rate().k, read_evaluation(folder).rate().n) == (3, 3)
    other = {**copied[1], "outcome": "timeout", "success": False, "clean": False}
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [copied[0], other]))
    assert read_evaluation(folder).rate().n == 2, "a policy that draws did something else at the same place"


def test_a_damaged_row_in_the_middle_is_named_and_not_left_out(home: Path) -> None:
    path = write_evaluation(home, "a", [True] * 4) / "rows.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], lines[3][:40]]))
    assert len(read_evaluation(path.parent).rows) == 3, "a kill tears the last line only"
    path.write_text("".join([lines[0], lines[1][:40] + "\n", *lines[2:]]))
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2, is no row"):
        read_evaluation(path.parent)


def test_a_full_disk_is_said_and_what_was_written_before_stays(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from curation.errors import CannotWrite
from training.rows import RowFile
rows = RowFile(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    try:
        for index in range(99):
            rows.append({"index": index, "error": "x" * 90})
    finally:
        rows.close()
except CannotWrite as error:
    print(error)
"""
    path = tmp_path / "rows.jsonl"
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"Cannot write {path}" in done.stdout
    again = RowFile(path)
    again.close()
    assert sorted(again.rows) == list(range(8)), "the torn row is missing, and is run again"


def test_rows_of_another_loop_or_judge_are_another_evaluation(
    home: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(studio, "-n", "1")
    stored = json.loads((evaluation(home) / "evaluation.json").read_text())
    assert stored["versions"]["loop"] == loop_mark.loop_mark()
    monkeypatch.setattr("studio.verbs.evaluate.loop_mark", lambda: "0" * 16)
    run(studio, "-n", "1")
    assert len(list((home / "a/evaluations").iterdir())) == 2
    same = loop_mark.code_of('def lift(z):\n    """Say it."""\n    return z > 0.02  # metres\n')
    assert same == loop_mark.code_of("def lift(z):\n    return z > 0.02\n")
    assert same != loop_mark.code_of("def lift(z):\n    return z > 0.03\n")


def test_a_rate_by_which_a_checkpoint_was_chosen_says_so(home: Path, studio: Studio) -> None:
    assert "by these very episodes" not in run(studio, "-n", "2").out
    raced = evaluation(home).name
    race = [{"checkpoint": "000100", "evaluation": raced}, {"checkpoint": "000050", "evaluation": "other"}]
    (home / "a/best.json").write_text(json.dumps({"checkpoint": "000100", "race": race}))
    again = run(studio, "-n", "2")
    assert "A sweep chose a checkpoint by these very episodes" in again.out
    assert "Another --seed" in again.out
    assert json.loads(run(studio, "-n", "2", "--json").out)["chosen_by_these_episodes"] is True
    assert "by these very episodes" not in run(studio, "-n", "2", "--seed", "5").out


def test_mended_statistics_of_actions_are_another_policy(home: Path, studio: Studio, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    mine = carded(home, tmp_path / "mine")
    assert studio("evaluate", mine, *QUICK, "-n", "2").code == 0
    (path,) = (tmp_path / "mine").glob("policy_postprocessor*.safetensors")
    stored = load_file(path)
    save_file({name: value * 57.3 if name == "action.std" else value for name, value in stored.items()}, path)
    again = studio("evaluate", mine, *QUICK, "-n", "2")
    assert again.code == 0, again.err
    assert "there already" not in again.err
    assert len(list((tmp_path / "evaluations").iterdir())) == 2


def test_another_world_than_the_trained_one_is_refused_until_it_is_meant(home: Path, studio: Studio) -> None:
    refused = studio("evaluate", "a", *QUICK, "-n", "1", "--servo", "hardware")
    assert refused.code == 2
    assert "servo ideal there, hardware here" in refused.err
    assert "--other-scene" in refused.err
    assert not (home / "a/evaluations").exists()
    run(studio, "-n", "1", "--servo", "hardware", "--other-scene")
    slower = studio("evaluate", "a", *QUICK, "-n", "1", "--fps", "20", "--other-scene")
    assert slower.code == 2
    assert "trained at 30 fps, and the world runs at 20" in slower.err
    assert studio("evaluate", "b").code == 2


def carded(home: Path, folder: Path, **changes: Any) -> str:
    """A copy of the checkpoint with another card."""
    shutil.copytree(home / "a/train/checkpoints/000100/pretrained_model", folder)
    (folder / "studio.json").write_text(json.dumps(card_of(**changes)))
    return str(folder)


def test_of_several_scenes_and_instructions_one_is_named_before_anything_runs(
    home: Path, studio: Studio, tmp_path: Path
) -> None:
    dark = replace(SMALL, ground="dark")
    scenes = [{"fingerprint": fingerprint(scene), "scene": asdict(scene)} for scene in (SMALL, dark)]
    two = carded(home, tmp_path / "two", scene={"scenes": scenes}, tasks=["Push it", "Pick it"])
    refused = studio("evaluate", two, *QUICK, "-n", "1", "--task", "Pick it")
    assert (refused.code, "trained in 2 scenes" in refused.err) == (2, True), refused.err
    refused = studio("evaluate", two, *QUICK, "-n", "1", "--ground", "dark")
    assert (refused.code, 'instructions: "Push it", "Pick it"' in refused.err) == (2, True), refused.err
    done = studio("evaluate", two, *QUICK, "-n", "1", "--of-scene", fingerprint(dark), "--task", "Pick it")
    assert done.code == 0, done.err
    assert f"scene {fingerprint(dark)};" in done.out
    assert 'told "Pick it"' in done.out


def test_a_policy_of_other_units_is_not_driven(home: Path, studio: Studio, tmp_path: Path) -> None:
    other = carded(home, tmp_path / "other", units={"body": "radians", "gripper": "0..100"})
    refused = studio("evaluate", other, *QUICK, "-n", "1")
    assert (refused.code, "body in radians, the world in degrees" in refused.err) == (2, True), refused.err
    assert "--units radians:degrees" in refused.err


def test_a_checkpoint_from_elsewhere_with_images_is_tried_and_what_nobody_knows_is_said(
    home: Path, studio: Studio, tmp_path: Path
) -> None:
    tiny_act(tmp_path / "theirs")
    done = studio("evaluate", str(tmp_path / "theirs"), *QUICK, *SIZE, "-n", "2", "--n-action-steps", "20")
    assert done.code == 0, done.err
    assert "does not say its scene, its control rate, its cameras' sizes" in done.err
    (folder,) = (tmp_path / "evaluations").iterdir()
    assert [row["calls"] for row in rows(folder)] == [2, 2]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("-n", "0"), "must be at least 1"),
        (("--per-position", "2"), "needs --grid or --targets"),
        (("--limit", "0.1"), "outside 0.5 to 600"),
        (("--seed", "-1"), "must not be negative"),
        (("--latency", "soon"), "real, or milliseconds"),
        (("--n-action-steps", "50"), "outside 1 to 20"),
    ],
)
def test_what_cannot_be_is_refused(home: Path, studio: Studio, options: tuple[str, ...], why: str) -> None:
    refused = studio("evaluate", "a", *QUICK, *options)
    assert (refused.code, why in refused.err) == (2, True), refused.err
