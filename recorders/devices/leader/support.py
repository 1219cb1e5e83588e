"""What there is on this machine for driving by a leader arm, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from recorders.devices.parts import Part

from . import calibration, ports
from .errors import NoLeader


def describe() -> list[Part]:
    """Every part in the order they are needed. Nothing is written to a port, which may be anything's."""
    return list(_parts())


def _parts() -> Iterator[Part]:
    try:
        ports.require_extra()
    except NoLeader as error:
        yield Part("servos", False, str(error))
        return
    yield Part("servos", True, f"feetech-servo-sdk {version('feetech-servo-sdk')}")
    port = ""
    try:
        port = ports.choose()
        yield Part("port", True, port)
    except NoLeader as error:
        yield Part("port", False, str(error))
    try:
        chosen = calibration.choose(port=port)
        yield Part("calibration", True, f"{chosen.name}, {chosen.path}")
    except NoLeader as error:
        yield Part("calibration", False, str(error))
