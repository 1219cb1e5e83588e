"""The closed loop and the filter experiment whole, at plumbing size: killed at any point, the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from curation.fingerprint import fingerprint
from curation.store import Store
from tests.end_to_end.commands import Commands

SHOWN = ("--box", "0.31", "0.36", "-0.04", "0.01", "--yaw", "0")
"""5 by 5 cm: small enough to be learned within a minute of one core."""
BOX = ("--box", "0.27", "0.38", "-0.08", "0.06", "--yaw", "0")
"""Around them, where such a policy succeeds about every other time."""
STEPS = 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def base(commands: Commands) -> str:
    """A policy that sees the block's pose and succeeds now and then, trained on 40 demonstrations."""
    size = ("--width", "128", "--height", "96")
    commands.studio("generate", "-n", "40", *SHOWN, *size, "--privileged", "--to", "shown")
    commands.studio("merge", "shown", "--drop-feature", "overhead_cam", "wrist_cam", "--to", "shown-bare", "--yes")
    commands.studio("train", "shown-bare", "--preset", "cpu-state", "--steps", str(STEPS), "--to", "base")
    return "base"


@pytest.fixture(scope="module")
def classifier(commands: Commands) -> str:
    """A success classifier that learned from somebody else's attempts, with its card."""
    attempts = ("generate", "--operator", "fumbler", "--keep", "all", "-n", "80", "--seed", "9", "--to", "fumbled")
    commands.studio(*attempts, "--box", "0.22", "0.36", "-0.10", "0.20", "--width", "128", "--height", "96")
    commands.studio("classifier", "fumbled", "--no-controls", "--to", "done", timeout=1500)
    return "done"


def killed(commands: Commands, words: Sequence[str], folder: Path, after: Sequence[int]) -> int:
    """Start the same command and kill it a moment after so many steps are done, then let it end; how often it was."""
    kills = 0
    for done in after:
        child = subprocess.Popen(
            [sys.executable, "-m", "studio.cli", *words], env=commands.surroundings, cwd=commands.home,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + 1500
        while len(list(folder.glob("steps/*.json"))) < done:
            assert child.poll() is None, child.communicate()[1][-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(2.0)  # into the midst of the next one
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            kills += 1
        child.communicate()
    return kills


def test_two_rounds_of_improvement_survive_kills(commands: Commands, base: str) -> None:
    asked = ("--rounds", "2", *BOX, "-n", "16", "--propose", "5", "--per-position", "4", "-y", "--json")
    words = ("improve", base, "--to", "loop", *asked)
    folder = commands.home / "runs/loop"
    assert killed(commands, words, folder, after=(2, 5, 6, 12)) >= 3
    before = {path.name: path.read_bytes() for path in folder.glob("steps/*.json")}
    told = ended(commands, words)
    assert [one["round"] for one in told["rounds"]] == [1, 2]
    for mark, one in zip(("r1", "r2"), told["rounds"], strict=True):
        attempts = Store.open(commands.home / f"loop-{mark}-attempts")
        assert attempts.total_episodes == one["attempts"] == 20
        assert len((attempts.root / "meta/studio/attempts.jsonl").read_text().splitlines()) == 20
        kept = Store.open(commands.home / f"loop-{mark}-kept")
        assert kept.total_episodes == one["added"] == one["succeeded"] > 0
        assert all(row.success for row in kept.rows())
        assert one["low"] <= one["difference"] <= one["high"]
        assert one["low_per_episode"] == pytest.approx(one["low"] / one["added"])
    first, second = (Store.open(commands.home / f"loop-{mark}-data").total_episodes for mark in ("r1", "r2"))
    assert (first, second) == (40 + told["rounds"][0]["added"], first + told["rounds"][1]["added"])
    assert any("plumbing, not a result" in line for line in told["caveats"])
    assert any("one training" in line for line in told["caveats"])
    # What was done before the last start was not done again.
    assert {name: (folder / "steps" / name).read_bytes() for name in before} == before
    commands.studio("check", "loop-r2-data")
    commands.studio("improve", base, "--to", "loop", "--rounds", "1", *BOX, "-y", code=2)


def test_the_filter_experiment_survives_kills_and_claims_nothing(
    commands: Commands, base: str, classifier: str
) -> None:
    asked = (*BOX, "--classifier", classifier, "--attempts", "24", "-n", "16", "--survival", "0.3", "-y", "--json")
    words = ("experiment", "filter", base, "--to", "exp", *asked)
    folder = commands.home / "runs/exp"
    assert killed(commands, words, folder, after=(0, 3, 14, 20)) >= 3
    registered = (folder / "preregistration.json").read_bytes()
    data = fingerprint(commands.home / "exp-attempts")
    told = ended(commands, words)
    assert (folder / "preregistration.json").read_bytes() == registered
    assert fingerprint(commands.home / "exp-attempts") == data
    assert told["plumbing"]
    arms = told["arms"]
    names = ["demonstrations", "unfiltered", "oracle", "classifier", "stress", "random", "matched", "expert"]
    assert list(arms) == names
    size = arms["classifier"]["attempts"]
    assert size == arms["random"]["attempts"] == arms["matched"]["attempts"] > 0
    assert all(arms[name]["attempts"] <= size for name in ("oracle", "stress", "expert"))
    lengths = {one.length for one in Store.open(commands.home / "exp-attempts").episodes}
    assert lengths == {300}, "nobody ended an attempt by its outcome"
    assert all(len(one["rates"]) == 3 and set(one["episodes"]) == {16} for one in arms.values())
    assert [name for name, one in arms.items() if one["ceiling"]] == ["expert"]
    steps = {json.loads((commands.home / "runs" / run / "run.json").read_text())["steps"] for run in runs(arms)}
    assert steps == {STEPS}
    assert told["primary"]["found"]["trainings_a"] == 3
    text = commands.studio("experiment", "report", "exp").out
    assert text.startswith("PLUMBING, NOT A RESULT")
    changed = [*words[:-2], "--train-seeds", "4", "-y"]
    assert "preregistration.json was written before" in commands.studio(*changed, code=2).err


def runs(arms: dict[str, Any]) -> list[str]:
    """Names of all trainings of an experiment."""
    return [f"exp-{arm}-seed{seed}" for arm in arms for seed in range(3)]


def ended(commands: Commands, words: Sequence[str]) -> dict[str, Any]:
    """The same command to its end; what it told."""
    done = subprocess.run(
        [sys.executable, "-m", "studio.cli", *words], env=commands.surroundings, cwd=commands.home, capture_output=True,
        text=True, timeout=3000, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told
