"""Frames of saved episodes, read file by file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.info import NUMBERS
from curation.store import Store


class Rows:
    """The numbers of a dataset's episodes. Asked for in order, every file is read once.

    Args:
        store: the dataset.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._features = {
            key: feature
            for key, feature in layout.columns(store.features).items()
            if feature.dtype in NUMBERS and len(feature.shape) == 1
        }
        self._path: Path | None = None
        self._values: dict[str, NDArray[Any]] = {}

    def of(self, episode: SavedEpisode) -> dict[str, NDArray[Any]]:
        """Every numeric column of an episode with LeRobot's bookkeeping, shape (length, D) each.

        Raises:
            DataError: the file cannot be read, or has other rows than the episode has frames.
        """
        if episode.data != self._path:
            self._values, self._path = layout.read_columns(episode.data, self._features), episode.data
        rows = np.flatnonzero(self._values["episode_index"][:, 0] == episode.index)
        if len(rows) != episode.length or np.any(np.diff(rows) != 1):
            raise DataError(
                f"{self._store.root}, episode {episode.index}: {episode.data} holds {len(rows)} rows of it, "
                f"{episode.length} on end are needed. studio check {self._store.root} says more."
            )
        return {key: values[rows[0] : rows[-1] + 1] for key, values in self._values.items()}

    def numbers(self, episode: SavedEpisode) -> dict[str, NDArray[Any]]:
        """The numeric features of an episode, without bookkeeping, shape (length, D) each."""
        return {key: values for key, values in self.of(episode).items() if key not in layout.BOOKKEEPING}
