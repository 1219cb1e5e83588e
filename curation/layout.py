"""Where things lie in a LeRobot v3.0 dataset, and the exact schemas of its files.

```text
data/chunk-000/file-000.parquet             frames: features, timestamp and four indices
videos/<camera>/chunk-000/file-000.mp4      images
meta/episodes/chunk-000/file-000.parquet    episodes: where their data and videos are, their statistics
meta/tasks.parquet, stats.json, info.json   info.json counts the episodes
meta/studio/scene.json                      the scene, reach and camera views
meta/studio/units.json                      units of joints, where they are not LeRobot's defaults
meta/studio/provenance.json                 of an edited dataset: parents, edits, and where each episode comes from
meta/studio/frames/<episode_id>.parquet     physics, phase, timing and author of every frame
meta/studio/histograms/<episode_id>.npz     image histograms, from which exact statistics are rebuilt
meta/studio/attempts.jsonl                  the recorder's log: a line for every finished attempt, kept or not
meta/studio/yield.json                      what generating gave at each position, and how sure that is
meta/studio/notes.jsonl                     what people, the judge and classifiers say about episodes
meta/studio/stress.jsonl                    what became of episodes under stress, run by run
meta/studio/takes/<episode_id>.jsonl        takes that are not episodes yet, kept or unfinished
meta/studio/trash/<episode_id>.jsonl        takes that were not kept
meta/studio/staging/                        episodes on their way into the dataset
meta/studio/commit.lock                     held by whoever saves an episode
```
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.arrow import lists, numbers, strings, texts
from curation.errors import DataError
from curation.frames import Feature
from curation.stats import Stats
from curation.vectors import vectors

FILES_PER_CHUNK = 1000

INFO = "meta/info.json"
STATS = "meta/stats.json"
TASKS = "meta/tasks.parquet"
SCENE = "meta/studio/scene.json"
UNITS = "meta/studio/units.json"
PROVENANCE = "meta/studio/provenance.json"
HUB = "meta/studio/hub.json"
INTENDED = "meta/studio/hub-intended.json"
FRAMES = Path("meta/studio/frames")
HISTOGRAMS = Path("meta/studio/histograms")
ATTEMPTS = Path("meta/studio/attempts.jsonl")
YIELD = Path("meta/studio/yield.json")
NOTES = Path("meta/studio/notes.jsonl")
NOTES_LOCK = Path("meta/studio/notes.lock")
STRESS = Path("meta/studio/stress.jsonl")
TAKES = Path("meta/studio/takes")
TRASH = Path("meta/studio/trash")
STAGING = Path("meta/studio/staging")
SESSION_LOCK = Path("meta/studio/session.lock")
"""Held while the dataset is recorded."""
COMMIT_LOCK = Path("meta/studio/commit.lock")
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"

BOOKKEEPING = {
    "timestamp": Feature("float32", (1,), ()),
    "frame_index": Feature("int64", (1,), ()),
    "episode_index": Feature("int64", (1,), ()),
    "index": Feature("int64", (1,), ()),
    "task_index": Feature("int64", (1,), ()),
}
"""The columns that LeRobot adds to every dataset."""

STUDIO = {
    "studio/episode_id": pa.string(),
    "studio/x": pa.float64(),
    "studio/y": pa.float64(),
    "studio/yaw_deg": pa.float64(),
    "studio/seed": pa.int64(),
    "studio/operator": pa.string(),
    "studio/outcome": pa.string(),
    "studio/success": pa.bool_(),
    "studio/json": pa.string(),
}
"""Our columns of meta/episodes: always all of them, never null, dtypes frozen.

A file whose columns differ from the first file's makes a dataset unloadable for LeRobot.
"""


_PLACED = ("chunk_index", "file_index", "from_timestamp", "to_timestamp")
_OF_EPISODES = ("episode_index", "tasks", "length", "dataset_from_index", "dataset_to_index")
"""LeRobot's columns of meta/episodes, beside statistics."""


class Position(NamedTuple):
    """Which file of a numbered sequence."""

    chunk: int
    file: int

    def next(self) -> Position:
        """The file that follows."""
        whole, file = divmod(self.file + 1, FILES_PER_CHUNK)
        return Position(self.chunk + whole, file)

    def path(self, pattern: str, camera: str = "") -> str:
        """The path under `pattern`, relative to the dataset."""
        return pattern.format(chunk_index=self.chunk, file_index=self.file, video_key=camera)

    @classmethod
    def recorded(cls, record: Mapping[str, Any], name: str) -> Position:
        """The file that a row of meta/episodes names under `name`.

        Raises:
            DataError: it names none.
        """
        try:
            return cls(int(record[f"{name}/chunk_index"]), int(record[f"{name}/file_index"]))
        except (KeyError, TypeError, ValueError):
            raise DataError(
                f"Episode {record.get('episode_index')} names no file under {name}; info.json and meta/episodes do not "
                "belong together."
            ) from None

    @classmethod
    def of(cls, path: Path) -> Position | None:
        """The position that a path names, or None if it names none."""
        chunk, file = path.parent.name.removeprefix("chunk-"), path.stem.removeprefix("file-")
        return cls(int(chunk), int(file)) if chunk.isdigit() and file.isdigit() else None


