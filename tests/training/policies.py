"""Checkpoints made by LeRobot's own classes: small policies with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from curation.frames import JOINTS
from recorders.world.scene import Scene

SMALL = Scene(width=64, height=48)
POSE = "observation.environment_state"
HOME_LOW = np.array([-20.0, -100.0, 20.0, 30.0, -60.0, 0.0], np.float32)
HOME_HIGH = np.array([60.0, 20.0, 95.0, 95.0, 60.0, 60.0], np.float32)


def statistics(images: list[str], privileged: bool = False) -> dict[str, dict[str, Any]]:
    """Those of demonstrations that move like the expert."""
    mean, std = (HOME_LOW + HOME_HIGH) / 2, (HOME_HIGH - HOME_LOW) / 4
    numbers = {"mean": mean, "std": std, "min": HOME_LOW, "max": HOME_HIGH}
    pixels = {"mean": np.full((3, 1, 1), 0.5, np.float32), "std": np.full((3, 1, 1), 0.25, np.float32)}
    pose = {"mean": np.zeros(5, np.float32), "std": np.ones(5, np.float32)}
    return {
        "observation.state": numbers,
        "action": numbers,
        **dict.fromkeys(images, pixels),
        **({POSE: pose} if privileged else {}),
    }


def features(scene: Scene, cameras: tuple[str, ...], privileged: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    from lerobot.configs import FeatureType, PolicyFeature

    joints = (len(JOINTS),)
    seen = {"observation.state": PolicyFeature(FeatureType.STATE, joints)}
    for camera in cameras:
        seen[f"observation.images.{camera}"] = PolicyFeature(FeatureType.VISUAL, (3, scene.height, scene.width))
    if privileged:
        seen[POSE] = PolicyFeature(FeatureType.ENV, (5,))
    return seen, {"action": PolicyFeature(FeatureType.ACTION, joints)}


def save(folder: Path, policy: Any, scene: Scene, cameras: tuple[str, ...], privileged: bool) -> Path:
    """The policy with its processors, as LeRobot saves them."""
    from lerobot.policies.factory import make_pre_post_processors

    policy.save_pretrained(folder)
    images = [f"observation.images.{camera}" for camera in cameras]
    for processor in make_pre_post_processors(policy.config, dataset_stats=statistics(images, privileged)):
        processor.save_pretrained(folder)
    return folder


def tiny_act(
    folder: Path,
    *,
    scene: Scene = SMALL,
    cameras: tuple[str, ...] = SMALL.cameras,
    privileged: bool = False,
    seed: int = 0,
    **settings: Any,
) -> Path:
    """An ACT with random weights."""
    import torch
    from lerobot.policies.act.configuration_act import ACTConfig
    from lerobot.policies.act.modeling_act import ACTPolicy

    seen, acted = features(scene, cameras, privileged)
    values = {
        "chunk_size": 20, "n_action_steps": 10, "dim_model": 32, "n_heads": 2, "dim_feedforward": 32,
        "n_encoder_layers": 1, "use_vae": False, "pretrained_backbone_weights": None, "device": "cpu",
        "push_to_hub": False, **settings,
    }  # fmt: skip
    config = ACTConfig(input_features=seen, output_features=acted, **values)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        policy = ACTPolicy(config)
    return save(folder, policy, scene, cameras, privileged)


def tiny_tdmpc(folder: Path, **settings: Any) -> Path:
    """A TD-MPC policy with random weights, which draws, keeps its plan to itself and is asked in every frame."""
    import torch
    from lerobot.policies.tdmpc.configuration_tdmpc import TDMPCConfig
    from lerobot.policies.tdmpc.modeling_tdmpc import TDMPCPolicy

    seen, acted = features(SMALL, (), True)
    values = {
        "n_action_repeats": 2, "horizon": 2, "latent_dim": 8, "q_ensemble_size": 2, "mlp_dim": 16,
        "state_encoder_hidden_dim": 16, "n_gaussian_samples": 8, "n_pi_samples": 2, "n_elites": 4, "cem_iterations": 1,
        "device": "cpu", "push_to_hub": False, **settings,
    }  # fmt: skip
    config = TDMPCConfig(input_features=seen, output_features=acted, **values)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        policy = TDMPCPolicy(config)
    return save(folder, policy, SMALL, (), True)


def tiny_diffusion(folder: Path, **settings: Any) -> Path:
    """A diffusion policy with random weights, which draws, sees two frames and keeps its chunk to itself."""
    import torch
    from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
    from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy

    seen, acted = features(SMALL, (), True)
    values = {
        "horizon": 16, "n_obs_steps": 2, "n_action_steps": 8, "down_dims": (8, 16), "kernel_size": 3, "n_groups": 4,
        "num_train_timesteps": 6, "diffusion_step_embed_dim": 8, "device": "cpu", "push_to_hub": False, **settings,
    }  # fmt: skip
    config = DiffusionConfig(input_features=seen, output_features=acted, **values)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        policy = DiffusionPolicy(config)
    return save(folder, policy, SMALL, (), True)
