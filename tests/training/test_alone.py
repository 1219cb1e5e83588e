"""One process trains a run at a time; whether one does is seen by its lock, not by a number."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curation.errors import UsageError
from studio import cli
from tests.training.runs import asked, begun
from training.alone import alone, is_trained
from training.runs import Run, state_of
from training.stopping import ask_to_stop

STARTS = """
import subprocess, sys
from pathlib import Path
from training.alone import alone
from training.runs import Run

with alone(Run(Path(sys.argv[1]))) as held:
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = subprocess.Popen(sleep, stdout=subprocess.DEVNULL, pass_fds=[held.lock.fileno()])
    print(child.pid, flush=True)
    child.wait()
"""


@pytest.fixture
def run(arm: Path, home: Path) -> Run:
    return begun(home / "a", arm, asked(steps=5))


def test_a_second_resume_is_told_who_trains_and_changes_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.update(state="stopped", pid=4711, host="lab")
    written = run.checkpoints / "000005.partial"
    written.mkdir(parents=True)
    before = (run.folder / "run.json").read_bytes()
    with alone(run):
        assert cli.run(["train", "--resume", "a", "--steps", "50"]) == 2
        assert "a is being trained by process 4711 on lab. Wait for it, or stop it first." in capsys.readouterr().err
    assert (run.folder / "run.json").read_bytes() == before
    assert written.is_dir()


def test_the_training_holds_on_when_who_started_it_is_killed(run: Run) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTS, str(run.folder)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    starter.kill()
    starter.communicate()
    assert is_trained(run)
    with pytest.raises(UsageError, match="is being trained"), alone(run):
        pass
    os.kill(child, 9)
    until = time.monotonic() + 20
    while is_trained(run):
        assert time.monotonic() < until
        time.sleep(0.02)
    with alone(run):
        assert is_trained(run)


@pytest.mark.parametrize("pid", [1, os.getpid()], ids=["init's", "another program's"])
def test_a_number_that_is_another_processs_now_is_no_sign_of_life(run: Run, pid: int) -> None:
    run.update(state="running", pid=pid)
    assert state_of(run) == "killed"
    with pytest.raises(UsageError, match="there is nothing to stop"):
        ask_to_stop(run)
    with alone(run):
        assert state_of(run) == "running"
