"""serve: the studio's screens in a browser."""

from __future__ import annotations

from dataclasses import dataclass

from studio.console import Console


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Show the studio in a browser: every visitor with the printed address gets a studio of their own."""

    host: str = "127.0.0.1"
    """Address to listen on. Others than this machine's own reach everything here; the address is their only key."""
    port: int = 8642
    """Port to listen on; 0 takes a free one."""
    json: bool = False
    """Print the address as JSON."""


def serve(options: Serve, console: Console) -> int:
    """Serve until interrupted."""
    from studio.web import serve_forever

    return serve_forever(options.host, options.port, console)
