"""Episodes a classifier learned from, known again under any name: a copy of one proves nothing about others.

Our own edits and rerenders say which recording their frames come from. What another tool copied says nothing, so the
motion of every episode is kept with the classifier too, and compared frame by frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.labels import Labelled
from curation.atomic import write_aside
from curation.duplicates import TOLERANCE_DEG, Track, copies, tracks_of
from curation.errors import DataError
from curation.store import Store

SAME_PLACE_M = 0.001
"""Placements farther apart are of two episodes, however alike these move [m]: an arm may stand still in both."""
_STEP_DEG = 0.01
"""What motion is rounded to on disk [deg]."""


@dataclass(frozen=True)
class Known:
    """What an episode is known again by.

    Attributes:
        recording: the recorded episode its frames come from.
        place: of the block [m], shape (2,), NaN where nobody knows.
        motion: its actions, shape (frames, D) [deg]; no frames where it has none.
    """

    recording: str
    place: NDArray[np.float64]
    motion: NDArray[np.float64]

    def is_at(self, other: Known) -> bool:
        """Whether the block may have lain where another's lay."""
        return not float(np.hypot(*(self.place - other.place))) > SAME_PLACE_M


def known_of(stores: Sequence[Store], episodes: Sequence[Labelled]) -> list[Known]:
    """What episodes are known again by, in their order.

    Raises:
        DataError: data of an episode cannot be read.
    """
    needed = {one.dataset for one in episodes}
    motions = {
        (number, track.key): track.actions
        for number, store in enumerate(stores)
        if number in needed
        for track in tracks_of(store)
    }
    nothing = np.zeros((0, 1))
    return [
        Known(
            one.recording,
            np.array([one.episode.row.x, one.episode.row.y]),
            motions.get((one.dataset, one.episode.row.episode_id), nothing),
        )
        for one in episodes
    ]


def repeated(before: Sequence[Known], episodes: Sequence[Known]) -> list[bool]:
    """Which episodes are, whole or in part, among those before or an earlier one of their own list."""
    everyone = [*before, *episodes]
    recordings = {one.recording for one in before}
    again = set()
    for at, one in enumerate(episodes, start=len(before)):
        if one.recording in recordings:
            again.add(at)
        recordings.add(one.recording)
    # Rounding on disk adds to what two drives may differ by.
    tracks = [Track(at, one.motion) for at, one in enumerate(everyone)]
    for pair in copies(tracks, TOLERANCE_DEG + _STEP_DEG):
        if everyone[pair.a].is_at(everyone[pair.b]):
            again.add(pair.b)
    return [at in again for at in range(len(before), len(everyone))]


def write_known(path: Path, known: Sequence[Known]) -> None:
    """Write them to a new file.

    Raises:
        CannotWrite: the disk refused.
    """
    out = BytesIO()
    steps = [np.round(one.motion / _STEP_DEG).astype(np.int32).ravel() for one in known]
    np.savez_compressed(
        out,
        recordings=np.array([one.recording for one in known], dtype=np.str_),
        places=np.array([one.place for one in known], np.float64).reshape(-1, 2),
        shapes=np.array([one.motion.shape for one in known], np.int64).reshape(-1, 2),
        motion=np.concatenate([np.zeros(0, np.int32), *steps]),
    )
    write_aside(path, out.getvalue())


def read_known(path: Path) -> list[Known]:
    """What `write_known` wrote.

    Raises:
        DataError: it is damaged, or not there.
    """
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            return list(_known(dict(stored)))
    except Exception as error:  # zipfile, zlib, numpy and the disk each raise their own
        raise DataError(f"{path} cannot be read ({error}). Train the classifier again.") from error


def _known(stored: Mapping[str, NDArray[Any]]) -> Iterator[Known]:
    shapes = [(int(rows), int(columns)) for rows, columns in stored["shapes"]]
    ends = np.cumsum([math.prod(shape) for shape in shapes], dtype=np.int64)
    parts = np.split(stored["motion"], ends[:-1])
    for recording, place, shape, part in zip(stored["recordings"], stored["places"], shapes, parts, strict=True):
        yield Known(str(recording), place, part.reshape(shape) * _STEP_DEG)
