"""The process that reads a leader arm: the SDK waits in busy loops, which must not be the control loop's."""

from __future__ import annotations

import logging
import time
import warnings
from multiprocessing.connection import Connection

from curation.errors import StudioError
from recorders.crew import as_child
from recorders.devices.beside import AGAIN, RETRY_S, Connected, Over, Stop, Told, report

from .arm import Arm
from .calibration import Calibration
from .errors import LeaderGone
from .readings import RATE_HZ


def read_leader(port: str, calibration: Calibration, line: Connection) -> None:
    """Read until told to stop; a bus that is lost is waited for.

    Args:
        port: of the bus.
        calibration: of the arm.
        line: is sent reports, and sends `Stop`.
    """
    as_child(nice=0)
    # LeRobot and what it imports speak on the terminal that screens are drawn on.
    logging.disable()
    warnings.simplefilter("ignore")
    try:
        _serve(port, calibration, line)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody listens any more
    except StudioError as error:
        report(line, Over(str(error), error.exit_code))
    except Exception as error:  # noqa: BLE001  a fault of ours, told by the parent
        report(line, Over(f"unexpected {type(error).__name__} while reading the leader arm: {error}"))


def _serve(port: str, calibration: Calibration, line: Connection) -> None:
    arm: Arm | None = Arm(port, calibration)
    while arm is not None:
        line.send(Connected(arm.name))
        try:
            _read(arm, line)
        except LeaderGone as gone:
            arm.close()
            arm = _again(port, calibration, line, str(gone))
        else:
            arm.close()
            return


def _read(arm: Arm, line: Connection) -> None:
    """Send readings until told to stop."""
    due = time.monotonic()
    while not _stops(line):
        line.send(arm.read())
        # A reading that is late is not made up for.
        due = max(due + 1 / RATE_HZ, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def _again(port: str, calibration: Calibration, line: Connection, why: str) -> Arm | None:
    """The arm, once it is back; None if told to stop first."""
    while True:
        line.send(Told(f"{why} {AGAIN}"))
        try:
            return Arm(port, calibration)
        except StudioError as error:
            why = str(error)
        if _stops(line, RETRY_S):
            return None


def _stops(line: Connection, within_s: float = 0.0) -> bool:
    """Whether it is told to stop."""
    return line.poll(within_s) and isinstance(line.recv(), Stop)
