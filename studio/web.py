"""The screens in a browser: textual-serve behind a secret that only the printed address has."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from curation.errors import OK, UsageError
from studio.console import Console

_COOKIE = "studio-token"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TITLE = "teleop studio"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class CannotListen(UsageError):
    """An address that cannot be listened on."""

    def __init__(self, host: str, port: int, cause: Exception) -> None:
        why = getattr(cause, "strerror", None) or cause
        super().__init__(f"Cannot listen on {host} port {port}: {why}. Choose another --port; 0 takes a free one.")


def serve_forever(host: str, port: int, console: Console) -> int:
    """Serve until interrupted; each visitor gets a process of their own.

    Raises:
        CannotListen: the address is taken, not ours or no address.
    """
    if not 0 <= port < 65536:
        raise UsageError(f"--port {port} is none; valid: 1 to 65535, or 0 for a free one.")
    listening = _listen(host, port)
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/?token={token}"
    if host not in LOOPBACK:
        console.step(
            f"WARNING: {host} is reachable from other machines, and traffic is not encrypted. Whoever has the address "
            "below can record, delete notes and read every dataset here."
        )
    console.result(f"{address}\nCtrl+C ends it.", {"url": address, "host": host, "port": port})
    try:
        asyncio.run(_serve(host, port, token, listening))
    except KeyboardInterrupt:
        console.step("The browser's sessions are over; what was kept is saved.")
    return OK


def make_app(host: str, port: int, token: str, command: str) -> Awaitable[web.Application]:
    """The web application: textual-serve's, with every request checked first."""
    server = Server(command, host=host, port=port, title=TITLE)

    @web.middleware
    async def guard(request: web.Request, handler: Answer) -> web.StreamResponse:
        return await _guarded(request, handler, server, token)

    async def make() -> web.Application:
        app = await server._make_app()
        app.middlewares.append(guard)
        # textual-serve's own start-up prints a logo on stdout, which is for data.
        app.on_startup.clear()
        return app

    return make()


async def _serve(host: str, port: int, token: str, listening: socket.socket) -> None:
    logging.getLogger("textual-serve").setLevel(logging.ERROR)
    command = shlex.join([sys.executable, "-m", "studio.cli", "tui"])
    runner = web.AppRunner(await make_app(host, port, token, command), shutdown_timeout=5.0)
    await runner.setup()
    stop = asyncio.Event()
    if sys.platform != "win32":
        for number in (signal.SIGINT, signal.SIGTERM):
            with suppress(ValueError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await web.SockSite(runner, listening).start()
        await stop.wait()
    finally:
        await runner.cleanup()


async def _guarded(request: web.Request, answer: Answer, server: Server, token: str) -> web.StreamResponse:
    """Refuse whoever does not know the token, and pages of other origins that know a browser which does."""
    asked = request.query.get("token")
    known = _same(asked, token) or _same(request.cookies.get(_cookie(server.port)), token)
    if not known or not _same_origin(request):
        return web.Response(status=403, text="Open the address that studio serve printed; it holds the key.\n")
    if request.path == "/" and asked is not None:
        # The key moves into a cookie, so that it stays in no history and no referrer.
        moved = web.HTTPSeeOther("/")
        moved.set_cookie(_cookie(server.port), token, httponly=True, samesite="Strict")
        raise moved
    # textual-serve writes absolute addresses into its page; they must be those by which this visitor came.
    server.public_url = f"{request.scheme}://{request.host}"
    response = await answer(request)
    if not response.prepared:
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = _policy(request.host)
    return response


def _cookie(port: int) -> str:
    """Browsers give every port of a machine the same cookies; this keeps two servers apart."""
    return f"{_COOKIE}-{port}"


def _policy(host: str) -> str:
    """Everything comes from here, nothing from other sites: the page also works without the internet."""
    return (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data:; font-src 'self' data:; connect-src 'self' ws://{host} wss://{host}; "
        "frame-ancestors 'none'"
    )


def _same(given: str | None, token: str) -> bool:
    return hmac.compare_digest((given or "").encode(), token.encode())


def _same_origin(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise CannotListen(host, port, error) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except (OSError, OverflowError) as error:
        listening.close()
        raise CannotListen(host, port, error) from error
    return listening
