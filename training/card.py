"""The card of a checkpoint: what it was trained on, where and how, in one small file beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curation import layout
from curation.names import POSE, camera_name
from curation.store import Store

"""The block's pose as an input: for tests only, marked in dataset and checkpoint."""


def card_of(told: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """Everything on the card but the step.

    Args:
        told: run.json.
        store: the dataset.
    """
    cameras = {key: list(store.features[key].shape[:2]) for key in layout.cameras(store.features)}
    return {
        "version": 1,
        "run": told["name"],
        "group": told["group"],
        "policy": told["policy"],
        "seed": told["seed"],
        "dataset": {key: value for key, value in told["dataset"].items() if key != "episode_ids"},
        "scene": told["scene"],
        "fps": store.fps,
        "cameras": {camera_name(key): size for key, size in cameras.items()},
        "task": next(iter(store.tasks), ""),
        "recipe_digest": told["recipe_digest"],
        "privileged": POSE in store.features,
        "versions": told["versions"],
    }
