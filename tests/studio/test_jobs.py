"""Jobs outlive whoever started them, tell how far they are, and end when asked, gently first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from curation.errors import UnknownChoice, UsageError
from studio import jobs as jobs_module
from studio.console import Console
from studio.jobs import BEAT, EXIT, JOB, PROGRESS, SILENT_S, VARIABLE, Job, Jobs, State, write_json
from tests.studio.conftest import Studio

SLEEPER = """
import os, signal, subprocess, sys, time
from pathlib import Path
{before}
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
Path("child").write_text(str(child.pid))
print("ready", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("interrupted, saving", flush=True)
    sys.exit(130)
"""


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    monkeypatch.chdir(tmp_path)
    return Jobs(tmp_path / "runs", grace=(1.0, 0.5))


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "never happened"
        time.sleep(0.05)


def over(jobs: Jobs, which: str) -> Job:
    until(lambda: jobs.get(which).state.over)
    return jobs.get(which)


def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str = "") -> None:
    """Let the command of every job be a process that sleeps and has a child, instead of studio.cli."""
    (tmp_path / "studio").mkdir()
    (tmp_path / "studio" / "cli.py").write_text(SLEEPER.format(before=textwrap.dedent(before)))
    for name in ("__init__", "jobs", "job_process"):
        source = Path(jobs_module.__file__).with_name(f"{name}.py")
        (tmp_path / "studio" / f"{name}.py").write_text(source.read_text())
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(jobs_module.__file__).parents[1]}")


def test_a_job_ends_with_its_exit_code_and_its_words(jobs: Jobs) -> None:
    started = jobs.start(["--version"])
    assert started.state is State.RUNNING
    good = over(jobs, started.id)
    assert (good.state, good.code) == (State.DONE, 0)
    assert good.log().startswith("teleop-studio ")
    bad = over(jobs, jobs.start(["inspect", "no such set"]).id)
    assert (bad.state, bad.code) == (State.FAILED, 2)
    assert "is not a LeRobot v3 dataset" in bad.log()
    assert bad.command == "studio inspect 'no such set'"
    assert [job.id for job in jobs.all()] == [bad.id, good.id]


def test_a_cancelled_job_is_interrupted_with_its_children(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, tmp_path)
    which = jobs.start(["generate"]).id
    until(lambda: "ready" in jobs.get(which).log())
    assert jobs.cancel(which).state is State.STOPPING
    job = over(jobs, which)
    assert (job.state, job.code) == (State.CANCELLED, 130)
    assert "interrupted, saving" in job.log()
    until(lambda: not alive(int((tmp_path / "child").read_text())))
    with pytest.raises(UsageError, match="is over"):
        jobs.cancel(which)


def test_a_job_that_does_not_listen_is_killed(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(
        monkeypatch,
        tmp_path,
        """
        for name in ("SIGINT", "SIGTERM"):
            signal.signal(getattr(signal, name), lambda number, frame: os.write(1, b"%d ignored\\n" % number))
        """,
    )
    which = jobs.start(["generate"]).id
    until(lambda: "ready" in jobs.get(which).log())
    began = time.monotonic()
    jobs.cancel(which)
    job = over(jobs, which)
    assert time.monotonic() - began >= 1.5
    assert (job.state, job.code) == (State.CANCELLED, -9)
    # One write each: the child's words come into the same log at the same time.
    assert job.log().index("2 ignored") < job.log().index("15 ignored")


def test_a_job_outlives_its_starter(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, tmp_path)
    starter = "from pathlib import Path; from studio.jobs import Jobs; print(Jobs(Path('runs')).start(['generate']).id)"
    done = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, check=True, timeout=30)
    which = done.stdout.strip()
    until(lambda: "ready" in jobs.get(which).log())
    assert jobs.get(which).state is State.RUNNING
    jobs.cancel(which)
    assert over(jobs, which).state is State.CANCELLED


def test_a_job_that_went_silent_is_lost(jobs: Jobs) -> None:
    folder = jobs.folder / "generate-1"
    folder.mkdir(parents=True)
    write_json(folder / JOB, {"argv": ["generate"], "cwd": ".", "started": datetime.now(UTC).isoformat()})
    (folder / BEAT).touch()
    assert jobs.get("generate-1").state is State.RUNNING
    before = time.time() - SILENT_S - 1
    os.utime(folder / BEAT, (before, before))
    assert jobs.get("generate-1").state is State.LOST
    (folder / JOB).write_text("{")
    assert jobs.all() == []


def test_an_unknown_job_is_named(jobs: Jobs) -> None:
    with pytest.raises(UnknownChoice, match="Unknown job 'x'"):
        jobs.get("x")


def test_the_console_tells_how_far_a_job_is(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = jobs.folder / "generate-1"
    folder.mkdir(parents=True)
    write_json(folder / JOB, {"argv": ["generate"], "cwd": ".", "started": datetime.now(UTC).isoformat()})
    (folder / BEAT).touch()
    monkeypatch.setenv(VARIABLE, str(folder))
    console = Console()
    console.advance(5, 25)
    console.step("take 1: success, kept (5/25)")
    progress = jobs.get("generate-1").progress
    assert (progress.done, progress.of, progress.left_s) == (5, 25, None)
    write_json(folder / PROGRESS, {"done": 15, "of": 25, "text": "t", "first": 5, "since": 100.0, "at": 120.0})
    progress = jobs.get("generate-1").progress
    assert progress.share == pytest.approx(0.6)
    assert progress.left_s == pytest.approx(20.0)
    console.advance(25, 25)
    progress = jobs.get("generate-1").progress
    assert (progress.done, progress.text) == (25, "take 1: success, kept (5/25)")
    assert "take 1" in capsys.readouterr().err


def test_jobs_on_the_command_line(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_RUNS", str(tmp_path / "runs"))
    assert studio("jobs").out.startswith("No jobs")
    folder = tmp_path / "runs" / "jobs" / "generate-1"
    folder.mkdir(parents=True)
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    write_json(folder / JOB, {"argv": ["generate", "--to", "x"], "cwd": ".", "started": started.isoformat()})
    write_json(folder / EXIT, {"code": 3, "ended": (started + timedelta(seconds=90)).isoformat()})
    (folder / BEAT).touch()
    (folder / "log").write_text("it went wrong\n")
    listed = json.loads(studio("jobs", "--json").out)
    assert [(job["id"], job["state"], job["seconds"], job["exit_code"]) for job in listed] == [
        ("generate-1", "failed", 90.0, 3)
    ]
    assert "failed" in studio("jobs").out
    assert studio("jobs", "--log", "generate-1").out == "it went wrong\n"
    assert "exit code 3" in studio("jobs", "generate-1").out
    said = studio("jobs", "--cancel", "generate-1")
    assert (said.code, said.out) == (2, "")
    assert "is over (failed)" in said.err
    assert studio("jobs", "x").code == 2


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2] if Path("/proc").exists() else True
    except (ProcessLookupError, FileNotFoundError):
        return False
