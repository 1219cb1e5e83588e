"""What is said where something is missing for driving by a leader arm."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

from recorders.devices.leader import calibration, ports, support
from recorders.devices.leader.errors import NoLeader
from tests.devices.leader.servo_bus import calibrated


@pytest.fixture(autouse=True)
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a leader arm."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    monkeypatch.delenv("HF_LEROBOT_CALIBRATION", raising=False)
    monkeypatch.delenv("STUDIO_LEADER_PORT", raising=False)
    monkeypatch.setattr(ports, "found", lambda: ())


def words() -> dict[str, tuple[bool, str]]:
    return {part.name: (part.there, part.detail) for part in support.describe()}


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert list(words()) == ["servos"]
    assert "uv sync --extra leader" in words()["servos"][1]


def test_without_port_and_calibration_both_are_said_with_what_helps() -> None:
    found = words()
    assert [there for there, _ in found.values()] == [True, False, False]
    assert "Plug the leader arm in" in found["port"][1]
    assert "lerobot-calibrate --teleop.type=so101_leader --teleop.port=PORT" in found["calibration"][1]


def test_of_several_ports_or_arms_one_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ports, "found", lambda: ("/dev/ttyACM0", "/dev/ttyACM1"))
    calibrated(tmp_path, "blue")
    calibrated(tmp_path, "red")
    found = words()
    assert "--port /dev/ttyACM0" in found["port"][1]
    assert "Calibrated: blue, red. Name one: --leader-id blue" in found["calibration"][1]
    assert calibration.choose("red").path.stem == "red"
    with pytest.raises(NoLeader, match="There is no calibration 'green'"):
        calibration.choose("green")


def test_the_only_port_or_the_environments_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tty").touch()
    monkeypatch.setattr(ports, "found", lambda: (str(tmp_path / "tty"),))
    assert ports.choose() == str(tmp_path / "tty")
    monkeypatch.setenv("STUDIO_LEADER_PORT", str(tmp_path / "gone"))
    with pytest.raises(NoLeader, match=r"There is no port .*gone\. Found: .*tty"):
        ports.choose()


def test_a_port_of_others_names_the_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    port = tmp_path / "tty"
    port.touch()
    os.chown(port, -1, os.getgid())
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(NoLeader, match=r"sudo usermod -aG \w+ \$USER"):
        ports.choose(str(port))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"range_min": 1800, "range_max": 2300}, "elbow_flex was moved through 44 degrees and can do about 194"),
        ({"range_min": -90, "range_max": 90}, "in other units"),
        ({"drive_mode": 1}, "elbow_flex is servo 3, inverted"),
        ({"id": 9}, "elbow_flex is servo 9"),
        ({"homing_offset": None}, "no such numbers"),
    ],
)
def test_a_calibration_that_joints_cannot_be_read_by_is_refused(
    changed: dict[str, Any], why: str, tmp_path: Path
) -> None:
    calibrated(tmp_path, **changed)
    with pytest.raises(NoLeader, match=rf"blue\.json is no calibration to drive by: .*{why}.*Calibrate again"):
        calibration.choose()


def test_a_calibration_of_an_old_lerobot_is_refused(tmp_path: Path) -> None:
    path = calibrated(tmp_path)
    path.write_text(json.dumps({"homing_offset": [0] * 6, "calib_mode": ["DEGREE"] * 5 + ["LINEAR"]}))
    with pytest.raises(NoLeader, match=r"LeRobot before 0\.2, in other units"):
        calibration.choose()


def test_calibrations_lie_where_lerobot_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = calibrated(tmp_path)
    assert calibration.choose().path == path
    monkeypatch.setenv("HF_LEROBOT_CALIBRATION", str(tmp_path / "elsewhere"))
    assert calibration.home() == tmp_path / "elsewhere" / "teleoperators" / "so_leader"
