"""Keys through the studio's own page in a browser: true key-up over SSH, on Wayland and on macOS.

The page says every 50 ms which keys are down. It is served on loopback, and only to those who know the secret in its
address; over SSH, forward the port: ssh -L PORT:127.0.0.1:PORT host.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Any

from aiohttp import WSMsgType, web

from curation.errors import StudioError
from curation.frames import Image

from .gate import STRANGER, admits, headers
from .keys import KeyEvent, Stroke, Tell

SILENCE_S = 0.3
"""Without a word from the page for this long every key is let go [s]: six of its beats."""
STALE_S = 2.0
"""A page that is silent for this long may be replaced by another [s]."""
WAIT_S = 5.0
"""Longest time in which the server comes up, and ends [s]."""
BUSY = 4409
"""Close code that tells a page that another one drives."""
LET_GO = "let go"
"""Tells a page that was silent that what it holds wants a new press."""
JPEG_QUALITY = 80
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MOST_BYTES, _LONGEST_KEY, _MOST_KEYS = 4096, 16, 32
_HEADERS = headers("blob:")


class NoPage(StudioError):
    """The page cannot be served."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(
            f"The page for keys cannot be served on port {port}: {why}. Choose --keys terminal, or leave that port."
        )


class Page:
    """A browser page as a source of keys. It is served from the beginning; strokes are told from `start` on.

    Args:
        port: on loopback; 0 takes a free one.

    Attributes:
        url: the address, secret included.
        name, releases, chords, shared, note: as in `KeySource`.

    Raises:
        NoPage: the port is taken.
    """

    releases = chords = True
    shared = False

    def __init__(self, port: int = 0) -> None:
        self._secret = secrets.token_urlsafe(16)
        self._port = port
        self._tell: Tell | None = None
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._failed = ""
        self._driver: web.WebSocketResponse | None = None
        self._heard = 0.0
        self._down: set[str] = set()
        self._pictures: Mapping[str, Image] | None = None
        self._fresh: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._serve, name="page for keys", daemon=True)
        self._thread.start()
        if not self._up.wait(WAIT_S) or self._failed:
            raise NoPage(port, self._failed or "the server did not come up")
        self.url = f"http://127.0.0.1:{self._port}/{self._secret}/"
        self.name = f"browser page {self.url}"
        self.note = "Open it and keep it in front: hold to move, several keys at once"

    def start(self, tell: Tell) -> None:
        """Tell strokes from now on, from the server's thread."""
        self._tell = tell

    def stop(self) -> None:
        """Let go of everything and serve no longer."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # it has just ended by itself
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=WAIT_S)
            self._let_go()
        self._tell = None

    def show(self, pictures: Mapping[str, Image]) -> None:
        """Show pictures, RGB uint8 (H, W, 3), by their cameras' names; those it has no time for are dropped."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._offer, pictures)

    # In the server's thread.

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            runner = self._loop.run_until_complete(self._open())
        except OSError as error:
            self._failed = error.strerror or str(error)
            self._loop.close()
            self._up.set()
            return
        beside = [self._loop.create_task(work) for work in (self._watch(), self._send_pictures())]
        self._up.set()
        self._loop.run_forever()
        for task in beside:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*beside, return_exceptions=True))
        self._loop.run_until_complete(runner.cleanup())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _open(self) -> web.AppRunner:
        self._fresh = asyncio.Event()
        app = web.Application()
        app.router.add_get("/{secret}/", self._page)
        app.router.add_get("/{secret}/keys", self._keys)
        app.router.add_get("/{rest:.*}", _refuse)
        runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._port = runner.addresses[0][1]
        return runner

    def _check(self, request: web.Request) -> None:
        """Refuse whoever does not know the secret, and pages of other sites in a browser that does."""
        if not admits(request, self._secret, LOOPBACK):
            raise web.HTTPForbidden(text=STRANGER)

    async def _page(self, request: web.Request) -> web.Response:
        self._check(request)
        text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def _keys(self, request: web.Request) -> web.WebSocketResponse:
        self._check(request)
        socket = web.WebSocketResponse(max_msg_size=_MOST_BYTES)
        await socket.prepare(request)
        if self._driver is not None:
            if time.monotonic() - self._heard < STALE_S:
                await socket.close(code=BUSY, message=b"another page drives")
                return socket
            stale, self._driver = self._driver, None
            self._loop.create_task(_close(stale))
        self._driver, self._heard = socket, time.monotonic()
        try:
            async for message in socket:
                if self._driver is not socket:
                    break
                if message.type is WSMsgType.TEXT:
                    self._heard = time.monotonic()
                    self._hear(message.data)
        finally:
            if self._driver is socket:
                self._driver = None
                self._let_go()
        return socket

    def _hear(self, text: str) -> None:
        """Take in a stroke, or a beat with the keys that are down."""
        try:
            said: Any = json.loads(text)
            if "held" in said:
                self._agree({str(key) for key in said["held"]})
            else:
                self._stroke(str(said["key"])[:_LONGEST_KEY], Stroke(said["stroke"]))
        except (ValueError, KeyError, TypeError):
            return  # not a page of ours; its silence will be noticed

    def _stroke(self, key: str, stroke: Stroke) -> None:
        if stroke is Stroke.BLUR:
            self._let_go()
        elif stroke is Stroke.RELEASE:
            self._down.discard(key)
            self._say(key, stroke)
        elif key and len(self._down) < _MOST_KEYS and (stroke is Stroke.PRESS or key in self._down):
            self._down.add(key)
            self._say(key, stroke)

    def _agree(self, held: set[str]) -> None:
        """Let go of what the page does not hold any more. What it holds and was let go here wants a new press."""
        for key in self._down - held:
            self._stroke(key, Stroke.RELEASE)

    async def _watch(self) -> None:
        """Let go of every key when the page falls silent."""
        while True:
            await asyncio.sleep(SILENCE_S / 10)
            if self._down and time.monotonic() - self._heard > SILENCE_S:
                self._let_go()
                if self._driver is not None:
                    with suppress(ConnectionError):
                        await self._driver.send_str(LET_GO)

    def _let_go(self) -> None:
        self._down.clear()
        self._say("", Stroke.BLUR)

    def _say(self, key: str, stroke: Stroke) -> None:
        if self._tell is not None:
            self._tell(KeyEvent(key, stroke, time.monotonic()))

    def _offer(self, pictures: Mapping[str, Image]) -> None:
        self._pictures = pictures
        if self._fresh is not None:
            self._fresh.set()

    async def _send_pictures(self) -> None:
        assert self._fresh is not None
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            for name, picture in (self._pictures or {}).items():
                socket = self._driver
                if socket is not None:
                    data = await asyncio.to_thread(packet, name, picture)
                    with suppress(ConnectionError):
                        await socket.send_bytes(data)


async def _refuse(request: web.Request) -> web.Response:
    raise web.HTTPForbidden(text=STRANGER)


async def _close(socket: web.WebSocketResponse) -> None:
    await socket.close(code=BUSY, message=b"another page drives")


def packet(name: str, picture: Image) -> bytes:
    """A picture as the page takes it: the length of its name in one byte, its name, a JPEG."""
    import cv2

    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    encoded = name.encode()[:255]
    return bytes([len(encoded)]) + encoded + jpeg.tobytes()
