"""The training screen follows a training, whoever started it, and says what can be done with it now."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from curation.apply import apply
from curation.columns import DropFeature
from curation.frames import Feature
from curation.plan import Columns, begin, edited
from recorders.world.scene import Scene, fingerprint
from studio.jobs import Jobs, State
from studio.tui.following import Following
from studio.tui.state import Place
from studio.tui.training_sight import GrowingLines, TrainingWatch
from studio.tui.widgets.loss_plot import LossPlot
from tests.curation.checks import arm
from tests.curation.tiny import CAMERAS, FEATURES
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, text_of, until
from tests.screens.trainings import GONE, grow, keep, made
from training.runs import Run


def place(run: Run | Path) -> Place:
    return Place("training", None, Following(run.folder if isinstance(run, Run) else run))


def words(app: object) -> str:
    return " ".join(text_of(app).split())


@pytest.mark.parametrize("size", SIZES)
async def test_a_training_that_runs(open_studio: Open, shelf: Path, tmp_path: Path, size: str) -> None:
    run = made(tmp_path / "runs", shelf / "pos2", "act-pos2", reached=1240, kept=(500, 1000), state="running",
               pid=os.getpid())  # fmt: skip
    async with open_studio(shelf, place(run), size=SIZES[size]) as pilot:
        snapshots.matches(pilot.app, f"training-{size}")


async def test_the_curve_appears_and_grows(
    open_studio: Open, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.training_screen.POLL_S", 0.1)
    run = made(tmp_path / "runs", shelf / "pos2", "act-pos2", state="running", pid=os.getpid())
    async with open_studio(shelf, place(run)) as pilot:
        assert "no loss logged yet" in text_of(pilot.app)
        assert "no checkpoint yet" in text_of(pilot.app)
        plot = pilot.app.screen.query_one(LossPlot)
        seen = []
        for end in (200, 600, 1200):
            grow(run, end - 200, end)
            await until(pilot, lambda end=end: f"{end} of 2000" in text_of(pilot.app))
            seen.append(dict(plot._glyphs))
            assert f"step:{end}" in text_of(pilot.app), "the newest line of the log is in sight"
        assert len({str(glyphs) for glyphs in seen}) == 3
        keep(run, 1000)
        await until(pilot, lambda: "▲ 001000" in text_of(pilot.app))
        run.update(state="done", pid=None)
        await until(pilot, lambda: "● done" in text_of(pilot.app))
        assert "e evaluates it: studio evaluate act-pos2" in words(pilot.app)


@pytest.mark.parametrize(
    ("told", "kept", "says"),
    [
        ({"state": "stopped"}, (200, 400), "Stopped at step 400. r goes on from checkpoint 000400: studio train --res"),
        ({"state": "running", "pid": GONE}, (200,), "process is gone since step 400. r goes on from checkpoint 000200"),
        ({"state": "stopped"}, (), "It left no checkpoint, so it cannot go on"),
        ({"state": "failed"}, (), "Failed: RuntimeError: out of memory."),
    ],
)  # fmt: skip
async def test_what_came_of_it_and_what_goes_on(
    open_studio: Open, shelf: Path, tmp_path: Path, told: dict[str, object], kept: tuple[int, ...], says: str
) -> None:
    run = made(tmp_path / "runs", shelf / "pos2", "a", reached=400, kept=kept)
    run.update(**told)
    with run.log.open("a") as file:
        file.write("RuntimeError: out of memory\n")
    async with open_studio(shelf, place(run)) as pilot:
        assert says in words(pilot.app)
        last = text_of(pilot.app).splitlines()[-1]
        assert ("r go on" in last) == bool(kept)
        assert "s stop" not in last


@pytest.mark.parametrize("what", ["torn", "no training", "half", "odd", "nothing"])
async def test_a_damaged_folder_is_said_to_be_one(open_studio: Open, shelf: Path, tmp_path: Path, what: str) -> None:
    run = made(tmp_path / "runs", shelf / "pos2", "a", reached=400, kept=(200,))
    match what:
        case "torn":
            (run.folder / "run.json").write_bytes((run.folder / "run.json").read_bytes()[:50])
        case "no training":
            (run.folder / "run.json").unlink()
        case "half":
            (run.folder / "run.json").write_text('{"recipe": {}}')
        case "odd":
            run.update(dataset="pos2", recipe=7)
        case "nothing":
            run.folder.rename(tmp_path / "elsewhere")
    async with open_studio(shelf, place(run)) as pilot:
        shown = words(pilot.app)
        assert "damaged" in shown or "nothing is there" in shown
        await press(pilot, "s", "r", "l", "l", "e")
        assert pilot.app.crash is None


async def test_a_checkpoint_that_is_not_whole_is_named(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    run = made(tmp_path / "runs", shelf / "pos2", "a", reached=400, kept=(200, 400), state="stopped")
    (run.checkpoints / "000400/pretrained_model/model.safetensors").write_bytes(b"torn")
    async with open_studio(shelf, place(run)) as pilot:
        shown = words(pilot.app)
        assert "× 000400 not whole" in shown
        assert "goes on from checkpoint 000200" in shown


def test_only_what_grew_is_read_and_what_was_made_again_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    lines = GrowingLines(path)
    assert lines.read() == []
    path.write_text('{"step": 1, "loss": 2}\n{"step": 2, "lo')
    assert [line["step"] for line in lines.read()] == [1]
    path.write_text('{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}\n[]\nnonsense\n{"step": 3, "loss": 0.5}\n')
    assert [line["step"] for line in lines.read()] == [1, 2, 3]
    # As a resume does: a new file, without the lines of steps that are made again.
    (tmp_path / "aside").write_text('{"step": 1, "loss": 2}\n')
    (tmp_path / "aside").replace(path)
    assert [line["step"] for line in lines.read()] == [1]


def test_a_look_at_a_long_training_costs_little(shelf: Path, tmp_path: Path) -> None:
    run = made(tmp_path / "runs", shelf / "pos2", "a", steps=2_000_000, reached=200_000, kept=(500,), state="running",
               pid=os.getpid())  # fmt: skip
    watch = TrainingWatch(run.folder)
    assert watch.look().progress.step == 200_000
    grow(run, 200_000, 200_040)
    began = time.process_time()
    sight = watch.look()
    assert sight.progress.step == 200_040
    assert time.process_time() - began < 0.1


STEPS = "9000000"
"""More than anyone waits for."""
SMALL = (
    "policy.chunk_size=10 policy.n_action_steps=5 policy.dim_model=32 policy.n_heads=2 policy.dim_feedforward=32 "
    "policy.n_encoder_layers=1 policy.use_vae=false log_freq=1 save_freq=10000000 num_workers=0"
)
OFTEN = "log_freq=1 save_freq=10000000 num_workers=0"
"""With a preset nothing that LeRobot would have to be asked about first, which takes seconds twice."""


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with one set of this studio's world, without images: nothing to decode."""
    pose = Feature("float32", (5,), ("a", "b", "c", "d", "e"))
    scene = {"scene": asdict(Scene()), "fingerprint": fingerprint(Scene())}
    home = tmp_path_factory.mktemp("states")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arm, "SCENE", arm.SCENE | scene)
        whole = arm.record(
            tmp_path_factory.mktemp("whole") / "whole",
            twist=lambda episode, numbers, block: (
                numbers | {"observation.environment_state": block[:, :5].astype(np.float32)}
            ),
            features={**FEATURES, "observation.environment_state": pose},
        )
    plan = begin([whole])
    for camera in CAMERAS:
        plan = edited(plan, Columns(DropFeature(camera), 0))
    apply(plan, home / "arm", tell=lambda *_: None)
    return home


