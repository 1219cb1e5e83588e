"""Serves one page over HTTPS to those who know its secret, and talks to one of them over a WebSocket.

It has a thread of its own. On loopback it is reached from this machine alone (and over USB: adb reverse); the network
sees it only if that was asked for.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.resources import files
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from curation.errors import StudioError
from curation.frames import Image
from recorders.devices.gate import STRANGER, admits, headers
from recorders.devices.page import BUSY, LOOPBACK, STALE_S, WAIT_S, packet

from .clock import ASK_S

SHOWN_S = 1.0
"""Without a word from the page that a picture is there the next is sent after this [s]."""
MOST_SENDING = 50
"""Messages that may be on their way."""
LETTERS, LENGTH = "abcdefghjkmnpqrstuvwxyz23456789", 10
"""Of the secret, which some will type in a headset: 49 bits, thirteen thousand years at a thousand guesses a second."""
MOST_LINKS = 100
"""Connections at once. A browser has six; without a bound a stranger's would take what journals are opened with."""
_MOST_BYTES = 8192
_GREET_S = 5.0
"""How long a connection may take to be encrypted [s]."""
_LEAVE_S = 0.5
"""How long a connection may take to end [s]."""
_HEADERS = headers("data: blob:")


class CannotServe(StudioError):
    """The page for headsets cannot be served."""

    def __init__(self, port: int, why: str) -> None:
        super().__init__(
            f"The page for headsets cannot be served on port {port}: {why}. Choose another --page-port; 0 is any."
        )


class Listener(Protocol):
    """Is told what happens; in the server's thread, and must not wait."""

    def met(self, who: str) -> None:
        """A page from this address drives now."""
        ...

    def heard(self, said: Mapping[str, Any], at: float) -> None:
        """It said something, at a time of `time.perf_counter()` [s]."""
        ...

    def left(self) -> None:
        """It is gone."""
        ...

    def quiet(self) -> None:
        """It has said nothing for `STALE_S`; another one may take its place."""
        ...

    def refused(self, why: str) -> None:
        """Somebody was turned away."""
        ...


