"""An address as a QR code in half-blocks, for a camera that looks at the terminal."""

from __future__ import annotations

import io

QUIET = 2
"""Light modules around it; the standard wants four, cameras read two."""
_ON_BLACK, _RESET = "\x1b[97;40m", "\x1b[0m"


def modules(address: str) -> str:
    """The code as text, light modules drawn: it wants light letters on a dark ground."""
    import segno

    drawn = io.StringIO()
    segno.make(address, error="l", micro=False).terminal(drawn, border=QUIET, compact=True)
    return drawn.getvalue().rstrip("\n")


def qr(address: str) -> str:
    """The code in its own colours, whatever the terminal's are."""
    return "\n".join(f"{_ON_BLACK}{row}{_RESET}" for row in modules(address).splitlines())
