"""The policy operator does what LeRobot's own loop does, and costs no more than it must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from curation.errors import StudioError, UsageError
from curation.frames import Command, Frame, Image, Observation, Placement, Vector
from recorders.rollout import Start, rollout
from recorders.world.sim import SimWorld
from tests.training.policies import SMALL, tiny_act, tiny_tdmpc
from training.checkpoint_card import Card
from training.latency import Latency
from training.policy import PolicyOperator, PolicySettings
from training.policy_fit import Unfit, require_fit
from training.policy_model import CannotLoad, PolicyModel

FRAMES = 25
TASK = "Pick up the red cube"


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_act(tmp_path_factory.mktemp("act"))


@pytest.fixture(scope="module")
def model(act: Path) -> PolicyModel:
    return PolicyModel(act, device="cpu")


@pytest.fixture(scope="module")
def worlds() -> Iterator[list[SimWorld]]:
    first = SimWorld(SMALL)
    yield [first, *(SimWorld(SMALL, first.model, first.painter) for _ in range(2))]
    first.close()


def drive(operator: Any, worlds: list[SimWorld], frames: int = FRAMES) -> list[list[Vector]]:
    """Every world's actions, in order."""
    starts = [Start(10 + number, Placement(0.25 + 0.03 * number, 0.05, 20.0)) for number in range(len(worlds))]
    actions: list[list[Vector]] = [[] for _ in worlds]
    for number, event in rollout(worlds, operator, starts, limit=frames):
        if isinstance(event, Frame):
            actions[number].append(event.command.action)
    return actions


