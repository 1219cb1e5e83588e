"""Frames of saved episodes, read file by file; what was read lately is kept, because an edit looks three times."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.frames import Feature
from curation.info import NUMBERS
from curation.store import Store

MOST_BYTES = 64 << 20
"""Of columns that are kept."""


class _Lately:
    """Columns of files as they were read last; a file that was replaced meanwhile is read anew."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], dict[str, NDArray[Any]]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def columns(self, path: Path, features: dict[str, Feature]) -> dict[str, NDArray[Any]]:
        """All rows of a file, shape (rows, D) each, not to be written to.

        Raises:
            DataError: the file is not whole.
        """
        key = (path, *_state(path), *((name, feature.dtype, feature.shape) for name, feature in features.items()))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        values = layout.read_columns(path, features)
        for array in values.values():
            array.setflags(write=False)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = values
                self._bytes += _size(values)
            while self._bytes > MOST_BYTES and self._kept:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
        return values


def _state(path: Path) -> tuple[int, ...]:
    """What differs once a file is another one; nothing if there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _size(values: dict[str, NDArray[Any]]) -> int:
    return sum(array.nbytes for array in values.values())


_LATELY = _Lately()


def vector_features(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """Those that `Rows` reads, with LeRobot's bookkeeping: vectors of numbers that the studio can store."""
    stored = layout.columns(features)
    return {key: one for key, one in stored.items() if one.dtype in NUMBERS and len(one.shape) == 1}


class Rows:
    """The numbers of a dataset's episodes. Asked for in order, every file is read once.

    Args:
        store: the dataset.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._features = vector_features(store.features)
        self._path: Path | None = None
        self._values: dict[str, NDArray[Any]] = {}
        self._runs: dict[int, list[tuple[int, int]]] = {}

    def of(self, episode: SavedEpisode) -> dict[str, NDArray[Any]]:
        """Every numeric column of an episode with LeRobot's bookkeeping, shape (length, D) each.

        Raises:
            DataError: the file cannot be read, or has other rows than the episode has frames.
        """
        if episode.data != self._path:
            self._values, self._path = _LATELY.columns(episode.data, self._features), episode.data
            self._runs = runs_of(self._values["episode_index"][:, 0])
        runs = self._runs.get(episode.index, [])
        count = sum(stop - start for start, stop in runs)
        if count != episode.length or len(runs) > 1:
            raise DataError(
                f"{self._store.root}, episode {episode.index}: {episode.data} holds {count} rows of it, "
                f"{episode.length} on end are needed. studio check {self._store.root} says more."
            )
        start, stop = runs[0]
        return {key: values[start:stop] for key, values in self._values.items()}

    def numbers(self, episode: SavedEpisode) -> dict[str, NDArray[Any]]:
        """The numeric features of an episode, without bookkeeping, shape (length, D) each."""
        return {key: values for key, values in self.of(episode).items() if key not in layout.BOOKKEEPING}


def runs_of(indices: NDArray[Any]) -> dict[int, list[tuple[int, int]]]:
    """Where each episode's rows lie: first row and the one after the last, of every run of equal numbers."""
    found: dict[int, list[tuple[int, int]]] = {}
    edges = [0, *(np.flatnonzero(np.diff(indices)) + 1).tolist(), len(indices)] if len(indices) else []
    for start, stop in pairwise(edges):
        found.setdefault(int(indices[start]), []).append((start, stop))
    return found
