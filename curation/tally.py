"""Exact statistics of numeric columns; rows wait in a temporary file, so that memory does not grow with them."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.errors import CannotWrite
from curation.frames import Feature
from curation.stats import NumericStats, Stats

IN_MEMORY = 4 << 20
"""Bytes that are kept in memory before a file is made."""
_AT_ONCE = 1 << 16
"""Rows that are read at once."""


class Spilled:
    """Rows of one width and type, added in turn and read column by column."""

    def __init__(self) -> None:
        self.count = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._like: NDArray[Any] | None = None

    def add(self, rows: NDArray[Any]) -> None:
        """Put down rows, shape (N, D), of the width and type of those before.

        Raises:
            CannotWrite: the disk refused.
        """
        if self._like is None:
            self._like = rows[:0].copy()
        try:
            self._file.write(np.ascontiguousarray(rows, dtype=self._like.dtype).tobytes())
        except OSError as error:
            raise CannotWrite(Path(tempfile.gettempdir()), error) from error
        self.count += len(rows)

    def columns(self) -> Iterator[NDArray[Any]]:
        """Every column, shape (rows,); nothing before the first row."""
        for place in range(0 if self._like is None else self._like.shape[1]):
            yield self._column(place)

    def _column(self, place: int) -> NDArray[Any]:
        assert self._like is not None
        width, kind = self._like.shape[1], self._like.dtype
        found = np.empty(self.count, kind)
        self._file.seek(0)
        for first in range(0, self.count, _AT_ONCE):
            many = min(_AT_ONCE, self.count - first)
            block = np.frombuffer(self._file.read(many * width * kind.itemsize), kind)
            found[first : first + many] = block.reshape(many, width)[:, place]
        self._file.seek(0, 2)  # so that more may be added
        return found


class Tally:
    """Statistics of numeric columns, episode by episode.

    Args:
        features: the numeric features, as `numeric_features` gives them.
        episodes: how many episodes there are.
    """

    def __init__(self, features: Mapping[str, Feature], episodes: int) -> None:
        self.episodes: list[dict[str, Stats]] = [{} for _ in range(episodes)]
        self._rows: dict[str, Spilled] = {key: Spilled() for key in features}

    def add(self, index: int, numbers: Mapping[str, NDArray[Any]]) -> None:
        """Count an episode's rows, shape (N, D) each, N at least 1.

        Raises:
            CannotWrite: the disk of temporary files is full.
        """
        for key, rows in self._rows.items():
            rows.add(numbers[key])
            self.episodes[index][key] = NumericStats.of(numbers[key]).as_lerobot()

    def whole(self) -> dict[str, Stats]:
        """Statistics of all episodes that were added."""
        return {key: _of_columns(rows) for key, rows in self._rows.items() if rows.count}


def _of_columns(rows: Spilled) -> Stats:
    """Statistics of all rows, exact; one column is held at a time."""
    each = [NumericStats.of(column).as_lerobot() for column in rows.columns()]
    return {name: np.concatenate([one[name] for one in each]) for name in each[0]} | {"count": each[0]["count"]}
