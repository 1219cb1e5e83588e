"""The robot and the expert as LeRobot drives them, without its command lines."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lerobot.robots import make_robot_from_config
from lerobot.teleoperators import make_teleoperator_from_config
from lerobot.utils.errors import DeviceNotConnectedError

from curation.errors import BadAction, UsageError
from curation.frames import JOINT_FEATURES
from recorders.devices.motion_log import write_log
from recorders.operators.leader.driver import RAMP_DEG_PER_S
from recorders.placements import start
from recorders.plugin import (
    ROBOT_TYPE,
    StudioExpert,
    StudioExpertConfig,
    StudioLeader,
    StudioLeaderConfig,
    StudioSim,
    StudioSimConfig,
    StudioVr,
    StudioVrConfig,
)
from recorders.plugin.stage import find_stage
from recorders.world.scene import Scene
from recorders.world.sim import HOME
from tests.devices.leader.servo_bus import TICKS, ServoBus, calibrated
from tests.operators.controller.phantom import Phantom, batches, expert_path

TINY = Scene(width=32, height=24)


def joints(values: dict[str, float]) -> list[float]:
    return [values[name] for name in JOINT_FEATURES]


@pytest.fixture
def robot(tmp_path: Path) -> Iterator[StudioSim]:
    config = StudioSimConfig(scene=TINY, seed=7, jitter=0.01, calibration_dir=tmp_path, id="test")
    robot = make_robot_from_config(config)
    assert isinstance(robot, StudioSim)
    robot.connect()
    yield robot
    if robot.is_connected:
        robot.disconnect()


@pytest.fixture
def expert(tmp_path: Path) -> StudioExpert:
    teleoperator = make_teleoperator_from_config(StudioExpertConfig(calibration_dir=tmp_path, id="test"))
    assert isinstance(teleoperator, StudioExpert)
    teleoperator.connect()
    return teleoperator


@pytest.fixture
def lerobot_log() -> Iterator[logging.Logger]:
    """The root logger as LeRobot's programs set it up."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(level)


def test_robot_shows_what_it_promises(robot: StudioSim) -> None:
    seen = robot.get_observation()
    assert list(seen) == list(robot.observation_features)
    assert list(robot.cameras) == ["overhead_cam", "wrist_cam"]
    assert {seen[name].shape for name in robot.cameras} == {(24, 32, 3)}
    assert list(robot.action_features) == list(JOINT_FEATURES)
    assert robot.name == ROBOT_TYPE


def test_sent_action_is_the_limited_one(robot: StudioSim) -> None:
    sent = robot.send_action(dict.fromkeys(JOINT_FEATURES, 0.0))
    assert joints(sent) == pytest.approx([0, -61, 54, 60, -81, 10 - 9 * 100 / 110], abs=1e-4)


def test_an_action_without_a_joint_is_refused(robot: StudioSim) -> None:
    with pytest.raises(BadAction, match=r"lacks gripper\.pos"):
        robot.send_action(dict.fromkeys(JOINT_FEATURES[:5], 0.0))


def test_an_announced_episode_begins_with_the_next_observation(
    robot: StudioSim, expert: StudioExpert, lerobot_log: logging.Logger
) -> None:
    stage = find_stage("studio")
    for number in (0, 1, 1, 5):
        lerobot_log.info(f"Recording episode {number}")
        seen = robot.get_observation()
        assert joints(seen) == pytest.approx(HOME.tolist())
        assert stage.start == start(robot.config.placing, TINY, 7, number)
        first = expert.get_action()
        assert np.abs(np.array(joints(first)) - HOME).max() < 1.0
        for _ in range(10):
            robot.send_action(expert.get_action())
            seen = robot.get_observation()
        assert np.abs(np.array(joints(seen)) - HOME).max() > 1.0
        lerobot_log.info("Reset the environment")
        assert joints(robot.get_observation()) == joints(seen)


def test_what_the_expert_asks_is_what_is_sent(robot: StudioSim, expert: StudioExpert) -> None:
    for _ in range(40):
        robot.get_observation()
        asked = expert.get_action()
        assert robot.send_action(asked) == asked


def test_the_end_of_an_episode_is_told(
    robot: StudioSim, lerobot_log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    robot.send_action(robot.get_observation())
    robot.disconnect()
    assert "episode 0 with the block at" in caplog.text
    assert "never_reached" in caplog.text


def test_expert_without_a_robot_says_what_is_missing(expert: StudioExpert) -> None:
    with pytest.raises(UsageError, match=r"No world 'studio' is open .*--robot\.type=studio_sim"):
        expert.get_action()


def test_two_robots_cannot_share_a_world(robot: StudioSim, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="open already"):
        StudioSim(StudioSimConfig(scene=TINY, calibration_dir=tmp_path)).connect()


def test_a_controller_drives_as_in_the_studio(robot: StudioSim, tmp_path: Path) -> None:
    stage = find_stage("studio")
    robot.get_observation()
    hand = Phantom(expert_path(stage.world, 0))
    frames = batches(hand.samples(), TINY.fps)
    write_log(tmp_path / "hand.jsonl", "right", frames)
    config = StudioVrConfig(motion=tmp_path / "hand.jsonl", calibration_dir=tmp_path, id="hand")
    teleoperator = make_teleoperator_from_config(config)
    assert isinstance(teleoperator, StudioVr)
    with pytest.raises(DeviceNotConnectedError):
        teleoperator.get_action()
    teleoperator.connect()
    for _ in frames:
        robot.send_action(teleoperator.get_action())
    assert stage.world.verdict()[0] == "success"
    teleoperator.disconnect()
    assert not teleoperator.is_connected


def test_a_headsets_browser_is_told_where_to_find_its_page(
    robot: StudioSim, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    robot.get_observation()
    config = StudioVrConfig(headset="web", page_port=0, calibration_dir=tmp_path, id="web")
    teleoperator = make_teleoperator_from_config(config)
    with caplog.at_level(logging.INFO):
        teleoperator.connect()
    assert re.search(r"Open https://127\.0\.0\.1:\d+/\w{10}/ in the headset's browser", caplog.text)
    first = teleoperator.get_action()
    assert teleoperator.get_action() == first, "nobody drives yet"
    teleoperator.disconnect()
    assert not teleoperator.is_connected


def test_a_leader_arm_is_neared_slowly_and_then_followed(
    robot: StudioSim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    monkeypatch.delenv("HF_LEROBOT_CALIBRATION", raising=False)
    calibrated(tmp_path)
    bus = ServoBus(tmp_path / "ttyACM0")
    here = np.array(joints(robot.get_observation()))
    leader = here + np.array([30.0, 10.0, -10.0, 5.0, -20.0, 10.0])
    bus.hold(leader)
    config = StudioLeaderConfig(port=str(bus.port), id="blue", calibration_dir=tmp_path)
    teleoperator = make_teleoperator_from_config(config)
    assert isinstance(teleoperator, StudioLeader)
    with pytest.raises(DeviceNotConnectedError):
        teleoperator.get_action()
    teleoperator.connect()
    try:
        targets, end = [here], time.monotonic() + 30.0
        while np.abs(targets[-1] - leader).max() > 360 / TICKS:
            assert time.monotonic() < end, targets[-1]
            targets.append(np.array(joints(robot.send_action(teleoperator.get_action()))))
            time.sleep(0.01)
    finally:
        teleoperator.disconnect()
        bus.close()
    assert np.abs(np.diff(targets, axis=0)).max() <= RAMP_DEG_PER_S / TINY.fps + 1e-3
    assert not teleoperator.is_connected
