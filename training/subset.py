"""Which episodes are trained on, and the statistics of exactly those.

LeRobot normalises a chosen set of episodes by the statistics of the whole dataset. Here a subset has its own, computed
from its rows and its images' histograms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.commit import kept_histograms
from curation.errors import UsageError
from curation.histograms import decoded_images, pictures
from curation.library import Entry
from curation.restat import numeric_features
from curation.stats import ImageStats, NumericStats, Stats
from curation.store import SavedEpisode, Store


@dataclass(frozen=True)
class Subset:
    """Episodes of a dataset.

    Attributes:
        store: the dataset.
        indices: of the episodes, ascending.
    """

    store: Store
    indices: tuple[int, ...]

    @property
    def episodes(self) -> list[SavedEpisode]:
        return [self.store.episodes[index] for index in self.indices]

    @property
    def frames(self) -> int:
        return sum(episode.length for episode in self.episodes)

    @property
    def whole(self) -> bool:
        """Whether it is the dataset itself."""
        return len(self.indices) == self.store.total_episodes

    @property
    def ids(self) -> list[str]:
        return [episode.row.episode_id for episode in self.episodes]

    @property
    def positions(self) -> list[list[float]]:
        """Placements that are known: x, y [m], yaw [deg]."""
        rows = [episode.row for episode in self.episodes]
        return [[row.x, row.y, row.yaw_deg] for row in rows if np.isfinite([row.x, row.y]).all()]


def subset(store: Store, kept: Sequence[Entry]) -> Subset:
    """The episodes that were chosen.

    Raises:
        UsageError: there is none.
    """
    indices = tuple(sorted(entry.index for entry in kept if entry.index is not None))
    if not indices:
        raise UsageError(f"No episode of {store.root} is left to train on. studio episodes shows what there is.")
    return Subset(store, indices)


def by_ids(store: Store, ids: Sequence[str]) -> Subset:
    """The episodes with these ids.

    Raises:
        UnknownChoice: one is gone.
    """
    return Subset(store, tuple(sorted(store.episode(one).index for one in ids)))


def subset_stats(chosen: Subset) -> dict[str, Stats]:
    """Statistics of every feature over the subset's frames, as LeRobot names them.

    Images are counted in the histograms kept since they were recorded, and decoded where there is none.

    Raises:
        DataError: data or a video cannot be read.
    """
    numeric = numeric_features(chosen.store.features)
    wanted = set(chosen.indices)
    rows: dict[str, list[NDArray[Any]]] = {key: [] for key in numeric}
    for path in sorted({episode.data for episode in chosen.episodes}):
        table = layout.read_columns(path, numeric)
        mine = np.isin(table["episode_index"].reshape(-1), list(wanted))
        for key, parts in rows.items():
            parts.append(table[key][mine])
    found = {key: NumericStats.of(np.concatenate(parts)).as_lerobot() for key, parts in rows.items()}
    for key in pictures(chosen.store):
        images = ImageStats()
        for episode in chosen.episodes:
            images = images.merge(_images(chosen.store, episode, key))
        found[key] = images.as_lerobot()
    return found


def _images(store: Store, episode: SavedEpisode, key: str) -> ImageStats:
    return kept_histograms(store.root, episode).get(key) or decoded_images(episode, key)