BEFORE_FIRST = Position(0, -1)


def frames_path(episode_id: str) -> str:
    """Where an episode's physics sidecar lies, relative to the dataset."""
    return (FRAMES / f"{episode_id}.parquet").as_posix()


def histograms_path(episode_id: str) -> str:
    """Where an episode's image histograms lie, relative to the dataset."""
    return (HISTOGRAMS / f"{episode_id}.npz").as_posix()


def cameras(features: Mapping[str, Feature]) -> list[str]:
    """Keys of the video features, in order."""
    return [key for key, feature in features.items() if feature.dtype == "video"]


def known_column(name: str) -> bool:
    """Whether a column of meta/episodes is LeRobot's or ours."""
    if name in STUDIO or name in _OF_EPISODES or name.startswith("stats/"):
        return True
    kind, _, what = name.rpartition("/")
    return what in _PLACED and (kind in ("data", "meta/episodes") or kind.startswith("videos/"))


def columns(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """The features that are stored in the data parquet, in order, with LeRobot's bookkeeping."""
    kept = {key: f for key, f in features.items() if f.dtype not in ("video", "image")}
    return kept | BOOKKEEPING


def json_bytes(value: Any) -> bytes:
    """JSON as LeRobot writes it.

    Raises:
        ValueError: a number that JSON cannot hold.
    """
    return json.dumps(value, indent=4, ensure_ascii=False, allow_nan=False).encode()


def stats_json(stats: Mapping[str, Stats]) -> dict[str, dict[str, Any]]:
    """Statistics as lists, ready for JSON."""
    return {key: {name: v.tolist() for name, v in values.items()} for key, values in stats.items()}


def read_stats(root: Path) -> dict[str, Stats]:
    """What stats.json holds; empty without one.

    Raises:
        DataError: it is damaged.
    """
    try:
        stored = json.loads((root / STATS).read_bytes())
        return {key: {name: np.array(v) for name, v in values.items()} for key, values in stored.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        raise DataError(f"{root / STATS} cannot be read: {error}") from error


def parquet_bytes(table: pa.Table) -> bytes:
    """A whole parquet file, footer included."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy", use_dictionary=True)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def data_table(features: Mapping[str, Feature], values: Mapping[str, NDArray[Any]]) -> pa.Table:
    """The frames of an episode.

    Args:
        features: as `columns` gives them.
        values: for each of them an array of shape (N, D), or (N,) where D is 1.
    """
    arrays = [_arrow(feature, values[key]) for key, feature in features.items()]
    return pa.Table.from_arrays(arrays, schema=_data_schema(features))


def tasks_table(tasks: Sequence[str]) -> pa.Table:
    """meta/tasks.parquet: pandas reads the task texts as the index of `task_index`."""
    schema = pa.schema(
        [("task_index", pa.int64()), ("task", pa.string())],
        metadata={"pandas": json.dumps(_TASKS_FOR_PANDAS)},
    )
    return pa.Table.from_arrays([numbers(np.arange(len(tasks))), strings(tasks)], schema=schema)


def episode_table(record: Mapping[str, Any], stats: Mapping[str, Stats]) -> pa.Table:
    """One row of meta/episodes, as `episodes_table` makes it."""
    return episodes_table([(record, stats)])


def episodes_table(
    rows: Sequence[tuple[Mapping[str, Any], Mapping[str, Stats]]], others: Mapping[str, pa.DataType] | None = None
) -> pa.Table:
    """Rows of meta/episodes.

    Args:
        rows: at least one; of each episode column name to value, LeRobot's columns, `STUDIO` and `others`, and the
            statistics of every feature in it. All have the same features.
        others: columns beyond LeRobot's and ours, with their types; null where an episode has no value.
    """
    made = {key: _column(key, [record[key] for record, _ in rows]) for key in rows[0][0] if key not in (others or {})}
    for key, values in rows[0][1].items():
        for name in values:
            made[f"stats/{key}/{name}"] = lists(np.stack([stats[key][name] for _, stats in rows]))
    for key, kind in (others or {}).items():
        made[key] = pa.array([record.get(key) for record, _ in rows], kind)
    return pa.Table.from_arrays(list(made.values()), names=list(made))


def read_episodes(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Rows of meta/episodes files, without statistics, in the files' order.

    Yields:
        Column name to value; a file is opened when its first row is asked for.

    Raises:
        DataError: a file is no whole parquet file.
    """
    for path in paths:
        yield from _episode_rows(path)


def _episode_rows(path: Path) -> list[dict[str, Any]]:
    with whole_parquet(path) as file:
        wanted = [name for name in file.schema_arrow.names if not name.startswith("stats/")]
        rows: list[dict[str, Any]] = file.read(columns=wanted, use_threads=False).to_pylist()
    return rows


def has_studio_columns(path: Path) -> bool:
    """Whether a meta/episodes file has the columns of `STUDIO`, with their types."""
    with whole_parquet(path) as file:
        types = {field.name: field.type for field in file.schema_arrow}
    return all(types.get(key) == kind for key, kind in STUDIO.items())


def read_tasks(path: Path) -> list[str]:
    """Task texts in the order of their index.

    Raises:
        DataError: the file is not whole.
    """
    with whole_parquet(path) as file:
        # Pandas calls an index without a name __index_level_0__.
        text = next(name for name in file.schema_arrow.names if name != "task_index")
        table = file.read(use_threads=False).sort_by("task_index")
    tasks: list[str] = table[text].to_pylist()
    return tasks


def read_columns(
    path: Path, features: Mapping[str, Feature], episode_index: int | None = None
) -> dict[str, NDArray[Any]]:
    """Columns of a data file, shape (rows, D) each.

    Args:
        path: the data parquet.
        features: the columns wanted.
        episode_index: only this episode's rows, or all.

    Raises:
        DataError: the file is not whole.
        NoValue: a row of it holds no value that its feature could have.
    """
    with whole_parquet(path) as file:
        table = file.read(columns=list({"episode_index": None, **features}), use_threads=False)
    first = 0
    if episode_index is not None:
        mine = pc.equal(table["episode_index"], episode_index)
        first, table = pc.index(mine, True).as_py(), table.filter(mine)
    return {key: vectors(path, key, table[key], feature, first) for key, feature in features.items()}


def whole_parquet(path: Path) -> pq.ParquetFile:
    """Open a parquet file.

    Raises:
        DataError: it is absent or not whole.
    """
    try:
        return pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _data_schema(features: Mapping[str, Feature]) -> pa.Schema:
    huggingface = {"info": {"features": {key: _huggingface_type(f) for key, f in features.items()}}}
    fields = [(key, _arrow_type(feature)) for key, feature in features.items()]
    return pa.schema(fields, metadata={"huggingface": json.dumps(huggingface)})


def _huggingface_type(feature: Feature) -> dict[str, Any]:
    value = {"dtype": feature.dtype, "_type": "Value"}
    if feature.shape == (1,):
        return value
    return {"feature": value, "length": feature.shape[0], "_type": "List"}


def _arrow_type(feature: Feature) -> pa.DataType:
    value = pa.from_numpy_dtype(np.dtype(feature.dtype))
    return value if feature.shape == (1,) else pa.list_(value, feature.shape[0])


def _arrow(feature: Feature, values: NDArray[Any]) -> pa.Array:
    array = numbers(np.asarray(values, dtype=feature.dtype))
    return array if feature.shape == (1,) else pa.FixedSizeListArray.from_arrays(array, feature.shape[0])


def _column(key: str, values: Sequence[Any]) -> pa.Array:
    """A column of meta/episodes, of LeRobot's or of ours."""
    if key == "tasks":
        return texts(values)
    kind = STUDIO.get(key) or (pa.float64() if key.endswith("_timestamp") else pa.int64())
    return strings(values) if kind == pa.string() else numbers(np.array(values, kind.to_pandas_dtype()))


_TASKS_FOR_PANDAS = {
    "index_columns": ["task"],
    "column_indexes": [
        {
            "name": None,
            "field_name": None,
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": {"encoding": "UTF-8"},
        }
    ],
    "columns": [
        {
            "name": "task_index",
            "field_name": "task_index",
            "pandas_type": "int64",
            "numpy_type": "int64",
            "metadata": None,
        },
        {
            "name": "task",
            "field_name": "task",
            "pandas_type": "unicode",
            "numpy_type": "object",
            "metadata": None,
        },
    ],
    "attributes": {},
    "creator": {"library": "pyarrow", "version": pa.__version__},
    "pandas_version": "2.3.3",
}