async def test_trained_from_the_form_and_stopped_with_a_checkpoint(
    open_studio: Open, states: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real training: started by the form, followed, stopped by a key."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr("studio.tui.train.WAIT_S", 0.01)
    jobs, run = Jobs(tmp_path / "runs"), Run(tmp_path / "runs/mine")
    async with open_studio(states, Place("train", states / "arm"), jobs=jobs, notes=False, size=(100, 40)) as pilot:
        for field, value in (
            ("to", "mine"), ("preset", "cpu-state"), ("steps", STEPS), ("batch_size", "4"), ("more", OFTEN),
        ):  # fmt: skip
            pilot.app.screen.query_one(f"#{field}").value = value
        await until(pilot, lambda: "Ready: Enter trains" in text_of(pilot.app), seconds=120)
        assert "! privileged" in text_of(pilot.app), "a warning is told and refuses nothing"
        await press(pilot, "enter")
        assert "› training" in text_of(pilot.app)
        await until(pilot, lambda: "● running" in text_of(pilot.app) and _step(pilot.app) > 2, seconds=240)
        early = len(TrainingWatch(run.folder).look().points.steps)
        await until(pilot, lambda: len(TrainingWatch(run.folder).look().points.steps) > early)
        await press(pilot, "s")
        await until(pilot, lambda: "● stopped" in text_of(pilot.app), seconds=120)
        (kept,) = TrainingWatch(run.folder).look().kept
        assert f"r goes on from checkpoint {kept:06d}: studio train --resume mine" in words(pilot.app)
        (job,) = jobs.all()
        await until(pilot, lambda: jobs.get(job.id).state is State.CANCELLED)


@pytest.mark.slow
async def test_a_training_of_the_command_line_is_stopped_and_gone_on_with_from_here(
    open_studio: Open, states: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    jobs, run = Jobs(tmp_path / "runs"), Run(tmp_path / "runs/mine")
    async with open_studio(states, place(run), jobs=jobs, notes=False, size=(100, 40)) as pilot:
        line = ["train", str(states / "arm"), "--to", "mine", "--steps", STEPS, "--batch-size", "4"]
        with (tmp_path / "said").open("w") as said:
            command = subprocess.Popen([sys.executable, "-m", "studio.cli", *line, "--set", *SMALL.split()],
                                       stdout=said, stderr=said, start_new_session=True)  # fmt: skip
        await until(pilot, lambda: "● running" in text_of(pilot.app) and _step(pilot.app) > 2, seconds=240)
        await press(pilot, "s")
        await until(pilot, lambda: "● stopped" in text_of(pilot.app), seconds=120)
        assert command.wait(60) == 130, (tmp_path / "said").read_text()
        (kept,) = TrainingWatch(run.folder).look().kept
        await press(pilot, "r")
        await until(pilot, lambda: "● running" in text_of(pilot.app) and _step(pilot.app) > kept, seconds=240)
        assert run.read()["resumed"][0]["from_step"] == kept
        await press(pilot, "s")
        await until(pilot, lambda: "● stopped" in text_of(pilot.app), seconds=120)
        (job,) = jobs.all()
        await until(pilot, lambda: jobs.get(job.id).state is State.CANCELLED)


def _step(app: object) -> int:
    """As the bar says it."""
    before = words(app).split(f" of {STEPS}")[0].split()
    return int(before[-1]) if before and before[-1].isdecimal() else 0
