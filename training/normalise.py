"""Statistics as LeRobot's processors want them, put in the place of the whole dataset's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from curation.stats import Stats


def replace_stats(dataset: Any, stats: Mapping[str, Stats]) -> None:
    """Let a LeRobotDataset normalise by other statistics than those in its stats.json.

    Only features that LeRobot knows statistics of are replaced; ImageNet's constants, which LeRobot puts in place of a
    camera's mean and deviation if asked, are not touched: see `keep_imagenet`.
    """
    known = dict(dataset.meta.stats or {})
    for key, own in stats.items():
        known[key] = {name: np.asarray(value) for name, value in own.items()}
    dataset.meta.stats = known


def keep_imagenet(dataset: Any) -> None:
    """ImageNet's mean and deviation for every colour camera, as LeRobot's `use_imagenet_stats` does."""
    import torch
    from lerobot.utils.constants import IMAGENET_STATS

    for key in dataset.meta.camera_keys:
        if key in dataset.meta.depth_keys:
            continue
        for name, value in IMAGENET_STATS.items():
            dataset.meta.stats.setdefault(key, {})[name] = torch.tensor(value, dtype=torch.float32)


def relative_stats(dataset: Any, policy: Any) -> dict[str, Any]:
    """Statistics of actions relative to the state, over all chunks of the episodes that are trained on.

    LeRobot's training normalises relative actions by the statistics of absolute ones unless the dataset was rewritten.

    Args:
        dataset: LeRobot's, as training reads it.
        policy: its configuration.
    """
    from lerobot.datasets.compute_stats import compute_relative_action_stats

    names = dataset.meta.features["action"].get("names")
    features = {**dataset.meta.features, "action": {**dataset.meta.features["action"], "names": list(names or [])}}
    found: dict[str, Any] = compute_relative_action_stats(
        dataset.hf_dataset.with_format(None), features, policy.chunk_size, list(policy.relative_exclude_joints)
    )
    return found
