"""The screens in a browser: nothing is given to whoever has not the printed address."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from curation.errors import UsageError
from studio.console import Console
from studio.web import make_app, serve_forever
from tests.screens.browser import CHROMIUM, Page, browser
from tests.screens.conftest import look as look

TOKEN = "the-right-token"
PATHS = ("/", "/ws", "/static/js/textual.js", "/download/x", "/nothing")


async def client() -> TestClient:
    found = TestClient(TestServer(await make_app("127.0.0.1", 0, TOKEN, "false")))
    await found.start_server()
    return found


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", ["", "?token=", "?token=the-right-toke", "?token=tHe-right-token"])
async def test_without_the_token_everything_is_refused(path: str, token: str) -> None:
    visitor = await client()
    try:
        answer = await visitor.get(path + token)
        assert answer.status == 403
        assert "studio serve printed" in await answer.text()
        assert not answer.cookies
    finally:
        await visitor.close()


async def test_the_token_becomes_a_cookie_that_opens_page_files_and_socket() -> None:
    visitor = await client()
    try:
        moved = await visitor.get(f"/?token={TOKEN}", allow_redirects=False)
        cookie = next(iter(moved.cookies.values()))
        assert (moved.status, moved.headers["Location"]) == (303, "/")
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
        page = await visitor.get("/")
        assert page.status == 200
        text = await page.text()
        assert TOKEN not in text
        assert f'ws://127.0.0.1:{visitor.port}/ws"' in text
        assert "default-src 'self'" in page.headers["Content-Security-Policy"]
        assert (await visitor.get("/static/js/textual.js")).status == 200
        async with visitor.ws_connect("/ws") as socket:
            assert not socket.closed
    finally:
        await visitor.close()


async def test_a_page_of_another_origin_is_refused() -> None:
    visitor = await client()
    try:
        await visitor.get(f"/?token={TOKEN}")
        for origin in ("http://evil.example", f"http://127.0.0.1:{visitor.port + 1}"):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
                await visitor.ws_connect("/ws", origin=origin)
    finally:
        await visitor.close()


def test_a_port_that_is_taken_is_named() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match=f"Cannot listen on 127.0.0.1 port {taken.getsockname()[1]}"):
            serve_forever("127.0.0.1", taken.getsockname()[1], Console())


@pytest.fixture
def served(shelf: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a real `studio serve`."""
    home = {**os.environ, "STUDIO_DATA": str(shelf), "STUDIO_RUNS": str(tmp_path / "runs")}
    running = subprocess.Popen(
        [sys.executable, "-m", "studio.cli", "serve", "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=home,
        cwd=tmp_path,
        bufsize=1,
    )
    assert running.stdout is not None
    try:
        said = ""
        while not said.endswith("}\n"):
            line = running.stdout.readline()
            assert line, "it ended"
            said += line
        yield json.loads(said)["url"]
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 0
        running.stdout.close()


async def still(page: Page) -> bytes:
    """The picture once it has not changed for a second."""
    before = b""
    for _ in range(60):
        if (now := await page.picture()) == before:
            return now
        before = now
        await asyncio.sleep(1.0)
    raise AssertionError("the page never came to rest")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
async def test_a_real_browser_shows_home_and_takes_keys(served: str, tmp_path: Path) -> None:
    assert urlsplit(served).hostname == "127.0.0.1"
    assert len(parse_qs(urlsplit(served).query)["token"][0]) >= 32
    async with browser(tmp_path / "profile") as page:
        await page.tell("Page.navigate", url=served)
        await page.until("document.body && document.body.classList.contains('-first-byte')")
        # The terminal is a canvas, which cannot be asked for its text: once it is still, a key must change it.
        before = await still(page)
        await page.value("document.querySelector('textarea').focus()")
        await page.press("j")
        for _ in range(100):
            await asyncio.sleep(0.1)
            if (after := await page.picture()) != before:
                break
        assert after != before
        (tmp_path / "browser.png").write_bytes(after)
        assert await page.value("location.search") == "", "the token stays in no address bar"
