"""LeRobot's own HIL-SERL actor and learner on the studio's world, rewarded by a classifier trained here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from curation.store import Store
from studio.hil_pair import Seen, seen
from tests.end_to_end.commands import BIN, Commands

pytestmark = [pytest.mark.slow, pytest.mark.paced, pytest.mark.timeout(1800), pytest.mark.filterwarnings("ignore")]

SIZE = ("--width", "192", "--height", "144", "--fps", "10")
LIMIT = ("--limit", "7", "--threads", "1", "--batch", "8")
LONG = 1200.0
GONE_S = 120.0
"""Time within which nothing may run any more [s]: a learner may be writing its checkpoint."""


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """A home with attempts, a classifier of them, and demonstrations."""
    made = Commands(tmp_path_factory.mktemp("hil"))
    attempts = ("--operator", "fumbler", "--keep", "all", "-n", "60", "--box", "0.24", "0.36", "-0.05", "0.15")
    made.studio("generate", *attempts, "--seed", "5", *SIZE, "--to", "attempts", timeout=LONG)
    made.studio(
        "generate", "-n", "4", "--at", "0.337", "-0.015", "--jitter", "0.02", "--yaw", "0", *SIZE, "--to", "demos"
    )
    made.studio("classifier", "attempts", "--no-controls", "--to", "done", timeout=LONG)
    return made


def test_what_the_classifier_rewards_reaches_the_learner_and_its_weights_reach_the_actor(commands: Commands) -> None:
    words = ("hil", "done", "--demos", "demos", "--to", "smoke", "--steps", "260", "--interventions", "0.7", *LIMIT)
    told = json.loads(commands.studio(*words, "--json", timeout=900).out)
    folder = commands.home / "runs/smoke"
    episodes, learner = told["episodes"], told["learner"]
    rewarded = [one for one in episodes if one["ended"] == "classifier"]
    assert rewarded, "an intervention led to a reward"
    assert all(one["reward"] == 1.0 for one in rewarded)
    assert all(one["reward"] == 0.0 for one in episodes if one not in rewarded)
    assert any(one["driven"] for one in rewarded)
    # Everything the actor saw is what the learner holds; interventions are among the demonstrations, too.
    assert (learner["rewarded"], learner["transitions"]) == (len(rewarded), told["steps"])
    assert learner["offline"] == told["demonstrations"]["transitions"] + told["driven_by_expert"]
    assert learner["step"] > 3
    assert learner["loss_critic"] > 0
    # The actor's weights are the learner's: they came from there, and changed as it learned.
    assert len({one["weights"] for one in episodes[1:]}) >= 2
    assert told["weights_loaded"] >= 2
    require_checkpoint(folder, commands.home / told["checkpoint"], told)


def require_checkpoint(folder: Path, checkpoint: Path, told: dict[str, Any]) -> None:
    """LeRobot loads the policy, and both buffers lie beside it, with pictures of the same brightness."""
    from lerobot.policies.gaussian_actor.modeling_gaussian_actor import GaussianActorPolicy

    assert checkpoint == folder / "learner/checkpoints/last/pretrained_model"
    assert GaussianActorPolicy.from_pretrained(checkpoint).config.online_steps == 260
    assert Store.open(folder / "demonstrations").total_frames == told["demonstrations"]["transitions"]
    light = {}
    for name, rows in (("dataset", told["learner"]["transitions"]), ("dataset_offline", told["learner"]["offline"])):
        assert json.loads((folder / "learner" / name / "meta/info.json").read_bytes())["total_frames"] == rows
        stats = json.loads((folder / "learner" / name / "meta/stats.json").read_bytes())
        light[name] = stats["observation.images.overhead_cam"]["mean"][0][0][0]
    assert light["dataset"] == pytest.approx(light["dataset_offline"], abs=0.1)


def begun(commands: Commands, name: str) -> tuple[subprocess.Popen[bytes], Path]:
    """A run that goes on for hours, once it has learned something from rewarded episodes."""
    words = ("hil", "done", "--demos", "demos", "--to", name, "--steps", "2000", "--interventions", "1", *LIMIT)
    with (commands.home / f"{name}.log").open("wb") as log:
        started = subprocess.Popen(
            [BIN / "studio", *words], cwd=commands.home, env=commands.surroundings, stdout=log, stderr=log,
            # A process that is started in the background may have been told to ignore Ctrl+C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
    folder, deadline = commands.home / "runs" / name, time.monotonic() + 400
    while not learned(now := seen(folder)):
        assert started.poll() is None, (commands.home / f"{name}.log").read_text()
        assert time.monotonic() < deadline, now
        time.sleep(0.5)
    assert len(running(folder)) == 3
    return started, folder


def learned(now: Seen) -> bool:
    return now.learning.get("step", 0) >= 2 and now.learning.get("rewarded", 0) >= 1


def running(folder: Path) -> list[int]:
    """The processes of a run: the command, learner and actor."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        own = any(str(folder) in word for word in words) or ("hil" in words and folder.name in words)
        if own and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def require_gone(folder: Path) -> None:
    deadline = time.monotonic() + GONE_S
    while left := running(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def test_ctrl_c_ends_both_with_a_checkpoint(commands: Commands) -> None:
    started, folder = begun(commands, "stopped")
    started.send_signal(signal.SIGINT)
    assert started.wait(GONE_S) == 130
    assert not running(folder)
    assert json.loads((folder / "hil.json").read_bytes())["state"] == "stopped"
    assert (folder / "learner/checkpoints/last/pretrained_model/model.safetensors").is_file()
    said = (commands.home / "stopped.log").read_text()
    assert "A smoke run" in said
    assert "Traceback" not in said


def test_a_kill_leaves_nothing_running(commands: Commands) -> None:
    started, folder = begun(commands, "killed")
    started.kill()
    started.wait()
    require_gone(folder)
