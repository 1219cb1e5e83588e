"""Widgets alone in an application of their own, and what they show, cell by cell."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from studio.tui.theme import STUDIO
from tests.curation.conftest import make_stage, new_store

__all__ = ["make_stage", "new_store"]

Colour = tuple[int, int, int]
Cell = tuple[str, Colour | None, Colour | None]
Alone = Callable[..., AbstractAsyncContextManager[Pilot[None]]]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run asynchronous tests to their end."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


class Only(App[None]):
    """One widget, as large as the screen."""

    CSS = "Screen > * { width: 1fr; height: 1fr; }"

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.register_theme(STUDIO)
        self.theme = STUDIO.name
        self._widget = widget

    def compose(self) -> ComposeResult:
        yield self._widget


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Alone:
    """`async with alone(widget, columns, lines) as pilot`, in full colour unless told."""

    @asynccontextmanager
    async def shown(widget: Widget, columns: int, lines: int, colours: str = "truecolor") -> AsyncIterator[Pilot[None]]:
        monkeypatch.setattr("textual.constants.COLOR_SYSTEM", colours)
        monkeypatch.delenv("NO_COLOR", raising=False)
        async with Only(widget).run_test(size=(columns, lines)) as pilot:
            await pilot.pause()
            yield pilot

    return shown


def cells(widget: Widget) -> list[list[Cell]]:
    """What a widget shows: character, colour and colour behind it, by line and column."""
    return [
        [cell for segment in widget.render_line(line) for cell in _cells(segment)] for line in range(widget.size.height)
    ]


def text(widget: Widget) -> list[str]:
    return ["".join(cell[0] for cell in line) for line in cells(widget)]


def _cells(segment: Segment) -> list[Cell]:
    style = segment.style
    fore: Any = style.color.triplet if style and style.color else None
    back: Any = style.bgcolor.triplet if style and style.bgcolor else None
    return [(letter, tuple(fore) if fore else None, tuple(back) if back else None) for letter in segment.text]
