"""Why there is no leader arm, or no longer, and what helps."""

from __future__ import annotations

from pathlib import Path

from curation.errors import StudioError

PORT = "STUDIO_LEADER_PORT"
"""Environment variable: the port of the leader where --port says none."""


class NoLeader(StudioError):
    """There is no leader arm to drive with."""


class LeaderGone(StudioError):
    """There was a leader arm; its bus does not answer, and may again."""


def calibrate(port: str, name: str) -> str:
    """The command that calibrates."""
    return f"lerobot-calibrate --teleop.type=so101_leader --teleop.port={port or 'PORT'} --teleop.id={name}"


def no_extra() -> NoLeader:
    """LeRobot cannot speak with the servos."""
    return NoLeader(
        "The servos' SDK is not installed, so no leader arm can drive. Install the extra: uv sync --extra leader, or "
        "pip install 'teleop-studio[leader]'."
    )


def which_port(found: tuple[str, ...]) -> NoLeader:
    """No port was named, and there is none or more than one."""
    if not found:
        return NoLeader(
            "No serial port was found. Plug the leader arm in and switch its power on; a port that does not show as "
            f"USB is named by --port, or {PORT} in the environment."
        )
    return NoLeader(
        f"Which serial port is the leader arm's? Found: {', '.join(found)}. Name it: --port {found[0]}, or {PORT} in "
        "the environment; `lerobot-find-port` tells them apart."
    )


def no_port(port: str, found: tuple[str, ...]) -> NoLeader:
    """The port that was named is not there."""
    return NoLeader(
        f"There is no port {port}. Found: {', '.join(found) or 'none'}. Plug the leader arm in; `lerobot-find-port` "
        "finds its name."
    )


def no_permission(port: str, group: str) -> NoLeader:
    """The port belongs to others."""
    return NoLeader(
        f"{port} may not be opened by you. It belongs to the group {group}: sudo usermod -aG {group} $USER, then log "
        "out and in again."
    )


def no_answer(port: str, why: str) -> NoLeader:
    """The port opens, and no servos of a leader answer."""
    return NoLeader(
        f"No SO-101 leader answers on {port}: {why} Look at its power and cables; `lerobot-find-port` tells its port "
        "from others'."
    )


def no_calibration(folder: Path, command: str) -> NoLeader:
    """Nobody has calibrated it."""
    return NoLeader(f"The leader arm is not calibrated: there is nothing in {folder}. Run: {command}")


def which_calibration(name: str, found: tuple[str, ...], command: str) -> NoLeader:
    """A calibration that is not there, or more than one and none named."""
    asked = f"There is no calibration '{name}' of a leader arm." if name else "Which leader arm is it?"
    return NoLeader(f"{asked} Calibrated: {', '.join(found)}. Name one: --leader-id {found[0]}, or make it: {command}")


def bad_calibration(path: Path, why: str, command: str) -> NoLeader:
    """The calibration cannot be what it should."""
    return NoLeader(f"{path} is no calibration to drive by: {why}. Calibrate again: {command}")


def other_calibration(path: Path, command: str) -> NoLeader:
    """File and servos differ."""
    return NoLeader(
        f"The servos on this port hold another calibration than {path}: it is of another arm, or older. Name the right "
        f"one with --leader-id, or calibrate again: {command}"
    )
