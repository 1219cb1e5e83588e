"""LeRobot's own command lines drive the studio's world."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import datasets
import numpy as np
import pytest
from lerobot.datasets import LeRobotDataset

from curation.frames import JOINT_FEATURES, Outcome, Vector
from recorders.operators.expert import Expert
from recorders.placements import start
from recorders.plugin import ROBOT_TYPE, StudioSimConfig
from recorders.plugin.env import StudioEnv
from recorders.plugin.worlds import make_world
from recorders.world.scene import Scene
from recorders.world.sim import HOME

Run = Callable[..., str]
SEED = 7
SMALL = Scene(width=128, height=96)
SIZE = (f"scene.width={SMALL.width}", f"scene.height={SMALL.height}")
ROBOT = (
    "--robot.discover_packages_path=recorders.plugin", "--robot.type=studio_sim", f"--robot.seed={SEED}",
    *(f"--robot.{size}" for size in SIZE),
)  # fmt: skip
ENV = (
    "--env.discover_packages_path=recorders.plugin", "--env.type=studio", "--env.episode_length=20",
    "--env.positions=[[0.217,0.225,0],[0.337,-0.015,30]]", *(f"--env.{size}" for size in SIZE),
)  # fmt: skip

RECORD = (
    "--teleop.type=studio_expert", "--dataset.repo_id=studio/test", "--dataset.no_stamp=true",
    "--dataset.single_task=Pick up the red cube", "--dataset.num_episodes=2", "--dataset.episode_time_s=7",
    "--dataset.reset_time_s=0", "--dataset.streaming_encoding=true", "--dataset.rgb_encoder.vcodec=h264",
    "--dataset.rgb_encoder.preset=ultrafast", "--dataset.encoder_threads=1", "--dataset.push_to_hub=false",
    "--display_data=false",
)  # fmt: skip
EVAL = ("--policy.device=cpu", "--eval.n_episodes=2", "--eval.batch_size=2", "--seed=1000")


@dataclass(frozen=True)
class Recorded:
    """A dataset that `lerobot-record` made, and what was said meanwhile."""

    root: Path
    said: str

    def outcome(self, episode: int) -> str:
        """What the robot logged at the end of an episode."""
        found = re.search(rf"episode {episode} with the block at .*: (\w+)", self.said)
        assert found, self.said[-2000:]
        return found.group(1)


@pytest.fixture(scope="module")
def recorded(lerobot: Run, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    root = tmp_path_factory.mktemp("record") / "dataset"
    said = lerobot("lerobot-record", *ROBOT, *RECORD, f"--dataset.root={root}", "--play_sounds=false")
    return Recorded(root, said)


@pytest.fixture
def dataset(recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LeRobotDataset:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path))
    return LeRobotDataset("studio/test", root=recorded.root)


def column(dataset: LeRobotDataset, key: str, episode: int) -> Vector:
    """One episode's rows of a column, shape (frames, 6)."""
    rows = dataset.hf_dataset.with_format("numpy")
    chosen = np.asarray(rows["episode_index"]) == episode
    return np.asarray(rows[key], dtype=np.float64)[chosen]


def test_lerobot_record_makes_a_dataset(dataset: LeRobotDataset) -> None:
    assert dataset.num_episodes == 2
    assert dataset.meta.robot_type == ROBOT_TYPE
    assert dataset.meta.camera_keys == [f"observation.images.{camera}" for camera in SMALL.cameras]
    assert dataset[0]["observation.images.wrist_cam"].shape == (3, SMALL.height, SMALL.width)
    assert tuple(dataset.meta.features["action"]["names"]) == JOINT_FEATURES


@pytest.mark.parametrize("episode", [0, 1])
def test_recorded_episodes_begin_at_home_and_follow_their_actions(dataset: LeRobotDataset, episode: int) -> None:
    state, action = (column(dataset, key, episode) for key in ("observation.state", "action"))
    assert state[0] == pytest.approx(HOME, abs=1e-4)
    assert np.abs(action[0] - state[0]).max() < 1.0
    body = slice(0, 5)
    assert np.abs(state[1:, body] - action[:-1, body]).max() < 3.0


@pytest.mark.parametrize("episode", [0, 1])
def test_recorded_actions_are_the_experts_and_suffice(
    dataset: LeRobotDataset, recorded: Recorded, episode: int
) -> None:
    begun = start(StudioSimConfig().placing, SMALL, SEED, episode)
    actions = column(dataset, "action", episode)
    world = make_world(SMALL)
    observation = world.reset(begun.seed, begun.placement)
    expert = Expert(world)
    expert.begin(observation, begun.seed)
    at = begun.placement
    env = StudioEnv(SMALL, episode_length=len(actions))
    env.reset(seed=begun.seed, options={"placement": (at.x, at.y, at.yaw_deg)})
    for action in actions:
        planned = world.admit(expert.act(observation).action)
        assert np.array_equal(planned, action)
        observation = world.step(planned)
        if not env.step(action.astype(np.float32))[2]:
            assert env.verdict()[0] is world.verdict()[0]
    assert env.verdict()[0] == world.verdict()[0] == recorded.outcome(episode)


def test_lerobot_eval_evaluates(lerobot: Run, policy: Path, tmp_path: Path) -> None:
    lerobot(
        "lerobot-eval",
        *ENV,
        *EVAL,
        "--eval.use_async_envs=false",
        f"--policy.path={policy}",
        f"--output_dir={tmp_path}",
    )
    told = json.loads((tmp_path / "eval_info.json").read_text())
    assert told["overall"]["n_episodes"] == 2
    assert told["per_task"][0]["metrics"]["successes"] == [False, False]


@pytest.mark.slow
def test_lerobot_eval_evaluates_in_processes_and_records(lerobot: Run, policy: Path, tmp_path: Path) -> None:
    lerobot("lerobot-eval", *ENV, *EVAL, "--eval.recording=true", f"--policy.path={policy}", f"--output_dir={tmp_path}")
    assert (tmp_path / "eval_info.json").is_file()
    assert len(list(tmp_path.rglob("meta/info.json"))) == 2


@pytest.mark.slow
def test_lerobot_rollout_drives_the_robot(lerobot: Run, policy: Path) -> None:
    said = lerobot(
        "lerobot-rollout", *ROBOT, "--strategy.type=base", f"--policy.path={policy}", "--device=cpu",
        "--task=Pick up the red cube", "--fps=30", "--duration=2", "--return_to_initial_position=false",
        "--play_sounds=false",
    )  # fmt: skip
    assert "Rollout finished" in said
    assert "World 'studio', episode 0 with the block at (0.217, 0.225)" in said


@pytest.mark.slow
def test_lerobot_replay_repeats_an_episode(lerobot: Run, recorded: Recorded) -> None:
    which = ("--robot.episode=1", "--dataset.episode=1", "--dataset.repo_id=studio/test", "--play_sounds=false")
    said = lerobot("lerobot-replay", *ROBOT, *which, f"--dataset.root={recorded.root}")
    assert Recorded(recorded.root, said).outcome(1) == recorded.outcome(1)
    assert recorded.outcome(1) == Outcome.SUCCESS or "slower" in recorded.said
