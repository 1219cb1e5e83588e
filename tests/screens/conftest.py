"""The application without a terminal, on tiny real datasets, with a clock that stands still."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input
from textual.worker import WorkerCancelled

from curation.layout import ATTEMPTS, TAKES
from curation.notes import Note, add_notes
from curation.stats import ImageStats
from curation.store import EpisodeRow, Store, stage
from curation.video import Encoding, VideoWriter
from studio.jobs import BEAT, EXIT, JOB, LOG, PROGRESS, Jobs, write_json
from studio.overview import WATCHED
from studio.tui.app import StudioApp
from studio.tui.state import Live, Place, Studio
from tests.curation.tiny import CAMERAS, FEATURES, FPS, HEIGHT, WIDTH, numbers, picture

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
SIZES = {"80x24": (80, 24), "200x50": (200, 50)}
OUTCOMES = ("success", "success", "success", "missed_goal", "success", "dropped_in_transport", "success", "success")
LENGTH = 8


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests that are coroutines."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


Open = Callable[..., AbstractAsyncContextManager[Pilot[None]]]


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home: a set of eight, a set with takes that wait, and a folder that is damaged. Do not change it."""
    home = tmp_path_factory.mktemp("home")
    make_set(home / "pos2", OUTCOMES, changed=NOW - timedelta(hours=3))
    night = make_set(home / "night-shift", ("success", "never_reached"), changed=NOW - timedelta(minutes=5))
    (night / TAKES).mkdir(parents=True)
    for name in ("a1", "b2"):
        (night / TAKES / f"{name}.jsonl").write_text("torn", encoding="utf-8")
    (home / "old" / "meta").mkdir(parents=True)
    (home / "old" / "meta" / "info.json").write_text("{", encoding="utf-8")
    for root in (night, home / "old"):
        _touch(root, NOW - timedelta(days=4 if root.name == "old" else 0, minutes=5))
    return home


def make_set(root: Path, outcomes: tuple[str, ...], changed: datetime) -> Path:
    """A dataset with one tiny episode for each outcome."""
    scene = {"scene": {}, "fingerprint": "0" * 16}
    store = Store.create(root, fps=FPS, features=FEATURES, robot_type="so_follower", scene=scene, encoding=Encoding())
    for number, outcome in enumerate(outcomes):
        store.commit(_staged(root.parent / "stage", number, outcome))
    log = [{"attempt": n, "kept": True, "outcome": o, "status": "success"} for n, o in enumerate(outcomes)]
    log.append({"attempt": len(outcomes), "kept": False, "outcome": "timeout", "status": "timeout"})
    (root / ATTEMPTS).write_text("".join(json.dumps(line) + "\n" for line in log), encoding="utf-8")
    add_notes(root, [Note("id-1", "comment", "slipped once", "person", "2026-03-14T09:00:00+00:00")])
    add_notes(root, [Note("id-1", "score", 0.5, "person", "2026-03-14T09:00:01+00:00")])
    _touch(root, changed)
    return root


def _staged(folder: Path, number: int, outcome: str) -> Any:
    images = {camera: ImageStats() for camera in CAMERAS}
    for place, camera in enumerate(CAMERAS):
        writer = VideoWriter(folder / f"{camera}.mp4", FPS, WIDTH, HEIGHT, Encoding())
        for frame in range(LENGTH):
            writer.add(picture(number, frame, place))
            images[camera].add(picture(number, frame, place))
        writer.close()
    row = EpisodeRow(
        episode_id=f"id-{number}",
        x=round(0.22 + 0.02 * number, 3),
        y=round(0.20 - 0.05 * number, 3),
        yaw_deg=15.0 * number,
        seed=number,
        operator="keyboard" if number % 2 else "expert",
        outcome=outcome,
        success=outcome == "success",
        extra={"started": f"2026-03-14T08:{number:02}:00+00:00"},
    )
    return stage(folder, row=row, task="pick", numeric=numbers(number, LENGTH), images=images)