class LeRobotsOwn:
    """LeRobot's evaluation loop as an operator: its processors, `select_action` in every frame."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        from lerobot.configs import PreTrainedConfig
        from lerobot.envs.utils import preprocess_observation
        from lerobot.policies.factory import get_policy_class, make_pre_post_processors

        config = PreTrainedConfig.from_pretrained(folder)
        for name, value in changes.items():
            setattr(config, name, value)
        self.policy = get_policy_class(config.type).from_pretrained(folder, config=config)
        self.before, self.after = make_pre_post_processors(config, pretrained_path=str(folder))
        self.prepare = preprocess_observation

    def begin(self, observations: Any, seeds: Any) -> None:
        self.policy.reset()

    def act(self, observations: Any) -> list[Command | None]:
        seen = [observation for observation in observations if observation is not None]
        pixels = [observation.render() for observation in seen]
        batch = {
            "pixels": {name: np.stack([images[name] for images in pixels]) for name in SMALL.cameras},
            "agent_pos": np.stack([observation.state for observation in seen]).astype(np.float32),
        }
        found = self.prepare(batch)
        found["task"] = [TASK] * len(seen)
        with torch.inference_mode():
            action = self.after(self.policy.select_action(self.before(found))).numpy()
        return [Command(row.astype(np.float64), "lerobot") for row in action]


def operator(model: PolicyModel, **settings: Any) -> PolicyOperator:
    return PolicyOperator(model, PolicySettings(**settings), fps=SMALL.fps, task=TASK)


@pytest.mark.parametrize("steps", [10, 3])
def test_actions_are_those_of_lerobots_loop_bit_for_bit(
    act: Path, model: PolicyModel, worlds: list[SimWorld], steps: int
) -> None:
    theirs = drive(LeRobotsOwn(act, n_action_steps=steps), worlds[:1])
    ours = drive(operator(model, n_action_steps=steps), worlds[:1])
    assert np.array_equal(ours, theirs)


def test_ensembled_actions_are_lerobots_bit_for_bit(act: Path, model: PolicyModel, worlds: list[SimWorld]) -> None:
    theirs = drive(LeRobotsOwn(act, n_action_steps=1, temporal_ensemble_coeff=0.01), worlds[:1], 12)
    ours = drive(operator(model, ensemble=0.01), worlds[:1], 12)
    assert np.array_equal(ours, theirs)
    assert not np.array_equal(ours, drive(operator(model, ensemble=-1.0), worlds[:1], 12))


def test_an_ensemble_in_the_checkpoint_is_used_and_can_be_turned_off(tmp_path: Path) -> None:
    folder = tiny_act(tmp_path, temporal_ensemble_coeff=0.05, n_action_steps=1)
    model = PolicyModel(folder, device="cpu")
    assert PolicySettings().resolved(model).ensemble == 0.05
    assert PolicySettings(n_action_steps=7).resolved(model).ensemble is None
    assert PolicySettings(ensembling=False).resolved(model).ensemble is None


def test_a_world_gets_the_same_whoever_shares_its_batch(model: PolicyModel, worlds: list[SimWorld]) -> None:
    together = drive(operator(model, batch=4), worlds)
    alone = drive(operator(model, batch=4), worlds[:1])
    assert np.array_equal(together[0], alone[0])
    assert not np.array_equal(together[0], together[1])


def test_images_are_drawn_only_when_the_policy_is_called(model: PolicyModel, worlds: list[SimWorld]) -> None:
    drawn: list[float] = []

    def counting(observation: Observation) -> Observation:
        def render() -> dict[str, Image]:
            drawn.append(observation.time)
            return observation.render()

        return replace(observation, render=render)

    drives = operator(model, n_action_steps=10)
    world = worlds[0]
    seen = counting(world.reset(1, Placement(0.3, 0.0)))
    drives.begin([seen], [1])
    for _ in range(FRAMES):
        (command,) = drives.act([seen])
        assert command is not None
        seen = counting(world.step(command.action))
    assert drawn == pytest.approx([0, 10 / 30, 20 / 30])
    assert drives.calls == [3]
    assert drives.seconds["forward"] > 0
    assert drives.call_ms
    chunk, at = drives.chunks[0]
    assert chunk is not None
    assert chunk.shape == (20, 6)
    assert at == 5


def test_latency_delays_a_policy_by_the_frames_it_thinks(model: PolicyModel, worlds: list[SimWorld]) -> None:
    slow = operator(model, n_action_steps=10, latency=Latency(100.0))
    once, twice = drive(slow, worlds[:1])[0], drive(slow, worlds[:1])[0]
    assert np.array_equal(once, twice), "a simulated latency is exact"
    prompt = drive(operator(model, n_action_steps=10), worlds[:1])[0]
    assert np.array_equal(once[0], once[1]), "it holds while there is no answer"
    assert np.array_equal(once[2:12], prompt[:10]), "and then does what it would have done"


def test_a_blind_camera_changes_nothing_but_what_it_saw(model: PolicyModel, worlds: list[SimWorld]) -> None:
    seeing = drive(operator(model), worlds[:1])
    blind = drive(operator(model, blind=("wrist_cam",)), worlds[:1])
    assert not np.array_equal(seeing, blind)
    both = drive(operator(model, blind=SMALL.cameras), worlds[:1])
    seen = model.see(
        {name: np.random.default_rng(0).integers(0, 255, (1, 48, 64, 3), np.uint8) for name in SMALL.cameras},
        np.zeros((1, 6), np.float32),
        None,
        TASK,
    )
    for name in SMALL.cameras:
        assert torch.count_nonzero(seen[f"observation.images.{name}"]) == 0, "normalised, a mean is zero"
    assert not np.array_equal(blind, both)
    with pytest.raises(UsageError, match="no camera of this policy; it has overhead_cam, wrist_cam"):
        operator(model, blind=("left_cam",))


def test_the_grippers_bias_and_limits_are_applied_last(model: PolicyModel, worlds: list[SimWorld]) -> None:
    observation = worlds[0].reset(1, Placement(0.3, 0.0))
    plain, changed = operator(model), operator(model, gripper_bias=-7.0, gripper_clip=(5.0, 90.0))
    for drives in (plain, changed):
        drives.begin([observation], [1])
    before, after = plain.act([observation])[0], changed.act([observation])[0]
    assert before is not None
    assert after is not None
    assert np.array_equal(before.action[:5], after.action[:5])
    assert after.action[5] == np.clip(before.action[5] - 7.0, 5.0, 90.0)


def test_a_policy_that_keeps_its_chunk_is_asked_in_every_frame_and_draws_from_the_seed(
    tmp_path: Path, worlds: list[SimWorld]
) -> None:
    model = PolicyModel(tiny_tdmpc(tmp_path), device="cpu")
    assert not model.chunked
    poses = [lambda world=world: np.array([*world.block_pose()[0], 0.0, 1.0]) for world in worlds]
    drives = PolicyOperator(model, PolicySettings(batch=2), fps=30, task=TASK, poses=poses)
    state = torch.random.get_rng_state()
    first, second = drive(drives, worlds[:2], 8), drive(drives, worlds[:2], 8)
    assert np.array_equal(first, second)
    assert drives.calls == [8, 8]
    assert torch.equal(state, torch.random.get_rng_state()), "nobody else's randomness is touched"
    with pytest.raises(UsageError, match="keeps its chunk"):
        PolicySettings(latency=Latency(100.0)).resolved(model)


def test_actions_without_statistics_raise_an_alarm(act: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "stripped"
    shutil.copytree(act, folder)
    (stored,) = folder.glob("policy_postprocessor*.safetensors")
    save_file({key: value for key, value in load_file(stored).items() if not key.startswith("action")}, stored)
    said: list[str] = []
    world = SimWorld(SMALL)
    drives = PolicyOperator(PolicyModel(folder, device="cpu"), PolicySettings(), fps=30, task=TASK, alarm=said.append)
    drives.begin([world.reset(1, Placement(0.3, 0.0))], [1])
    assert len(said) == 1
    assert "denormalised?" in said[0]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"n_action_steps": 21}, "outside 1 to 20"),
        ({"n_action_steps": 5, "ensemble": 0.1}, "leave --n-action-steps away"),
        ({"ensemble": 0.1, "latency": Latency(90.0)}, "needs a chunk to go on with"),
        ({"latency": Latency(None), "batch": 2}, "use --batch 1"),
        ({"gripper_clip": (60.0, 40.0)}, "LOW HIGH"),
        ({"batch": 0}, "at least 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(model: PolicyModel, settings: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        operator(model, **settings)


def fit(model: PolicyModel, card: Card, **changes: Any) -> None:
    world = {"cameras": dict.fromkeys(SMALL.cameras, (48, 64)), "joints": 6, "fps": 30, "fingerprint": "aaaa"}
    require_fit(model, card, **{**world, **changes})


def test_a_policy_is_refused_in_a_world_that_is_not_its_own(model: PolicyModel, act: Path) -> None:
    card = Card(act, policy="act", fps=30, scene={"fingerprint": "aaaa"})
    fit(model, card)
    with pytest.raises(Unfit, match=r"looks at wrist_cam; the world has overhead_cam\."):
        fit(model, card, cameras={"overhead_cam": (48, 64)})
    with pytest.raises(Unfit, match=r"64x48 in training and is 128x96 here.*--width 64 --height 48"):
        fit(model, card, cameras=dict.fromkeys(SMALL.cameras, (96, 128)))
    with pytest.raises(Unfit, match="30 fps, and the world runs at 20: use --fps 30"):
        fit(model, card, fps=20)
    with pytest.raises(Unfit, match="trained in scene aaaa, and this is bbbb: give the scene's options the values"):
        fit(model, card, fingerprint="bbbb")
    with pytest.raises(Unfit, match=r"this is bbbb: say so$"):
        fit(model, card, fingerprint="bbbb", mend="say so")
    fit(model, card, fingerprint="bbbb", other_scene=True)


def test_weights_that_are_not_all_there_are_refused(act: Path, tmp_path: Path) -> None:
    import shutil

    from safetensors.torch import load_file, save_file

    folder = tmp_path / "torn"
    shutil.copytree(act, folder)
    weights = load_file(folder / "model.safetensors")
    weights.pop(next(key for key in weights if "decoder" in key))
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CannotLoad, match="cannot be loaded"):
        PolicyModel(folder, device="cpu")


def test_a_failing_policy_ends_the_rollout_and_says_why(act: Path, worlds: list[SimWorld]) -> None:
    model = PolicyModel(act, device="cpu")
    drives = operator(model)
    model._config.image_features.clear()
    model._policy.model.decoder = torch.nn.Linear(1, 1)
    endings = [event for _, event in rollout(worlds[:1], drives, [Start(1, Placement(0.3, 0.0))], limit=3)]
    assert isinstance(drives.failure, StudioError)
    assert "The policy (act) failed" in str(drives.failure)
    assert len(endings) == 1
