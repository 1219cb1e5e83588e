"""The jobs screen follows what runs, and ends it when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.jobs import CANCEL, EXIT, LOG, PROGRESS, Jobs, write_json
from studio.tui.state import Place
from tests.screens import snapshots
from tests.screens.conftest import NOW, SIZES, Open, add_job, press, settled, text_of
from tests.screens.trainings import made

JOBS = Place("jobs")


@pytest.mark.parametrize("size", SIZES)
async def test_jobs(open_studio: Open, shelf: Path, jobs: Jobs, size: str) -> None:
    async with open_studio(shelf, JOBS, jobs=jobs, size=SIZES[size]) as pilot:
        snapshots.matches(pilot.app, f"jobs-{size}")


async def test_no_jobs_name_the_way_to_one(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, JOBS) as pilot:
        snapshots.matches(pilot.app, "jobs-empty-80x24")


async def test_c_asks_a_job_to_end(open_studio: Open, shelf: Path, jobs: Jobs) -> None:
    running = jobs.folder / "generate-0314-092553"
    async with open_studio(shelf, JOBS, jobs=jobs) as pilot:
        await press(pilot, "down", "c")
        assert not list(jobs.folder.glob(f"*/{CANCEL}")), "what is over cannot be cancelled"
        await press(pilot, "up", "c")
        assert (running / CANCEL).exists()
        assert "stopping" in text_of(pilot.app)
        write_json(running / EXIT, {"code": 130, "ended": NOW.isoformat()})
        await pilot.pause(0.8)
        await settled(pilot)
        assert "cancelled" in text_of(pilot.app)


async def test_the_log_follows_until_one_scrolls_up(open_studio: Open, shelf: Path, jobs: Jobs) -> None:
    log = jobs.folder / "generate-0314-092553" / LOG
    async with open_studio(shelf, JOBS, jobs=jobs) as pilot:
        log.write_text("".join(f"line {number}\n" for number in range(60)))
        await pilot.pause(0.8)
        await settled(pilot)
        assert "line 59" in text_of(pilot.app)
        await press(pilot, "tab", "pageup", "pageup")
        await pilot.pause(0.4)
        log.write_text(log.read_text() + "line 60\n")
        await pilot.pause(0.8)
        await settled(pilot)
        assert "line 60" not in text_of(pilot.app)
        await press(pilot, "end")
        await pilot.pause(0.4)
        assert "line 60" in text_of(pilot.app)


async def test_the_log_can_have_the_screen(open_studio: Open, shelf: Path, jobs: Jobs) -> None:
    async with open_studio(shelf, JOBS, jobs=jobs) as pilot:
        await press(pilot, "l")
        assert "progress" not in text_of(pilot.app)
        await press(pilot, "l")
        assert "progress" in text_of(pilot.app)


async def test_trainings_evaluations_and_generations_lead_to_their_screens(
    open_studio: Open, shelf: Path, tmp_path: Path, jobs: Jobs
) -> None:
    run = made(tmp_path / "runs", shelf / "pos2", "mine", reached=400, state="stopped")
    add_job(tmp_path / "runs", "train-0314-092600", ["train", "pos2", "--to", "mine"], 30, 130, "mine is stopped\n")
    about = {"done": 400, "of": 2000, "text": "", "about": str(run.folder), "first": 0, "since": 0.0, "at": 1.0}
    write_json(tmp_path / "runs/jobs/train-0314-092600" / PROGRESS, about)
    async with open_studio(shelf, JOBS, jobs=jobs) as pilot:
        assert "Enter look at it" in text_of(pilot.app)
        await press(pilot, "enter")
        assert "› training › mine" in text_of(pilot.app).splitlines()[0]
        await press(pilot, "escape", "down", "enter")
        assert "› generation" in text_of(pilot.app).splitlines()[0]
        await press(pilot, "escape", "down")
        assert "Enter look at it" not in text_of(pilot.app)
