"""A LeRobot v2 dataset as it lies on disk: one parquet file and one mp4 for each episode, the rest in lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curation.errors import DataError, NotADataset, UsageError
from curation.info import FEATURES_OF_OLD, OLD, read_info
from curation.layout import INFO, json_bytes, whole_parquet

EPISODES = "meta/episodes.jsonl"
TASKS = "meta/tasks.jsonl"
EPISODES_STATS = "meta/episodes_stats.jsonl"
STATS = "meta/stats.json"


class Older:
    """A dataset of version 2.0 or 2.1, read only.

    Attributes:
        root: its folder.
        info: what info.json says.
        version: "v2.0" or "v2.1".

    Raises:
        NotADataset: it is none.
        UsageError: it is of another version.
        DataError: its metadata is damaged, or files of it are missing or too many.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self.info: dict[str, Any] = json.loads(read_info(root))
            self.version = str(self.info["codebase_version"])
            absent = FEATURES_OF_OLD - self.info.keys()
        except (ValueError, KeyError, TypeError) as error:
            raise NotADataset(root, f"{INFO} is damaged ({error})") from error
        if self.version not in OLD:
            raise UsageError(_not_convertible(root, self.version))
        if absent:
            raise DataError(f"{root / INFO} lacks {', '.join(sorted(absent))}. Nothing was written.")
        self._require_files()

    @cached_property
    def lengths(self) -> list[int]:
        """Frames of each episode, by index."""
        found = {int(line["episode_index"]): int(line["length"]) for line in _lines(self.root / EPISODES)}
        gap = [index for index in range(len(found)) if index not in found]
        if gap:
            raise DataError(
                f"{self.root / EPISODES} has {len(found)} episodes and none numbered {gap[0]}: episodes were taken out "
                "without numbering the rest anew. Number files and lines from 0 on end first."
            )
        return [found[index] for index in range(len(found))]

    @cached_property
    def tasks(self) -> dict[int, str]:
        """Instructions by their number."""
        return {int(line["task_index"]): str(line["task"]) for line in _lines(self.root / TASKS)}

    @property
    def videos(self) -> list[str]:
        """Keys of the cameras that are stored as video."""
        return [key for key, feature in self.info["features"].items() if feature["dtype"] == "video"]

    def data(self, episode: int) -> Path:
        """The parquet file of an episode."""
        return self.root / str(self.info["data_path"]).format(**self._place(episode))

    def video(self, episode: int, camera: str) -> Path:
        """The mp4 of an episode."""
        return self.root / str(self.info["video_path"]).format(**self._place(episode), video_key=camera)

    def table(self, episode: int) -> pa.Table:
        """The frames of an episode.

        Raises:
            DataError: the file is not whole.
        """
        with whole_parquet(self.data(episode)) as file:
            return file.read(use_threads=False)

    def files(self) -> Iterator[Path]:
        """Everything that a converter reads."""
        yield from (self.root / name for name in (INFO, EPISODES, TASKS))
        yield from (path for name in (EPISODES_STATS, STATS) if (path := self.root / name).is_file())
        for episode in range(len(self.lengths)):
            yield self.data(episode)
            yield from (self.video(episode, camera) for camera in self.videos)

    def _place(self, episode: int) -> dict[str, int]:
        return {"episode_index": episode, "episode_chunk": episode // int(self.info["chunks_size"])}

    def _require_files(self) -> None:
        """LeRobot's converter takes whatever lies in the folders, in the order of names: a file too many, or one that
        is missing, would shift all that follow."""
        episodes = range(len(self.lengths))
        expected = {"data/*/*.parquet": {self.data(episode) for episode in episodes}}
        for key in self.videos:
            expected[f"videos/*/{key}/*.mp4"] = {self.video(episode, key) for episode in episodes}
        for pattern, named in expected.items():
            there = set(self.root.glob(pattern))
            if missing := sorted(named - there):
                raise DataError(f"{missing[0]} is missing ({len(missing)} such files). Nothing was written.")
            if surplus := sorted(there - named):
                raise DataError(f"{surplus[0]} belongs to no episode ({len(surplus)} such files). Move it away first.")


def stats_lines(older: Older) -> bytes:
    """The statistics of every episode's numbers, as v2.1 stores them and v2.0 does not."""
    lines = []
    for episode in range(len(older.lengths)):
        table, own = older.table(episode), {}
        for key, feature in older.info["features"].items():
            if key not in table.column_names or np.dtype(_kind(feature["dtype"])).kind not in "biuf":
                continue
            values = np.array(table[key].to_pylist(), np.float64).reshape(len(table), -1)
            own[key] = {
                "min": values.min(0).tolist(), "max": values.max(0).tolist(),
                "mean": values.mean(0).tolist(), "std": values.std(0).tolist(), "count": [len(values)],
            }  # fmt: skip
        lines.append(json.dumps({"episode_index": episode, "stats": own}, allow_nan=True))
    return ("\n".join(lines) + "\n").encode()


def raised_to_v21(info: dict[str, Any]) -> bytes:
    """info.json of a v2.0 dataset whose statistics are there episode by episode."""
    return json_bytes({**info, "codebase_version": "v2.1"})


def _kind(dtype: str) -> str:
    try:
        return np.dtype(dtype).str
    except TypeError:
        return "O"


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def _not_convertible(root: Path, version: str) -> str:
    if version.startswith("v3."):
        return f"{root} is a LeRobot {version} dataset already; there is nothing to convert."
    return (
        f"{root} says {version}; {' and '.join(OLD)} can be converted. Bring it to v2.1 with the converters of an "
        "older LeRobot (0.1 to 0.3) first."
    )