def _touch(root: Path, when: datetime) -> None:
    for name in WATCHED:
        if (root / name).exists():
            os.utime(root / name, (when.timestamp(), when.timestamp()))


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    """Three jobs: one runs, one is done, one failed."""
    runs = tmp_path / "runs"
    add_job(runs, "generate-0314-092553", ["generate", "--to", "pos2"], 60, None, "take 7: success, kept (7/20)\n")
    write_json(
        runs / "jobs" / "generate-0314-092553" / PROGRESS,
        {"done": 7, "of": 20, "text": "take 7: success", "first": 0, "since": 0.0, "at": 35.0},
    )
    add_job(runs, "recover-0314-091100", ["recover", "night-shift", "--keep"], 953, 0, "2 kept takes saved.\n")
    add_job(runs, "generate-0314-080000", ["generate", "--to", "x"], 5213, 1, "take 1: timeout\nNothing was kept.\n")
    return Jobs(runs)


def add_job(runs: Path, name: str, argv: list[str], ago: float, code: int | None, log: str) -> None:
    """A job that was started so many seconds ago; without a code it runs."""
    folder = runs / "jobs" / name
    folder.mkdir(parents=True)
    started = NOW - timedelta(seconds=ago)
    write_json(folder / JOB, {"argv": argv, "cwd": ".", "started": started.isoformat()})
    (folder / LOG).write_text(log, encoding="utf-8")
    (folder / BEAT).touch()
    if code is not None:
        write_json(folder / EXIT, {"code": code, "ended": (started + timedelta(seconds=42)).isoformat()})


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with every colour, whatever the tests run in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    # A cursor that blinks is on in one picture and off in the next.
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)
    for name in ("NO_COLOR", "TEXTUAL_DRIVER", "STUDIO_JOB"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def open_studio(look: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the application: `async with open_studio(home, *places) as pilot`."""
    monkeypatch.chdir(tmp_path)

    @asynccontextmanager
    async def opened(
        home: Path,
        *places: Place,
        jobs: Jobs | None = None,
        live: Live | None = None,
        size: tuple[int, int] = (80, 24),
        notes: bool = True,
    ) -> AsyncIterator[Pilot[None]]:
        shown = tmp_path / "datasets"
        if not shown.exists():
            shown.symlink_to(home)
        monkeypatch.setenv("STUDIO_DATA", "datasets")
        studio = Studio(
            home=Path("datasets"),
            jobs=jobs or Jobs(tmp_path / "runs"),
            live=live,
            trail=[Place(), *(Place(p.screen, _shown(p.dataset, home), p.what) for p in places)],
            clock=lambda: NOW,
            free=lambda _: 78_200_000_000,
        )
        app = StudioApp(studio)
        async with app.run_test(size=size, notifications=notes) as pilot:
            await settled(pilot)
            yield pilot

    return opened


def _shown(dataset: Path | None, home: Path) -> Path | None:
    return Path("datasets") / dataset.relative_to(home) if dataset is not None else None


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until no worker works and no message waits."""
    waited = 0
    while waited < 3:
        await pilot.pause()
        # What is asked for anew cancels what was asked before; then its successor is waited for.
        with suppress(WorkerCancelled):
            await pilot.app.workers.wait_for_complete()
            waited += 1
    await pilot.pause()


async def until(pilot: Pilot[Any], true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for what threads do."""
    # Looking costs what the other side needs: what takes longer is looked at less often.
    end, pause = time.monotonic() + seconds, 0.02
    while not true():
        assert time.monotonic() < end, "never happened"
        await pilot.pause(pause)
        pause = min(0.25, 1.1 * pause)
    await settled(pilot)


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, then wait until all is shown."""
    for key in keys:
        await pilot.press(key)
    await settled(pilot)


async def typed(pilot: Pilot[Any], text: str) -> None:
    """Type a text."""
    names = {
        " ": "space",
        ".": "full_stop",
        "-": "minus",
        ":": "colon",
        "/": "slash",
        "<": "less_than_sign",
        ">": "greater_than_sign",
    }
    await press(pilot, *(names.get(char, char) for char in text))


def text_of(app: Any) -> str:
    """What is on screen, as plain text."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
