"""`studio train` as a person runs it: it stops at Ctrl+C with a checkpoint, and goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from training.checkpoints import listed
from training.recipe import Recipe
from training.runs import Run

STEPS = 10_000_000
"""More than anyone waits for: however late the stop comes, it comes in their midst."""


def studio(home: Path, *words: str) -> subprocess.Popen[str]:
    """A studio command whose runs lie under `home`."""
    return subprocess.Popen(
        [sys.executable, "-m", "studio.cli", *words],
        env={**os.environ, "STUDIO_RUNS": str(home), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(run: Run, step: int, child: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while run.beat().get("step", 0) < step:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def told(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = child.communicate(timeout=300)
    return child.returncode, out, err


@pytest.fixture(scope="module")
def state_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The arm's dataset without its cameras, and a block's pose instead: nothing to decode."""
    import numpy as np

    from curation.apply import apply
    from curation.columns import DropFeature
    from curation.frames import Feature
    from curation.plan import Columns, begin, edited
    from tests.curation.checks.arm import Numbers, record
    from tests.curation.tiny import CAMERAS, FEATURES

    pose = Feature("float32", (5,), ("a", "b", "c", "d", "e"))

    def see(episode: int, numbers: Numbers, block: Any) -> Numbers:
        return numbers | {"observation.environment_state": block[:, :5].astype(np.float32)}

    folder = tmp_path_factory.mktemp("state")
    store = record(folder / "whole", twist=see, features={**FEATURES, "observation.environment_state": pose})
    plan = begin([store])
    for camera in CAMERAS:
        plan = edited(plan, Columns(DropFeature(camera), 0))
    apply(plan, folder / "state", tell=lambda *_: None)
    return folder / "state"


def test_ctrl_c_stops_with_a_checkpoint_and_resume_goes_on(state_only: Path, tmp_path: Path) -> None:
    words = (
        "--set", "policy.chunk_size=10", "policy.n_action_steps=5", "policy.dim_model=32", "policy.n_heads=2",
        "policy.dim_feedforward=32", "policy.n_encoder_layers=1", "policy.use_vae=false", "log_freq=1",
        f"save_freq={STEPS}",
    )  # fmt: skip
    child = studio(
        tmp_path, "train", str(state_only), "--to", "a", "--steps", str(STEPS), "--batch-size", "4", *words, "--force"
    )
    run = Run(tmp_path / "a")
    wait_for(run, 3, child)
    step, said = stopped(run, child)
    assert f"go on with studio train --resume {run.name}" in said
    digest = run.read()["recipe_digest"]
    again = studio(tmp_path, "train", "--resume", "a", "--steps", str(STEPS + 1))
    wait_for(run, step + 3, again)
    second = studio(tmp_path, "train", "--resume", "a")
    code, _, refused = told(second)
    assert (code, f"being trained by process {run.read()['pid']} on" in refused) == (2, True), refused
    end, said = stopped(run, again)
    assert f"{STEPS + 1} steps instead of {STEPS}: the learning rate goes on as the policy's own schedule" in said
    assert run.read()["recipe_digest"] == Recipe.from_json(run.read()["recipe"]).digest != digest
    assert f"resuming a from step {step}; 0 steps after it are lost" in said
    assert end >= step + 3
    assert run.read()["resumed"][0]["from_step"] == step
    assert [line["step"] for line in run.curve()] == list(range(1, end + 1))


def stopped(run: Run, child: subprocess.Popen[str]) -> tuple[int, str]:
    """Ctrl+C: the step of the checkpoint it left, and what it said."""
    child.send_signal(signal.SIGINT)
    code, _, said = told(child)
    assert code == 130, said
    assert run.read()["state"] == "stopped"
    step = int(listed(run.checkpoints)[-1].name)
    assert 3 <= step < STEPS
    return step, said


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_last_checkpoint(state_only: Path, tmp_path: Path) -> None:
    words = ("--set", "policy.chunk_size=10", "policy.n_action_steps=5", "policy.dim_model=32", "policy.n_heads=2",
             "policy.dim_feedforward=32", "policy.n_encoder_layers=1", "policy.use_vae=false", "log_freq=1",
             "save_freq=7")  # fmt: skip
    begin = ("train", str(state_only), "--to", "a", "--steps", "60", "--batch-size", "4", *words, "--force")
    whole = studio(tmp_path / "whole", *begin)
    assert told(whole)[0] == 0
    run = Run(tmp_path / "killed" / "a")
    child = studio(tmp_path / "killed", *begin)
    for at in (10, 25, 40):
        wait_for(run, at, child)
        os.kill(int(run.read()["pid"]), signal.SIGKILL)
        assert told(child)[0] == 1
        child = studio(tmp_path / "killed", "train", "--resume", "a")
    code, _, said = told(child)
    assert code == 0, said
    assert [one["lost_steps"] >= 0 and one["from_step"] % 7 == 0 for one in run.read()["resumed"]] == [True] * 3
    there = {line["step"]: line["loss"] for line in Run(tmp_path / "whole" / "a").curve()}
    assert {line["step"]: line["loss"] for line in run.curve()} == there
