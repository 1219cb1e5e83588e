"""What the plugin's tests share: small images, a tiny policy, LeRobot's command lines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from curation.frames import JOINTS
from recorders.world.scene import Scene

ROOT = Path(__file__).parents[2]
SMALL = Scene(width=128, height=96)
Run = Callable[..., str]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for LeRobot that is not the person's."""
    return tmp_path_factory.mktemp("lerobot")


@pytest.fixture(scope="session")
def lerobot(home: Path) -> Run:
    """Run one of LeRobot's command lines, offline; returns all it said."""

    def run(command: str, *options: str) -> str:
        surroundings = {
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "HF_LEROBOT_HOME": str(home),
            "HF_DATASETS_CACHE": str(home / "cache"),
            "PYTHONPATH": str(ROOT),
        }
        program = Path(sys.executable).parent / command
        done = subprocess.run(
            [program, *options], env=surroundings, cwd=home, capture_output=True, text=True, timeout=300, check=False
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-4000:]
        return said

    return run


@pytest.fixture(scope="session")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a small ACT policy that has learnt nothing."""
    import torch
    from lerobot.configs import FeatureType, PolicyFeature
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    images = [f"observation.images.{camera}" for camera in SMALL.cameras]
    joints = (len(JOINTS),)
    config = ACTConfig(
        input_features={
            "observation.state": PolicyFeature(FeatureType.STATE, joints),
            **{key: PolicyFeature(FeatureType.VISUAL, (3, SMALL.height, SMALL.width)) for key in images},
        },
        output_features={"action": PolicyFeature(FeatureType.ACTION, joints)},
        pretrained_backbone_weights=None, chunk_size=20, n_action_steps=20, dim_model=32, n_heads=2,
        dim_feedforward=32, n_encoder_layers=1, use_vae=False, device="cpu", push_to_hub=False,
    )  # fmt: skip
    numbers = {"mean": np.zeros(6, np.float32), "std": np.full(6, 20.0, np.float32)}
    pixels = {"mean": np.full((3, 1, 1), 0.5, np.float32), "std": np.full((3, 1, 1), 0.25, np.float32)}
    stats = {"observation.state": numbers, "action": numbers, **dict.fromkeys(images, pixels)}
    folder = tmp_path_factory.mktemp("policy")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ACTPolicy(config).save_pretrained(folder)
    for processor in make_pre_post_processors(config, dataset_stats=stats):
        processor.save_pretrained(folder)
    return folder
