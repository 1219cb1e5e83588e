"""Whoever is interrupted says so with the right exit code, and loses nothing that was there before."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from curation.store import Store
from recorders.journal import read_journal
from tests.faults.harness import (
    ALL,
    FAILED,
    INTERRUPTED,
    SMALL,
    USAGE,
    Here,
    Promised,
    Run,
    check_with_store,
    counted,
    ended,
    saved_ids,
    studio,
    takes,
)


def test_two_recorders_and_an_interrupt(here: Here, data: Path) -> None:
    run = Run("record", "--resume", "-n", 9, "--to", data, *SMALL)
    run.until(lambda: takes(data) and takes(data)[0].stat().st_size > 20_000)
    for second in (
        ("record", "--resume", "-n", 9, "--to", data, *SMALL),
        ("generate", "--resume", "-n", 9, "--to", data, *SMALL),
        ("recover", data),
    ):
        here(*second).refuses(USAGE, str(data), "is being recorded by another process")
    assert here("inspect", data).code == 0  # reading is free
    run.signal(signal.SIGINT)
    run.wait().refuses(INTERRUPTED, "studio record: interrupted. What was kept or saved is on disk")
    assert counted(data) == 2
    (path,) = takes(data)
    left = read_journal(path)
    assert left.footer is None
    assert len(left) >= 5
    said = here("recover", data)
    assert said.well, said
    assert any(f"take {path.stem[:8]}: {len(left)} frames" in line for line in said.out), said
    assert any("--keep | --discard" in line for line in said.out)
    assert here("recover", data, "--keep").code == 0
    assert saved_ids(data)[2:] == [path.stem]
    assert Store.open(data).episode(2).length == len(left)
    check_with_store(data)


@pytest.mark.parametrize("to_group", [True, False])
def test_terminated(data: Path, to_group: bool) -> None:
    run = Run("record", "--resume", "-n", 9, *ALL, "--to", data, *SMALL)
    run.until(lambda: run.said("take 3: .* kept"))
    if to_group:
        run.signal(signal.SIGTERM)
    else:
        run.process.terminate()
    done = run.wait()
    done.refuses(INTERRUPTED, "studio record: interrupted. What was kept or saved is on disk")
    promised = Promised()
    promised.hear(done.err, data)
    assert len(promised.kept) >= 2
    promised.must_hold(data)


@pytest.mark.parametrize("delay", [0.02, 0.3, 1.0])
def test_interrupted_while_the_drawing_process_starts(data: Path, delay: float) -> None:
    run = Run("record", "--resume", "-n", 30, *ALL, "--to", data, *SMALL)
    run.until(lambda: run.said("take 2: .* kept"))
    time.sleep(delay)
    run.signal(signal.SIGINT)
    done = run.wait()
    done.refuses(INTERRUPTED, "interrupted. What was kept or saved is on disk")
    promised = Promised()
    promised.hear(done.err, data)
    assert promised.kept
    promised.must_hold(data)


def test_generate_interrupted(data: Path) -> None:
    run = Run("generate", "--resume", "-n", 60, *ALL, "--to", data, *SMALL)
    run.until(lambda: run.said("saved episode 2"))
    run.signal(signal.SIGINT)
    done = run.wait()
    done.refuses(INTERRUPTED, "interrupted. What was kept or saved is on disk")
    assert len(takes(data)) <= 1  # one may be on its way into the dataset
    assert all(ended(path) for path in takes(data))
    assert not (data / "meta/studio/staging").exists()
    check_with_store(data)


def test_the_drawing_process_is_killed_during_a_take(data: Path) -> None:
    run = Run("record", "--resume", "-n", 30, "--keep", "all", "--limit", 1.5, "--to", data, *SMALL)
    run.until(lambda: any(data.glob("meta/studio/staging/*/*.mp4")))
    attempt = len([line for line in run.err if line.startswith("take ")])
    run.until(lambda: len([line for line in run.err if line.startswith("take ")]) > attempt)
    time.sleep(0.3)  # into the next take, during which drawing waits
    drawing = [p for p in psutil.Process(run.process.pid).children() if "spawn_main" in " ".join(p.cmdline())]
    drawing[0].kill()
    done = run.wait()
    done.refuses(FAILED, "A drawing process ended without a word (exit code -9)", "--resume")
    promised = Promised()
    promised.hear(done.err, data)
    assert promised.kept
    promised.must_hold(data)


@pytest.mark.parametrize("moment", ["meta/info.json", "videos/*/*/*.mp4"])
def test_rerender_killed_leaves_no_target(untouched: Path, tmp_path: Path, moment: str) -> None:
    to = tmp_path / "new"
    run = Run("rerender", untouched, "--to", to, "--ground", "dark", "--processes", 1)
    assert run.until(lambda: any(tmp_path.glob(f".new.*.partial/{moment}")))
    run.kill(parent_only=True)
    assert not to.exists()
    if moment.startswith("videos"):
        done = studio("rerender", untouched, "--to", to, "--ground", "dark", "--processes", 1)
        assert done.well, done
        assert [p.name for p in tmp_path.iterdir() if "new" in p.name] == ["new"]
        assert counted(to) == 2


def test_rerender_interrupted(untouched: Path, tmp_path: Path) -> None:
    run = Run("rerender", untouched, "--to", tmp_path / "new", "--processes", 1)
    run.until(lambda: any(tmp_path.glob(".new.*.partial/meta/info.json")))
    run.signal(signal.SIGINT)
    run.wait().refuses(INTERRUPTED, "interrupted")
    assert not list(tmp_path.glob("*new*"))
