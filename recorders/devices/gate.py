"""Who may speak to a page that is served from here, and what browsers may do with it."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from contextlib import suppress
from urllib.parse import urlsplit

from aiohttp import web

STRANGER = "This address needs the secret that the studio printed.\n"
"""What everybody else reads."""


def admits(request: web.Request, secret: str, hosts: Collection[str]) -> bool:
    """Whether a request knows the secret, and comes neither from a page of another site nor by another site's name.

    Args:
        request: whose path begins with the secret, as `{secret}`.
        secret: of the page.
        hosts: names and addresses by which the page is reached.
    """
    known = hmac.compare_digest(request.match_info["secret"].encode(), secret.encode())
    origin = request.headers.get("Origin")
    own = origin is None or origin == f"{request.scheme}://{request.host}"
    return known and own and _name(request.host) in hosts


def headers(pictures: str) -> dict[str, str]:
    """What a page is sent with: it reaches nobody but us, nobody frames or keeps it, and nobody learns its address.

    Args:
        pictures: where they may come from, as a Content-Security-Policy says it.
    """
    policy = (
        f"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src {pictures}; "
        "connect-src 'self'; frame-ancestors 'none'"
    )
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _name(host: str) -> str | None:
    """A host without its port; None if it is none."""
    with suppress(ValueError):
        return urlsplit(f"//{host}").hostname
    return None
