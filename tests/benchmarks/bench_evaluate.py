"""Evaluation: `studio evaluate` beside LeRobot's own loop, on the same policy, world and frames.

    .venv/bin/python tests/benchmarks/bench_evaluate.py [--frames 150] [--episodes 16]

An image ACT of 13 M parameters with random weights; worlds render two cameras at 640x480, the policy's preprocessor
resizes to 96x128, 20 actions are carried out of each chunk of 40. LeRobot's loop is timed at several batch sizes, its
worlds in one process and in several, one PyTorch thread and all; the best of them counts. Starting up is left out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

os.environ["LP_NUM_THREADS"] = "1"

import gymnasium as gym
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs.factory import make_env, make_env_pre_post_processors
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors
from lerobot.processor import ImageCropResizeProcessorStep
from lerobot.scripts.lerobot_eval import rollout

from recorders.placements import Placing
from recorders.plugin.env_config import StudioEnvConfig
from recorders.world.scene import Scene
from studio.evaluating import Evaluator, Setup, batches, run_all, trial_of
from training.policy import PolicySettings
from training.policy_model import PolicyModel

SCENE, SIZE = Scene(), (96, 128)
IMAGES = [f"observation.images.{camera}" for camera in SCENE.cameras]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--episodes", type=int, default=16)
    asked = parser.parse_args()
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = make_policy(Path(folder) / "policy")
        theirs = {}
        for threads in (1, cores):
            for batch in (1, 4, 8):
                for processes in (False, True):
                    name = f"batch {batch}, {'processes' if processes else 'one process'}, {threads} threads"
                    theirs[name] = lerobots(checkpoint, asked.frames, batch, processes, threads)
                    print(f"lerobot-eval's loop, {name}: {theirs[name]:.2f} s an episode", flush=True)
        best = min(theirs, key=lambda name: theirs[name])
        ours = alone(checkpoint, asked.frames, asked.episodes)
        print(f"studio evaluate, batch 8, one process: {ours:.2f} s an episode, {theirs[best] / ours:.1f} times faster")
        several = in_processes(checkpoint, asked.frames, asked.episodes, cores)
        print(
            f"studio evaluate, batch 8, {cores} processes: {several:.2f} s an episode, {theirs[best] / several:.1f} "
            f"times faster than LeRobot at its best ({best})"
        )


def make_policy(folder: Path, chunk: int = 40) -> Path:
    """The checkpoint: an ACT that gets its images resized by its own preprocessor."""
    images = {key: PolicyFeature(FeatureType.VISUAL, (3, SCENE.height, SCENE.width)) for key in IMAGES}
    config = ACTConfig(
        input_features={"observation.state": PolicyFeature(FeatureType.STATE, (6,)), **images},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (6,))},
        chunk_size=chunk, n_action_steps=20, dim_model=256, dim_feedforward=512, n_encoder_layers=2, use_vae=False,
        pretrained_backbone_weights=None, device="cpu", push_to_hub=False,
    )  # fmt: skip
    torch.manual_seed(0)
    ACTPolicy(config).save_pretrained(folder)
    numbers = {"mean": torch.zeros(6), "std": torch.full((6,), 20.0)}
    pixels = {"mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.25)}
    stats: Any = {"observation.state": numbers, "action": numbers, **dict.fromkeys(IMAGES, pixels)}
    before, after = make_pre_post_processors(config, dataset_stats=stats)
    before.steps = [ImageCropResizeProcessorStep(resize_size=SIZE), *before.steps]
    before.save_pretrained(folder)
    after.save_pretrained(folder)
    return folder


def lerobots(checkpoint: Path, frames: int, batch: int, processes: bool, threads: int) -> float:
    """Seconds an episode."""
    torch.set_num_threads(threads)
    policy = ACTPolicy.from_pretrained(checkpoint)
    processors = make_pre_post_processors(policy.config, pretrained_path=str(checkpoint))
    config = StudioEnvConfig(scene=SCENE, episode_length=frames)
    made: Any = make_env(config, n_envs=batch, use_async_envs=processes)
    env: gym.vector.VectorEnv[Any, Any, Any] = next(iter(next(iter(made.values())).values()))
    own = make_env_pre_post_processors(env_cfg=config, policy_cfg=policy.config)
    try:
        env.reset(seed=list(range(batch)))  # the first picture opens a context
        began = time.perf_counter()
        with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
            rollout(env, policy, *own, *processors, seeds=list(range(batch)))
        return (time.perf_counter() - began) / batch
    finally:
        env.close()


def setup_of(checkpoint: Path, frames: int) -> Setup:
    model = PolicyModel(checkpoint, device="cpu")
    return Setup(checkpoint, SCENE, PolicySettings(batch=8).resolved(model), "cpu", 1, "Pick", "bench", frames)


def alone(checkpoint: Path, frames: int, episodes: int) -> float:
    """Seconds an episode in one process; prints where they went."""
    setup = setup_of(checkpoint, frames)
    evaluator = Evaluator(setup)
    evaluator.worlds[0].painter.draw(evaluator.worlds[0].physics()[1 : 1 + evaluator.worlds[0].model.nq])
    trials = [trial_of(Placing(at=(0.3, 0.0)), SCENE, 0, index) for index in range(episodes)]
    spent = {"render": 0.0, "forward": 0.0}
    began = time.perf_counter()
    for batch in batches(trials, 8, range(episodes)):
        list(evaluator.run(batch))
        for name in spent:
            spent[name] += evaluator.operator.seconds[name]
    wall = time.perf_counter() - began
    spent["physics and the rest"] = wall - sum(spent.values())
    told = ", ".join(f"{name} {seconds / episodes:.3f} s" for name, seconds in spent.items())
    print(f"studio evaluate, one process, an episode of {frames} frames: {told}")
    evaluator.close()
    return wall / episodes


def in_processes(checkpoint: Path, frames: int, episodes: int, processes: int) -> float:
    """Seconds an episode from the first result on, in several processes."""
    setup = setup_of(checkpoint, frames)
    trials = [trial_of(Placing(at=(0.3, 0.0)), SCENE, 0, index) for index in range(episodes * processes)]
    work = batches(trials, 8, range(len(trials)))
    began, first, done = 0.0, 0, 0
    for _ in run_all(setup, work, processes, PolicyModel(checkpoint, device="cpu")):
        done += 1
        if done == 8 * processes:  # everyone has started up
            began, first = time.perf_counter(), done
    return (time.perf_counter() - began) / (done - first)


if __name__ == "__main__":
    main()
