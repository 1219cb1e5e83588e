"""A browser page outlives an App that failed: it is greeted once, and told to close only when the person leaves."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from textual.drivers import web_driver

from studio.tui.browser_driver import BrowserDriver

GREETING = b"__GANGLION__\n"


class Page:
    """Collects what a driver writes."""

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.said.append(data)
        return len(data)

    @property
    def closed(self) -> bool:
        return any(b'"exit"' in data for data in self.said)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setattr(BrowserDriver, "_greeted", False)
    monkeypatch.setattr(BrowserDriver, "_page_size", None)
    monkeypatch.setattr(web_driver, "InputReader", lambda: SimpleNamespace(close=lambda: None))
    return Page()


def app(crash: object) -> Any:
    async def take(message: object) -> None:
        taken.append(message)

    taken: list[Any] = []
    return SimpleNamespace(
        crash=crash, taken=taken, _post_message=take, post_message=taken.append, call_later=lambda *_: None
    )


async def shown(owner: Any, page: Page, resize: tuple[int, int] | None = None) -> None:
    driver = BrowserDriver(owner, size=(80, 24))
    driver._write = page.write
    driver._key_thread = SimpleNamespace(start=lambda: None)
    driver.start_application_mode()
    await asyncio.sleep(0)
    if resize:
        driver.on_meta("resize", {"width": resize[0], "height": resize[1]})
    driver.stop_application_mode()
    await asyncio.sleep(0)


async def test_the_page_is_greeted_once_and_closed_at_the_end(page: Page) -> None:
    await shown(app(crash="failed"), page, resize=(120, 40))
    assert page.said.count(GREETING) == 1
    assert not page.closed
    second = app(crash=None)
    await shown(second, page)
    assert page.said.count(GREETING) == 1
    assert page.closed
    assert next(message.size for message in second.taken) == (120, 40), "the page's size is still known"
