"""Columns of data files that are no vectors of usual numbers, as bytes: texts, images, matrices, small numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation import layout
from curation.arrow import is_list, plain
from curation.episodes import SavedEpisode
from curation.rows import runs_of, vector_features
from curation.store import Store


class Cells:
    """The cells of a dataset's episodes that `Rows` leaves out. Asked for in order, every file is read once.

    Args:
        store: the dataset.
    """

    def __init__(self, store: Store) -> None:
        known = vector_features(store.features).keys()
        self._dtypes = {
            key: feature.dtype
            for key, feature in sorted(store.features.items())
            if feature.dtype != "video" and key not in known
        }
        self._path: Path | None = None
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._runs: dict[int, list[tuple[int, int]]] = {}

    def of(self, episode: SavedEpisode) -> Iterator[bytes]:
        """What an episode's cells say, column by column; the same however files, lists and texts store it.

        Raises:
            DataError: the file cannot be read.
        """
        if not self._dtypes:
            return
        if episode.data != self._path:
            self._read(episode.data)
        for key, dtype in self._dtypes.items():
            yield json.dumps([key, key in self._columns]).encode()
            for start, stop in self._runs.get(episode.index, []) if key in self._columns else ():
                yield from _told(self._columns[key].slice(start, stop - start), dtype)

    def _read(self, path: Path) -> None:
        with layout.whole_parquet(path) as file:
            table = file.read(columns=["episode_index", *self._dtypes], use_threads=False)
        self._columns = {key: table[key] for key in self._dtypes if key in table.column_names}
        self._runs, self._path = runs_of(plain(table["episode_index"].combine_chunks())), path


def _told(column: pa.ChunkedArray, dtype: str) -> Iterator[bytes]:
    # Images of an episode may be more than one array of Arrow's can hold, so these go by one by one.
    single = ([chunk.slice(row, 1) for row in range(len(chunk))] for chunk in column.chunks)
    for array in chain.from_iterable(single) if dtype == "image" else [column.combine_chunks()]:
        yield from _bytes(array, dtype)


def _bytes(array: pa.Array, dtype: str) -> Iterator[bytes]:
    """Nulls, lengths and values, level by level; each with its size before it, so that nothing runs into another."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    kind = array.type
    yield _sized("nulls", np.flatnonzero(plain(array.is_null())).astype("<i8").tobytes())
    if is_list(kind):
        yield _sized("lengths", plain(pc.fill_null(pc.list_value_length(array), 0)).astype("<i8").tobytes())
        yield from _bytes(array.flatten(), dtype)
    elif pa.types.is_struct(kind) and dtype == "image":
        # Where it lay before it was stored is no part of an image that lies here.
        for image in array.to_pylist():
            one = image or {}
            yield _sized("image", one.get("bytes") or str(one.get("path")).encode())
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        yield _sized("numbers", _numbers(array, dtype))
    else:
        for value in array.to_pylist():
            yield _sized("value", value if isinstance(value, bytes) else str(value).encode())


def _numbers(array: pa.Array, dtype: str) -> bytes:
    """As the feature's dtype has them, whatever a tool stored them as."""
    present = plain(array.drop_null())
    try:
        return np.ascontiguousarray(present, dtype=np.dtype(dtype)).tobytes()
    except (TypeError, ValueError):
        return np.ascontiguousarray(present).tobytes()


def _sized(what: str, content: bytes) -> bytes:
    return f"{what} {len(content)} ".encode() + content
