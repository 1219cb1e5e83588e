"""The screens of evaluations: where, how often, how sure; followed row by row."""

from __future__ import annotations

import json
import math
import random
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from recorders.world.scene import fingerprint
from studio.cli import parsed
from studio.jobs import Jobs
from studio.tui.evaluate_form import planned, questions, words_of
from studio.tui.evaluation_sight import kind_of, spots_of, window_of
from studio.tui.following import Following
from studio.tui.state import Place
from studio.tui.train_form import WrongAnswer
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, settled, text_of, until
from tests.screens.trainings import made
from tests.training.evaluations import write_evaluation
from tests.training.policies import SMALL, tiny_act
from training.evaluated import read_evaluation

GRID = [(0.15 + 0.04 * (index % 7), -0.1 + 0.05 * (index // 7)) for index in range(49)]
OUTSIDE = (0, 1, 7, 42, 43)
LATTICE = {"kind": "grid", "at": None, "grid": [7, 7], "box": [0.15, 0.39, -0.1, 0.2], "seed": 1000, "jitter": 0.0,
           "yaw": "free"}  # fmt: skip


def at_one_position(runs: Path, key: str = "one", **more: Any) -> Path:
    rng = random.Random(3)
    return write_evaluation(runs, "act-pos2", [rng.random() < 0.7 for _ in range(60)], key=key, step=2000, **more)


def over_a_grid(runs: Path, times: int = 3) -> Path:
    rng = random.Random(4)
    good = [math.hypot(x - 0.25, y - 0.05) < 0.12 * (0.6 + rng.random()) for x, y in GRID * times]
    outside = [index for index in range(len(good)) if index % 49 in OUTSIDE]
    folder = write_evaluation(runs, "act-pos2", [yes and index not in outside for index, yes in enumerate(good)],
                              key="grid", step=2000, places=GRID * times, infeasible=outside,
                              placements=LATTICE)  # fmt: skip
    told = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    lines = [{**row, "cell": f"{row['index'] % 7},{row['index'] // 7 % 7}"} for row in told]
    (folder / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def place(folder: Path) -> Place:
    return Place("evaluation", None, Following(folder))


def words(app: object) -> str:
    return " ".join(text_of(app).split())


@pytest.mark.parametrize("size", SIZES)
async def test_over_a_grid(open_studio: Open, shelf: Path, tmp_path: Path, size: str) -> None:
    async with open_studio(shelf, place(over_a_grid(tmp_path / "runs")), size=SIZES[size]) as pilot:
        snapshots.matches(pilot.app, f"evaluation-grid-{size}")
        shown = words(pilot.app)
        assert "◇ 15 where the arm cannot do it" in shown
        assert "at all places" in shown


@pytest.mark.parametrize("size", SIZES)
async def test_at_one_position_it_is_seen_from_close(open_studio: Open, shelf: Path, tmp_path: Path, size: str) -> None:
    async with open_studio(shelf, place(at_one_position(tmp_path / "runs")), size=SIZES[size]) as pilot:
        snapshots.matches(pilot.app, f"evaluation-{size}")
        assert "0.34" in text_of(pilot.app)
        await press(pilot, "z")
        assert "0.34" not in text_of(pilot.app)
        assert "0.4" in text_of(pilot.app)


async def test_rows_are_followed_as_they_are_written(
    open_studio: Open, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.evaluation_screen.POLL_S", 0.1)
    folder = at_one_position(tmp_path / "runs")
    lines = (folder / "rows.jsonl").read_text().splitlines(keepends=True)
    rows = folder / "rows.jsonl"
    rows.write_text("")
    async with open_studio(shelf, place(folder)) as pilot:
        assert "no episode is finished yet" in text_of(pilot.app)
        for count in (1, 20, 60):
            rows.write_text("".join(lines[:count]) + lines[0][:40])
            await until(pilot, lambda count=count: f" {count} episode" in text_of(pilot.app))
            rate = read_evaluation(folder).rate()
            assert f"{rate.k} of {count}" in words(pilot.app), "a torn last line is no row"
            assert f"{100 * rate.low:.0f}-{100 * rate.high:.0f} %" in words(pilot.app)


@pytest.mark.parametrize("what", ["torn", "no row", "nothing", "old row", "odd"])
async def test_a_damaged_evaluation_is_said_to_be_one(
    open_studio: Open, shelf: Path, tmp_path: Path, what: str
) -> None:
    folder = at_one_position(tmp_path / "runs")
    match what:
        case "torn":
            (folder / "evaluation.json").write_text('{"version')
        case "no row":
            (folder / "rows.jsonl").write_text('{"nothing": 1}\n')
        case "nothing":
            (folder / "evaluation.json").unlink()
        case "odd":
            (folder / "evaluation.json").write_text('{"placements": 7, "scene": "none", "limit_frames": "long"}')
        case "old row":
            (folder / "rows.jsonl").write_text('{"index": 0, "x": 0.3, "y": 0.0, "success": true}\n')
    async with open_studio(shelf, Place("runs"), place(folder)) as pilot:
        assert "● damaged" in text_of(pilot.app)
        assert folder.name in words(pilot.app)
        await press(pilot, "z", "s", "r", "escape", "down")
        assert "› runs" in text_of(pilot.app)
        assert pilot.app.crash is None


async def test_a_privileged_policy_is_marked(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    folder = at_one_position(tmp_path / "runs", privileged=True)
    async with open_studio(shelf, place(folder), Place("runs")) as pilot:
        assert "‡" in text_of(pilot.app)
        await press(pilot, "down")
        assert "privileged: it sees the block" in words(pilot.app)
        await press(pilot, "escape")
        assert "act-pos2@002000 (privileged: it sees the block)" in text_of(pilot.app)


def test_what_is_on_the_map(tmp_path: Path) -> None:
    rows = read_evaluation(over_a_grid(tmp_path / "runs")).rows
    spots = spots_of(rows)
    assert len(spots) == 49
    assert {kind for *_, kind, _ in spots} == {"saved", "failed", "mixed", "infeasible"}
    assert sum(kind == "infeasible" and label == "" for *_, kind, label in spots) == len(OUTSIDE)
    middle = next(label for x, y, _, label in spots if (x, y) == GRID[24])
    assert middle == f"{sum(row.success for row in rows if row.index % 49 == 24)}/3"
    assert window_of(spots) is None, "a grid over the table is no place to look at from close"
    one = spots_of(read_evaluation(at_one_position(tmp_path / "runs")).rows)
    assert len(one) == 60
    window = window_of(one)
    assert window is not None
    assert all(window[0] < x < window[1] and window[2] < y < window[3] for x, y, *_ in one)
    assert window_of([]) is None
    assert kind_of(rows[:1]) == "infeasible"


# The form


def answers(checkpoint: str = "a", **said: str) -> dict[str, str]:
    return {question.name: question.value for question in questions(checkpoint)} | said


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({}, "evaluate a --at 0.337 -0.015 -n 20 --jitter 0.02"),
        ({"which": "best", "where": "at", "at": "0.3, 0.1", "jitter": "0", "yaw": "45"},
         "evaluate a@best --at 0.3 0.1 -n 20 --yaw 45"),
        ({"which": "step", "step": "2000", "where": "grid", "per_position": "10", "films": "2"},
         "evaluate a@002000 --box 0.12 0.42 -0.10 0.35 --grid 7 7 --per-position 10 --jitter 0.02 --films 2"),
        ({"where": "file", "file": "gaps.json", "seed": "7", "limit": "5", "actions": "8", "samples": "5",
          "device": "cpu"},
         "evaluate a --targets gaps.json --jitter 0.02 --seed 7 --limit 5 --n-action-steps 8 --samples 5 --device cpu"),
        ({"where": "box", "episodes": "60"}, "evaluate a --box 0.12 0.42 -0.10 0.35 -n 60 --jitter 0.02"),
    ],
)  # fmt: skip
def test_answers_are_words_that_the_command_takes(said: dict[str, str], line: str) -> None:
    words = words_of(answers(**said))
    assert words == shlex.split(line)
    parsed(words[0], words[1:])


@pytest.fixture
def runs(shelf: Path, tmp_path: Path) -> Path:
    """Where the studio looks for runs: one, with one checkpoint, and nothing evaluated."""
    made(tmp_path / "runs", shelf / "pos2", "a", reached=200, kept=(100,))
    return tmp_path / "runs"


@pytest.mark.parametrize("size", SIZES)
async def test_where_blocks_will_be_put(open_studio: Open, shelf: Path, runs: Path, size: str) -> None:
    async with open_studio(shelf, Place("evaluate", None, "a"), size=SIZES[size]) as pilot:
        await press(pilot, "down", "down", "right", "right", "right")
        await until(pilot, lambda: "49 episodes" in text_of(pilot.app))
        snapshots.matches(pilot.app, f"evaluate-{size}")
        assert "◇" in text_of(pilot.app)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("checkpoint", "nobody", "nobody"),
        ("checkpoint", "", "Name a training"),
        ("episodes", "0", "must be at least 1"),
        ("episodes", "many", "many"),
        ("jitter", "9", "outside 0 to 1"),
        ("limit", "0.1", "outside 0.5 to 600"),
        ("yaw", "left", "left"),
    ],
)
async def test_a_wrong_answer_is_named_at_its_field(
    open_studio: Open, shelf: Path, runs: Path, field: str, value: str, says: str
) -> None:
    jobs = Jobs(runs)
    async with open_studio(shelf, Place("evaluate", None, "a"), jobs=jobs, notes=False) as pilot:
        pilot.app.screen.query_one(f"#{field}").value = value
        told = pilot.app.screen.query_one(f"#wrong-{field}")
        await until(pilot, lambda: told.display and says in " ".join(str(told.render()).split()), seconds=60)
        await press(pilot, "enter")
        assert "› evaluate" in text_of(pilot.app).splitlines()[0]
        assert jobs.all() == []


def test_a_checkpoint_that_is_not_there_is_refused(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_RUNS", str(runs))
    with pytest.raises(WrongAnswer, match="000100") as wrong:
        planned(words_of(answers(which="step", step="7")))
    assert wrong.value.field == "checkpoint"


@pytest.mark.slow
async def test_evaluated_from_the_form_and_followed_to_the_end(
    open_studio: Open, shelf: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real evaluation of a real, untrained policy that sees the block's pose and no image."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = runs / "a/train/checkpoints/000100/pretrained_model"
    card = json.loads((folder / "studio.json").read_text())
    shutil.rmtree(folder)
    tiny_act(folder, cameras=(), privileged=True)
    scene = {"fingerprint": fingerprint(SMALL), "scene": asdict(SMALL)}
    whole = {**card, "scene": scene, "fps": 30, "task": "pick", "cameras": {}, "privileged": True}
    (folder / "studio.json").write_text(json.dumps(whole))
    jobs = Jobs(runs)
    async with open_studio(shelf, Place("evaluate", None, "a"), jobs=jobs, notes=False) as pilot:
        for field, value in (("episodes", "3"), ("limit", "1")):
            pilot.app.screen.query_one(f"#{field}").value = value
        await until(pilot, lambda: "Ready: Enter evaluates" in text_of(pilot.app))
        await press(pilot, "enter")
        assert "› evaluation" in text_of(pilot.app)
        await until(pilot, lambda: "● done" in text_of(pilot.app), seconds=180)
        (job,) = jobs.all()
        assert job.code == 0, job.log()
        shown = words(pilot.app)
        assert "3 of 3 episodes" in shown
        assert "0 of 3 0-56 %" in shown
        assert "a@000100 (privileged: it sees the block)" in shown
        await settled(pilot)