class _Faults(logging.Handler):
    """What aiohttp and the loop find wrong, told in a word: their own words would show requests, secret and all, on a
    terminal that screens are drawn on.

    Args:
        tell: is told.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self.tell(record.exc_info[1] if record.exc_info else None)

    def tell(self, error: BaseException | None) -> None:
        """Tell that this went wrong."""
        self._tell(f"A request to the headset's page could not be answered ({type(error).__name__}).")


class _Full(asyncio.Protocol):
    """Ends a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class Server:
    """The page and its socket.

    Args:
        listener: is told what happens.
        context: of the encryption.
        host: address to listen on.
        shown: address by which it is reached.
        port: 0 takes a free one.

    Attributes:
        address: the page's, secret included.

    Raises:
        CannotServe: the port is taken.
    """

    def __init__(self, listener: Listener, context: ssl.SSLContext, host: str, shown: str, port: int) -> None:
        self._listener = listener
        self._context = context
        self._host, self._port = host, port
        self._hosts = {*LOOPBACK, shown}
        self._secret = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._failed = ""
        self._driver: web.WebSocketResponse | None = None
        self._heard = 0.0
        self._quiet = False
        self._asked: dict[int, float] = {}
        self._sending: set[asyncio.Task[bool]] = set()
        self._pictures: Mapping[str, Image] = {}
        self._fresh, self._shown = asyncio.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="page for headsets", daemon=True)
        self._thread.start()
        if not self._up.wait(WAIT_S) or self._failed:
            raise CannotServe(port, self._failed or "the server did not come up")
        self.address = f"https://{shown}:{self._port}/{self._secret}/"

    def send(self, message: Mapping[str, Any]) -> None:
        """Say something to the page that drives, if there is one; from any thread."""
        with suppress(RuntimeError):  # it is closed
            self._loop.call_soon_threadsafe(self._post, json.dumps(message))

    def show(self, pictures: Mapping[str, Image]) -> None:
        """Show pictures, RGB uint8 (H, W, 3), by their cameras' names; those that come too soon are dropped."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._offer, pictures)

    def close(self) -> None:
        """Serve no longer; may be called again."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=WAIT_S)

    # In the server's thread.

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            runner, listening = self._loop.run_until_complete(self._open())
        except OSError as error:
            self._failed = error.strerror or str(error)
            self._loop.close()
            self._up.set()
            return
        beside = [self._loop.create_task(work) for work in (self._ask(), self._send_pictures())]
        self._up.set()
        self._loop.run_forever()
        for task in beside:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*beside, return_exceptions=True))
        self._loop.run_until_complete(_end(runner, listening))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _open(self) -> tuple[web.AppRunner, asyncio.Server]:
        app = web.Application()
        app.router.add_get("/{secret}/", self._page)
        app.router.add_get("/{secret}/hands", self._hands)
        app.router.add_get("/{rest:.*}", self._refuse)
        faults, log = _Faults(self._listener.refused), logging.Logger("page for headsets")
        log.addHandler(faults)
        self._loop.set_exception_handler(lambda _, context: faults.tell(context.get("exception")))
        runner = web.AppRunner(app, shutdown_timeout=_LEAVE_S, access_log=None, logger=log)
        await runner.setup()
        server = runner.server
        assert server is not None
        try:
            listening = await self._loop.create_server(
                lambda: server() if len(server.connections) < MOST_LINKS else _Full(),
                self._host,
                self._port,
                ssl=self._context,
                ssl_handshake_timeout=_GREET_S,
                ssl_shutdown_timeout=_LEAVE_S,
            )
        except OSError:
            await runner.cleanup()
            raise
        self._port = listening.sockets[0].getsockname()[1]
        return runner, listening

    async def _check(self, request: web.Request) -> None:
        """Refuse whoever does not know the secret, and pages of other sites in a browser that does."""
        if not admits(request, self._secret, self._hosts):
            await self._refuse(request)

    async def _refuse(self, request: web.Request) -> web.Response:
        self._listener.refused(f"Somebody at {request.remote} did not know the secret and was refused.")
        raise web.HTTPForbidden(text=STRANGER)

    async def _page(self, request: web.Request) -> web.Response:
        await self._check(request)
        text = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def _hands(self, request: web.Request) -> web.WebSocketResponse:
        await self._check(request)
        link = web.WebSocketResponse(max_msg_size=_MOST_BYTES)
        await link.prepare(request)
        if self._driver is not None:
            if time.monotonic() - self._heard < STALE_S:
                self._listener.refused(f"A second page, at {request.remote}, was refused: the first one drives.")
                await link.close(code=BUSY, message=b"another page drives")
                return link
            stale = self._driver
            self._lose()
            self._loop.create_task(_close(stale))
        self._driver, self._heard, self._quiet = link, time.monotonic(), False
        self._listener.met(request.remote or "nowhere")
        self._fresh.set()  # what stands still is not drawn again, and a fresh page has seen nothing
        try:
            async for message in link:
                if self._driver is not link:
                    break
                if message.type is WSMsgType.TEXT:
                    self._hear(message.data)
        finally:
            if self._driver is link:
                self._lose()
        return link

    def _lose(self) -> None:
        self._driver = None
        self._asked.clear()
        self._shown.set()
        self._listener.left()

    def _hear(self, text: str) -> None:
        at, self._heard, self._quiet = time.perf_counter(), time.monotonic(), False
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return  # no page of ours; what it does not say nobody drives by
        if not isinstance(said, dict):
            return
        if "shown" in said:
            self._shown.set()
        elif "answer" in said:
            asked = self._asked.pop(said["answer"], None) if isinstance(said["answer"], int) else None
            if asked is not None:
                self._listener.heard({**said, "asked": asked}, at)
        else:
            self._listener.heard(said, at)

    async def _ask(self) -> None:
        """Ask the page for its time, and notice when it says nothing any more."""
        number = 0
        while True:
            if self._driver is not None:
                number += 1
                self._asked = {number: time.perf_counter(), **{n: t for n, t in self._asked.items() if n > number - 20}}
                self._post(json.dumps({"ask": number}))
                if not self._quiet and time.monotonic() - self._heard > STALE_S:
                    self._quiet = True
                    self._listener.quiet()
            await asyncio.sleep(ASK_S)

    def _post(self, text: str) -> None:
        # A page that takes nothing more is not told more either: what waits grows no longer.
        if self._driver is not None and len(self._sending) < MOST_SENDING:
            task = self._loop.create_task(_send(self._driver, text))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _offer(self, pictures: Mapping[str, Image]) -> None:
        self._pictures = pictures
        self._fresh.set()

    async def _send_pictures(self) -> None:
        """The newest pictures, one at a time and each after the page has the last: a slow line carries hands first."""
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            for name, picture in self._pictures.items():
                if self._driver is None:
                    break
                data = await asyncio.to_thread(packet, name, picture)
                self._shown.clear()
                if self._driver is not None and await _send(self._driver, data):
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._shown.wait(), SHOWN_S)


async def _end(runner: web.AppRunner, listening: asyncio.Server) -> None:
    """Close every connection; a browser that does not answer is left after a while."""
    listening.close()
    await runner.cleanup()
    with suppress(TimeoutError):
        await asyncio.wait_for(listening.wait_closed(), 2 * _LEAVE_S)
    # A connection that never got as far as a request; left to itself the loop would complain of it on the terminal.
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


async def _send(link: web.WebSocketResponse, what: str | bytes) -> bool:
    """Whether it went out; a page that is just going away hears nothing."""
    with suppress(ConnectionError, RuntimeError):
        await (link.send_str(what) if isinstance(what, str) else link.send_bytes(what))
        return True
    return False


async def _close(link: web.WebSocketResponse) -> None:
    await link.close(code=BUSY, message=b"another page drives")
