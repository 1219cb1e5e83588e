"""What it costs to store how unsure a policy was: CPU time of whole episodes, and how much of it is spent on that.

    .venv/bin/python tests/benchmarks/bench_unsure.py [--frames 150] [--rounds 3]

An ACT as large as the preset cpu-state makes it (2 M parameters, the block's pose instead of pictures, chunks of 40)
with random weights: the cheapest policy there is, so that the share of the columns is at its largest. Eight worlds in
lockstep in one process, one PyTorch thread.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.act.configuration_act import ACTConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors

from curation.frames import Placement
from curation.names import POSE, STATE
from recorders.rollout import Start, rollout
from recorders.world.scene import Scene
from studio.evaluating import Evaluator, Setup
from training.policy import PolicySettings
from training.policy_model import PolicyModel
from training.unsure import Unsure

WORLDS = 8
CASES = {
    "20 of 40 actions": PolicySettings(n_action_steps=20, batch=WORLDS),
    "temporal ensembling": PolicySettings(ensemble=0.01, batch=WORLDS),
}
STARTS = [Start(number, Placement(0.3, 0.02 * number - 0.08)) for number in range(WORLDS)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = make_policy(Path(folder) / "policy")
        model = PolicyModel(checkpoint, device="cpu")
        for name, settings in CASES.items():
            setup = Setup(checkpoint, Scene(), settings.resolved(model), "cpu", 1, "Pick", "bench", asked.frames)
            whole, listening = (1e3 * median(found) / WORLDS for found in measured(setup, model, asked.rounds))
            print(
                f"{name}: {whole:.1f} CPU ms an episode, {listening:.2f} of them ({100 * listening / whole:.1f} %) to "
                "store how unsure it was",
                flush=True,
            )


def make_policy(folder: Path) -> Path:
    """The checkpoint: an ACT without images."""
    config = ACTConfig(
        input_features={STATE: PolicyFeature(FeatureType.STATE, (6,)), POSE: PolicyFeature(FeatureType.ENV, (5,))},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (6,))},
        chunk_size=40, n_action_steps=20, dim_model=256, dim_feedforward=512, n_encoder_layers=2, use_vae=False,
        pretrained_backbone_weights=None, device="cpu", push_to_hub=False,
    )  # fmt: skip
    torch.manual_seed(0)
    ACTPolicy(config).save_pretrained(folder)
    numbers = {"mean": torch.zeros(6), "std": torch.full((6,), 20.0)}
    pose = {"mean": torch.zeros(5), "std": torch.ones(5)}
    stats: Any = {STATE: numbers, "action": numbers, POSE: pose}
    for processor in make_pre_post_processors(config, dataset_stats=stats):
        processor.save_pretrained(folder)
    return folder


def measured(setup: Setup, model: PolicyModel, rounds: int) -> tuple[list[float], list[float]]:
    """CPU seconds of all worlds, round by round: of everything, and of listening."""
    whole, listening = [], []
    with closing(Evaluator(setup, model)) as evaluator:
        # Each takes the time of the one inside, so that no difference of two noisy runs is needed.
        inner = Timed(evaluator.operator)
        outer = Timed(Unsure(inner))  # type: ignore[arg-type]
        for number in range(rounds + 1):
            inner.spent = outer.spent = 0.0
            began = time.process_time()
            for _ in rollout(evaluator.worlds, outer, STARTS, limit=setup.limit):
                pass
            if number:  # the first round warms up
                whole.append(time.process_time() - began)
                listening.append(outer.spent - inner.spent)
    return whole, listening


class Timed:
    """An operator and the CPU seconds that it acted; everything else is the operator's."""

    def __init__(self, operator: Any) -> None:
        self.__dict__.update(operator=operator, spent=0.0)

    def act(self, observations: Any) -> Any:
        began = time.process_time()
        commands = self.operator.act(observations)
        self.spent += time.process_time() - began
        return commands

    def __getattr__(self, name: str) -> Any:
        return getattr(self.operator, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "spent":
            self.__dict__[name] = value
        else:
            setattr(self.operator, name, value)


if __name__ == "__main__":
    main()
