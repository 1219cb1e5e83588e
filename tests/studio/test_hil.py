"""The configuration of a HIL-SERL run, as LeRobot reads it; what is checked first; what is said at the end."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from classifiers.look import SIDE, CutOut
from classifiers.transitions import Demonstrations
from curation.errors import UsageError
from recorders.world.scene import Scene
from studio.hil_config import Asked, lerobot_config
from studio.hil_pair import Seen, seen
from studio.hil_words import described, progress_words, result_words
from studio.verbs.hil import require_grpc
from tests.classifiers.toys import nobody, toy

pytestmark = pytest.mark.filterwarnings("ignore")

LOOK = {"overhead_cam": CutOut(0.25, 0.5, 0.5, 0.5), "wrist_cam": CutOut()}
ASKED = Asked(
    steps=40, batch=8, threshold=0.7, interventions=0.25, limit=6.0, seed=3, port=50123, device="cpu"
)  # fmt: skip
SCENE = Scene(width=64, height=48, fps=10, ground="dark")


def test_lerobot_reads_the_configuration_and_writes_it_again(tmp_path: Path) -> None:
    from lerobot.rl.train_rl import TrainRLServerPipelineConfig

    from recorders.plugin import StudioHilConfig, StudioIntervenerConfig

    store, made = toy(tmp_path / "demos", 1, length=6), nobody(tmp_path / "done", **LOOK)
    config = lerobot_config(ASKED, made, store, SCENE, [[0.3, 0.0, 10.0]], tmp_path / "demonstrations", 100)
    path = tmp_path / "train_config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    read = TrainRLServerPipelineConfig.from_pretrained(path, cli_args=[f"--output_dir={tmp_path / 'out'}"])
    read.validate()
    assert isinstance(read.env, StudioHilConfig)
    assert (read.env.scene, read.env.positions, read.env.seed) == (SCENE, [[0.3, 0.0, 10.0]], 3)
    assert read.env.teleop == StudioIntervenerConfig(share=0.25)
    steps = read.env.processor
    assert dict(steps.image_preprocessing.crop_params_dict) == {
        "observation.images.overhead_cam": (12, 32, 24, 32),
        "observation.images.wrist_cam": (0, 0, 48, 64),
    }
    assert (steps.reward_classifier.pretrained_path, steps.reward_classifier.success_threshold) == (
        str(tmp_path / "done"), 0.7,
    )  # fmt: skip
    assert (steps.reset.control_time_s, steps.reset.terminate_on_success) == (6.0, True)
    assert {key: one.shape for key, one in read.policy.input_features.items()} == {
        "observation.images.overhead_cam": (3, SIDE, SIDE),
        "observation.images.wrist_cam": (3, SIDE, SIDE),
        "observation.state": (6,),
    }
    assert read.policy.dataset_stats["action"] == {"min": [-1.0] * 6, "max": [1.0] * 6}
    assert (read.policy.actor_learner_config.learner_port, read.policy.online_steps) == (50123, 40)
    assert (read.batch_size, read.algorithm.type, read.policy.push_to_hub) == (8, "sac", False)
    # LeRobot's learner logs it so, and its checkpoint holds it.
    assert read.to_dict()["env"]["processor"]["reset"]["control_time_s"] == 6.0


def test_without_grpc_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    require_grpc()
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "grpc" else find(name, *more))
    with pytest.raises(UsageError, match="uv sync --extra hil"):
        require_grpc()


def line(frames: int, driven: int, reward: float, success: bool, loads: int = 0) -> dict[str, Any]:
    return {"frames": frames, "driven": driven, "reward": reward, "success": success, "loads": loads}


def test_what_came_of_it_is_counted_apart_with_intervals(tmp_path: Path) -> None:
    episodes = [line(50, 0, 0.0, False), line(40, 38, 1.0, True, 1), line(30, 0, 1.0, False, 2)]
    now = Seen(episodes, {"step": 7, "transitions": 120, "rewarded": 2, "offline": 90, "loss_critic": 0.25})
    found = described(tmp_path, "done", now, Demonstrations(("a",), 52, (), 0))
    assert (found["rewarded"]["alone"]["k"], found["rewarded"]["alone"]["n"]) == (1, 2)
    assert (found["rewarded"]["helped"]["k"], found["rewarded"]["helped"]["n"]) == (1, 1)
    assert (found["judge_agrees"]["k"], found["judge_agrees"]["n"]) == (2, 3), "a reward that the judge does not give"
    assert (found["steps"], found["driven_by_expert"], found["checkpoint"]) == (120, 38, None)
    words = result_words(found)
    for said in (
        "A smoke run",
        "1 of 2 by the policy alone, 95 % CI",
        "2 of 3 episodes, 95 % CI",
        "came to the actor 2",
    ):
        assert said in words
    assert "2 of 3 episodes rewarded, 95 % CI" in progress_words(now, 200)


def test_a_line_that_is_being_written_is_not_read_yet(tmp_path: Path) -> None:
    assert seen(tmp_path) == Seen([], {})
    (tmp_path / "actor").mkdir()
    (tmp_path / "actor/episodes.jsonl").write_text('{"frames": 3}\n{"frames": 4', encoding="utf-8")
    assert seen(tmp_path).steps == 3
