"""A screen or worker that fails never ends the studio, and never what goes on beside it."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from textual import work
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widget import Widget

from curation.errors import UsageError
from studio.tui import places
from studio.tui import run as run_module
from studio.tui.app import StudioApp
from studio.tui.run import MOST, KeepsCrashing, run
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from tests.screens.conftest import settled, text_of


class Boom(StudioScreen):
    """Fails on demand, in every way a screen can."""

    NAME = "boom"
    BINDINGS = [
        Binding("k", "fail", "fail"),
        Binding("w", "work", "fail in a worker"),
        Binding("a", "async_work", "fail in an async worker"),
        Binding("e", "refuse", "refuse in a worker"),
        Binding("m", "timer", "fail in a timer"),
        Binding("d", "draw", "fail while drawing"),
    ]
    in_compose = False

    def body(self) -> Iterable[Widget]:
        if self.in_compose:
            raise RuntimeError("planted in compose")
        yield Drawn()

    def action_fail(self) -> None:
        raise RuntimeError("planted in a key")

    def action_timer(self) -> None:
        self.set_timer(0.01, self.action_fail)

    def action_draw(self) -> None:
        drawn = self.query_one(Drawn)
        drawn.broken = True
        drawn.refresh()

    @work(thread=True)
    def action_work(self) -> None:
        raise RuntimeError("planted in a worker")

    @work
    async def action_async_work(self) -> None:
        raise RuntimeError("planted in an async worker")

    @work(thread=True)
    def action_refuse(self) -> None:
        raise UsageError("The disk is full. Free some space.")


class Drawn(Widget):
    broken = False

    def render(self) -> str:
        if self.broken:
            raise RuntimeError("planted in drawing")
        return "drawn"


class Recording:
    """Stands for a recording that goes on."""

    name = "pos2"

    def __init__(self) -> None:
        self.released = self.closed = 0

    def release_keys(self) -> None:
        self.released += 1

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def studio(look: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setitem(places.SCREENS, "boom", f"{__name__}:Boom")
    monkeypatch.setattr("studio.tui.places.import_module", _import(places.import_module))
    return Studio(home=tmp_path / "none", live=Recording(), trail=[Place(), Place("boom")])


def words_of(text: str) -> str:
    """A screen's words on one line, without the edges of its notifications."""
    return re.sub(r"[\s▌]+", " ", text)


def _import(real: Any) -> Any:
    return lambda name: sys.modules[__name__] if name == __name__ else real(name)


def shown_by(scripts: list[Any]) -> Any:
    """Runs each App with the next script, without a terminal."""
    left = iter(scripts)

    def show(app: StudioApp) -> None:
        async def main() -> None:
            # The pilot raises what was planted; the runner has its own way of knowing.
            with suppress(RuntimeError):
                async with app.run_test(notifications=True) as pilot:
                    await settled(pilot)
                    await next(left)(pilot)

        asyncio.run(main())

    return show


@pytest.mark.parametrize("key", ["k", "m", "d"])
def test_a_failing_screen_is_opened_again_and_the_recording_goes_on(studio: Studio, tmp_path: Path, key: str) -> None:
    seen: list[str] = []

    async def fail(pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await pilot.pause(0.2)

    async def look(pilot: Pilot[None]) -> None:
        seen.append(text_of(pilot.app))
        await pilot.press("ctrl+q", "q")

    run(studio, shown_by([fail, look]))
    assert "boom" in seen[0].splitlines()[0]
    words = words_of(seen[0])
    assert "was restarted" in words
    assert "The recording goes on." in words
    assert [place.screen for place in studio.trail] == ["home", "boom"]
    assert isinstance(studio.live, Recording)
    assert (studio.live.released > 0, studio.live.closed) == (True, 0)
    log = next(tmp_path.glob("studio-tui-*.log")).read_text()
    assert "Traceback" in log
    assert "planted" in log


@pytest.mark.parametrize("key", ["w", "a"])
def test_a_failing_worker_ends_nothing(studio: Studio, tmp_path: Path, key: str) -> None:
    seen: list[str] = []

    async def fail(pilot: Pilot[None]) -> None:
        await pilot.press(key)
        await pilot.pause(0.2)
        seen.append(text_of(pilot.app))
        await pilot.press("ctrl+q", "q")

    run(studio, shown_by([fail]))
    words = words_of(seen[0])
    assert "planted in a" in words
    assert "Everything else goes on" in words
    assert "boom" in words
    assert "planted" in next(tmp_path.glob("studio-tui-*.log")).read_text()


def test_a_worker_that_is_refused_says_why(studio: Studio, tmp_path: Path) -> None:
    seen: list[str] = []

    async def refuse(pilot: Pilot[None]) -> None:
        await pilot.press("e")
        await pilot.pause(0.2)
        seen.append(text_of(pilot.app))
        await pilot.press("ctrl+q", "q")

    run(studio, shown_by([refuse]))
    assert "The disk is full. Free some space." in words_of(seen[0])
    assert not list(tmp_path.glob("studio-tui-*.log"))


def test_a_screen_that_cannot_be_made_leads_home(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Boom, "in_compose", True)
    seen: list[str] = []

    async def wait(pilot: Pilot[None]) -> None:
        await pilot.pause(0.1)

    async def look(pilot: Pilot[None]) -> None:
        seen.append(text_of(pilot.app))
        await pilot.press("ctrl+q", "q")

    run(studio, shown_by([wait, wait, look]))
    assert "home" in seen[0].splitlines()[0]


def test_it_gives_up_with_a_line_that_names_the_log(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(places.SCREENS, "home", f"{__name__}:Boom")
    monkeypatch.setattr(Boom, "in_compose", True)

    async def wait(pilot: Pilot[None]) -> None:
        await pilot.pause(0.1)

    with pytest.raises(KeepsCrashing, match=r"planted in compose.*details are in .*studio-tui-.*\.log"):
        run(studio, shown_by([wait] * MOST))
    assert isinstance(studio.live, Recording)
    assert studio.live.closed == 0


def test_crashes_now_and_then_do_not_add_up(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    passed = iter(range(0, 10_000, 20))
    monkeypatch.setattr(run_module.time, "monotonic", lambda: float(next(passed)))

    class Failed:
        crash = object()

    class Left:
        crash = None

    apps = iter([Failed() for _ in range(3 * MOST)] + [Left()])
    monkeypatch.setattr(run_module, "StudioApp", lambda studio, after: next(apps))
    run(studio, lambda app: None)


def test_a_hook_that_fails_does_not_keep_the_keys_held(studio: Studio) -> None:
    def fail() -> None:
        raise RuntimeError("planted in a hook")

    studio.on_crash.append(fail)
    studio.crashed()
    assert isinstance(studio.live, Recording)
    assert studio.live.released == 1


async def _leave(pilot: Pilot[None], *keys: str) -> tuple[bool, str]:
    await pilot.press(*keys)
    await pilot.pause()
    return pilot.app._exit, text_of(pilot.app)


def test_leaving_asks_while_a_recording_goes_on(studio: Studio) -> None:
    answers: list[tuple[bool, str]] = []

    async def leave(pilot: Pilot[None]) -> None:
        answers.append(await _leave(pilot, "ctrl+q"))
        answers.append(await _leave(pilot, "escape"))
        await pilot.press("ctrl+q", "q")

    run(studio, shown_by([leave]))
    assert answers[0][0] is False
    assert "pos2 is being recorded" in answers[0][1]
    assert "pos2 is being recorded" not in answers[1][1]
