"""Serial ports that may be a leader arm's."""

from __future__ import annotations

import importlib.util
import os
from importlib import import_module
from pathlib import Path

from .errors import PORT, no_extra, no_permission, no_port, which_port


def require_extra() -> None:
    """Refuse where LeRobot could not speak with the servos.

    Raises:
        NoLeader: naming the extra.
    """
    if any(importlib.util.find_spec(name) is None for name in ("scservo_sdk", "serial", "deepdiff")):
        raise no_extra()


def found() -> tuple[str, ...]:
    """Ports of USB devices, as people name them."""
    from serial.tools.list_ports import comports

    return tuple(sorted(port.device for port in comports() if port.vid is not None))


def choose(asked: str = "") -> str:
    """The port asked for, the environment's, or the only one there is.

    Raises:
        NoLeader: there is none, more than one, or it may not be opened.
    """
    require_extra()
    port = asked or os.environ.get(PORT, "")
    if not port:
        ports = found()
        if len(ports) != 1:
            raise which_port(ports)
        port = ports[0]
    if os.name == "posix":
        _require_open(port)
    return port


def _require_open(port: str) -> None:
    path = Path(port)
    if not path.exists():
        raise no_port(port, found())
    if not os.access(path, os.R_OK | os.W_OK):
        raise no_permission(port, _group(path))


def _group(path: Path) -> str:
    """Whose members may open it."""
    number = path.stat().st_gid
    try:
        return str(import_module("grp").getgrgid(number).gr_name)
    except (ImportError, KeyError):
        return str(number)
