"""Write a whole dataset at once, in a folder that nobody reads yet: the same files and schemas as `Store`, joined.

`Store.commit` saves one episode at a time and keeps the dataset loadable in between; here nothing has to be loadable
before the end, so frames and episodes go to few files and statistics are made once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation import layout
from curation.atomic import make_folder, sync_file, write_aside
from curation.commit import histograms_bytes
from curation.episodes import EpisodeRow
from curation.errors import CannotWrite, DataError
from curation.frames import Feature
from curation.info import counted
from curation.layout import Position
from curation.stats import ImageStats, NumericStats, Running, Stats, lerobot_stats, merged

DATA_MB = 100
"""LeRobot's size of a data file, after which the next one begins."""
ROWS_PER_FILE = 1000
"""Episodes in a file of meta/episodes."""
GROUP_BYTES = 1 << 20
"""Rows are written in groups of this size: of every group each column costs a fixed time."""
FLUSH = 100
"""Rows of meta/episodes that are held back before they are written."""


class Bulk:
    """A dataset in the making. Its videos are put where `video` says by whoever adds the episode.

    Args:
        root: an empty or missing folder.
        info: info.json without counts.
        features: recorded columns.
        others: columns of meta/episodes beyond LeRobot's and ours, with their types.
    """

    def __init__(
        self,
        root: Path,
        info: Mapping[str, Any],
        features: Mapping[str, Feature],
        others: Mapping[str, pa.DataType] | None = None,
    ) -> None:
        self.root = root
        self._info = dict(info)
        self._others = dict(others or {})
        self._cameras = layout.cameras(features)
        self._stored = layout.columns(features)
        self._tasks: list[str] = []
        self._episodes = self._frames = 0
        self._data = _Files(root, layout.DATA, DATA_MB << 20)
        self._rows = _Files(root, layout.EPISODES, None)
        self._held: list[tuple[dict[str, Any], dict[str, Stats]]] = []
        self._numbers: dict[str, list[NDArray[Any]]] = {key: [] for key in self._stored}
        self._images: Running = {}

    def video(self, camera: str, index: int) -> Path:
        """Where the video of an episode belongs."""
        return self.root / _file(index).path(layout.VIDEO, camera)

    def add(
        self,
        row: EpisodeRow,
        tasks: Sequence[str],
        numbers: Mapping[str, NDArray[Any]],
        images: dict[str, ImageStats],
        others: Mapping[str, Any] | None = None,
    ) -> int:
        """One more episode; returns its index.

        Args:
            row: what is known about it.
            tasks: the instruction of every frame.
            numbers: every numeric feature, shape (length, D).
            images: statistics of each camera's images.
            others: values of `others`; null where one is missing.

        Raises:
            DataError: a number is none, of which there are no statistics.
            CannotWrite: the disk refused.
        """
        index, length = self._episodes, len(tasks)
        _require_numbers(row.episode_id, numbers)
        told = list(dict.fromkeys(tasks))
        self._tasks += [task for task in told if task not in self._tasks]
        number = {task: self._tasks.index(task) for task in told}
        columns = self._columns(numbers, index, length, np.array([number[task] for task in tasks]))
        place = self._data.write(layout.data_table(self._stored, columns))
        own: Running = {key: NumericStats.of(values) for key, values in columns.items()} | images
        own_others = {name: (others or {}).get(name) for name in self._others}
        self._hold(self._record(row, told, length, place) | own_others, lerobot_stats(own))
        histograms = self.root / layout.histograms_path(row.episode_id)
        if not histograms.exists():  # unless they were copied with an episode that is kept whole
            write_aside(histograms, histograms_bytes(images), durable=False)
        for key, values in columns.items():
            self._numbers[key].append(values)
        self._images = merged(self._images, dict(images))
        self._episodes, self._frames = index + 1, self._frames + length
        return index

    def close(self) -> None:
        """Write what counts the episodes; LeRobot loads the dataset from here on.

        Raises:
            CannotWrite: the disk refused.
        """
        self._flush()
        self._data.close()
        self._rows.close()
        write_aside(self.root / layout.TASKS, layout.parquet_bytes(layout.tasks_table(self._tasks)))
        write_aside(self.root / layout.STATS, layout.json_bytes(layout.stats_json(self._stats())))
        info = counted(self._info, episodes=self._episodes, frames=self._frames, tasks=len(self._tasks))
        info |= {"splits": self._info.get("splits") or info["splits"]}
        write_aside(self.root / layout.INFO, layout.json_bytes(info))

    def _stats(self) -> dict[str, Stats]:
        numeric: Running = {key: NumericStats.of(np.concatenate(parts)) for key, parts in self._numbers.items()}
        return lerobot_stats(numeric | self._images)

    def _columns(
        self, numbers: Mapping[str, NDArray[Any]], index: int, length: int, task_index: NDArray[Any]
    ) -> dict[str, NDArray[Any]]:
        counter = np.arange(length)
        every = {
            **numbers,
            "timestamp": counter / self._info["fps"],
            "frame_index": counter,
            "episode_index": np.full(length, index),
            "index": self._frames + counter,
            "task_index": task_index,
        }
        return {key: every[key].astype(feature.dtype) for key, feature in self._stored.items()}

    def _record(self, row: EpisodeRow, tasks: list[str], length: int, place: Position) -> dict[str, Any]:
        at = {
            "data": place,
            "meta/episodes": Position(0, self._episodes // ROWS_PER_FILE),
            **{f"videos/{camera}": _file(self._episodes) for camera in self._cameras},
        }
        return {
            "episode_index": self._episodes,
            "tasks": tasks,
            "length": length,
            "dataset_from_index": self._frames,
            "dataset_to_index": self._frames + length,
            **{f"{name}/chunk_index": position.chunk for name, position in at.items()},
            **{f"{name}/file_index": position.file for name, position in at.items()},
            **{f"videos/{camera}/from_timestamp": 0.0 for camera in self._cameras},
            **{f"videos/{camera}/to_timestamp": length / self._info["fps"] for camera in self._cameras},
            **row.columns(),
        }

    def _hold(self, record: dict[str, Any], stats: dict[str, Stats]) -> None:
        self._held.append((record, stats))
        if len(self._held) == FLUSH:
            self._flush()
        if (self._episodes + 1) % ROWS_PER_FILE == 0:
            self._flush()
            self._rows.next()

    def _flush(self) -> None:
        if self._held:
            self._rows.write(layout.episodes_table(self._held, self._others))
            self._held = []


class _Files:
    """Parquet files one after the other."""

    def __init__(self, root: Path, pattern: str, most_bytes: int | None) -> None:
        self._root, self._pattern, self._most = root, pattern, most_bytes
        self._at = Position(0, 0)
        self._writer: pq.ParquetWriter | None = None
        self._bytes = 0
        self._held: list[pa.Table] = []

    def write(self, table: pa.Table) -> Position:
        """Append rows; returns the file they will be in."""
        if self._most is not None and self._bytes and self._bytes + table.nbytes > self._most:
            self.next()
        self._held.append(table)
        self._bytes += table.nbytes
        if sum(held.nbytes for held in self._held) >= GROUP_BYTES:
            self._flush()
        return self._at

    def next(self) -> None:
        """Begin another file with the next rows."""
        if self._writer is not None or self._held:
            self.close()
            self._at, self._bytes = self._at.next(), 0

    def _flush(self) -> None:
        """Write what is held as a row group."""
        if not self._held:
            return
        path, table = self._root / self._at.path(self._pattern), pa.concat_tables(self._held)
        self._held = []
        try:
            if self._writer is None:
                make_folder(path.parent)
                self._writer = pq.ParquetWriter(path, table.schema, compression="snappy", use_dictionary=True)
            self._writer.write_table(table)
        except OSError as error:
            raise CannotWrite(path, error) from error

    def close(self) -> None:
        """Finish the file at hand, durably."""
        self._flush()
        if self._writer is None:
            return
        path = self._root / self._at.path(self._pattern)
        try:
            self._writer.close()
        except OSError as error:
            raise CannotWrite(path, error) from error
        self._writer = None
        sync_file(path)


def _require_numbers(episode_id: str, numbers: Mapping[str, NDArray[Any]]) -> None:
    for key, values in numbers.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            frame = int(np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))[0])
            raise DataError(
                f"Episode {episode_id}, frame {frame}: {key} holds a value that is no number, and nothing can be "
                "normalised with it. Leave the episode out with studio drop, the frame with studio trim, or the "
                "feature with --drop-feature."
            )


def _file(index: int) -> Position:
    return Position(*divmod(index, layout.FILES_PER_CHUNK))
