"""What each camera showed on average in the episodes that were trained on.

The statistics in a checkpoint do not always say it: LeRobot puts ImageNet's in their place unless told otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from curation import layout
from curation.commit import kept_histograms
from curation.histograms import pictures
from curation.names import camera_name
from curation.stats import ImageStats
from curation.store import Store

IMAGENET = (0.485, 0.456, 0.406)
"""Mean red, green and blue of ImageNet's images, as LeRobot's `IMAGENET_STATS` has them."""
_NEAR = 1e-4


def camera_means(store: Store, ids: Sequence[str]) -> dict[str, list[float]]:
    """Mean red, green and blue in 0..1 of each camera over these episodes.

    From the histograms kept since they were recorded; where one is lacking, of the whole dataset as its statistics say
    it. A camera of which neither is known is left out.
    """
    chosen = [store.episode(name) for name in ids]
    histograms = [kept_histograms(store.root, episode) for episode in chosen]
    found = {}
    for key in pictures(store):
        mine = [kept[key] for kept in histograms if key in kept]
        mean = _of_episodes(mine) if len(mine) == len(chosen) else _of_dataset(store, key)
        if len(mean) == len(IMAGENET):
            found[camera_name(key)] = [round(value, 6) for value in mean]
    return found


def is_imagenet(mean: Sequence[float]) -> bool:
    """Whether a mean is ImageNet's and no camera's."""
    return len(mean) == len(IMAGENET) and bool(np.allclose(mean, IMAGENET, atol=_NEAR))


def _of_episodes(histograms: Sequence[ImageStats]) -> list[float]:
    total = ImageStats()
    for one in histograms:
        total = total.merge(one)
    return _numbers(total.as_lerobot()["mean"])


def _of_dataset(store: Store, key: str) -> list[float]:
    try:
        return _numbers(json.loads((store.root / layout.STATS).read_bytes())[key]["mean"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in np.ravel(values)]
