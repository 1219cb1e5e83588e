"""A fingerprint tells apart whatever a dataset says, and nothing of how it is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation import layout
from curation.fingerprint import file_hash, fingerprint
from curation.store import Store
from tests.curation.checks.plants import edit_json
from tests.curation.making import make_packed

ROWS = 18
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
MATRIX = pa.list_(pa.list_(pa.int64()))


def matrix(row: int) -> list[list[int]]:
    return [[row, 2], [3, row + 4]]


def image(row: int) -> dict[str, Any]:
    return {"bytes": b"picture %d" % row, "path": f"{row}.png"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_packed(tmp_path_factory.mktemp("mark") / "set", [[6, 7], [5]], ["pick"] * 3).root


def put(root: Path, column: pa.ChunkedArray, dtype: str, shape: tuple[int, ...], size: int | None = None) -> str:
    """The fingerprint of the dataset with a column in its files, `size` rows in each of their groups."""
    feature = {"dtype": dtype, "shape": list(shape), "names": None}
    edit_json(root / layout.INFO, lambda info: info["features"].update(extra=feature))
    first = 0
    for path in sorted({episode.data for episode in Store.open(root).episodes}):
        table = pq.read_table(path)
        if "extra" in table.column_names:
            table = table.drop_columns(["extra"])
        own = table.append_column("extra", column.slice(first, len(table)))
        pq.write_table(own, path, row_group_size=size)
        first += len(table)
    return fingerprint(root)


CASES: list[tuple[str, tuple[int, ...], pa.DataType, Callable[[int], Any], list[pa.DataType]]] = [
    ("uint8", (1,), pa.uint8(), lambda row: row, [pa.int32()]),
    ("int8", (1,), pa.int8(), lambda row: -row, []),
    ("float16", (2,), pa.list_(pa.float16(), 2), lambda row: [row, 0.5], [pa.list_(pa.float32())]),
    ("string", (1,), pa.string(), lambda row: f"say {row}", [pa.large_string()]),
    ("int64", (2, 2), MATRIX, matrix, [pa.list_(pa.list_(pa.int64(), 2), 2), pa.list_(pa.large_list(pa.int32()))]),
    ("image", (2, 2, 3), IMAGE, image, []),
]


@pytest.mark.parametrize(("dtype", "shape", "kind", "value", "kinds"), CASES, ids=[str(case[:2]) for case in CASES])
def test_every_column_is_told_however_it_is_stored(
    made: Path, dtype: str, shape: tuple[int, ...], kind: pa.DataType, value: Callable[[int], Any],
    kinds: list[pa.DataType],
) -> None:  # fmt: skip
    values = [value(row) for row in range(ROWS)]
    mark = put(made, pa.chunked_array([pa.array(values, kind)]), dtype, shape)
    for other in [kind, *kinds]:
        assert put(made, pa.chunked_array([pa.array(values, other)]), dtype, shape, size=2) == mark
    for row in (0, 5, 6, 12, ROWS - 1):
        for changed in (value(row + 1), None):
            altered = [*values[:row], changed, *values[row + 1 :]]
            assert put(made, pa.chunked_array([pa.array(altered, kind)]), dtype, shape) != mark
    turned = [*values[1:], values[0]]
    assert put(made, pa.chunked_array([pa.array(turned, kind)]), dtype, shape) != mark


def test_the_mark_of_plain_numbers_stays_what_it_was(tmp_path: Path) -> None:
    """What was trained, planned and published carries it."""
    store = make_packed(tmp_path / "set", [[6, 7], [5]], ["pick", "place", "pick"])
    features = {key: asdict(feature) for key, feature in sorted(store.features.items())}
    due = hashlib.sha256(json.dumps([store.fps, store.robot_type, features], sort_keys=True).encode())
    for episode in store.episodes:
        shown = {key: [file_hash(path), episode.video_starts[key]] for key, path in episode.videos.items()}
        told = [episode.row.columns(), episode.task, episode.length]
        due.update(json.dumps([told, shown], sort_keys=True).encode())
        for key in ("action", "observation.state"):
            due.update(key.encode() + store.numeric(episode.index)[key].tobytes())
    assert fingerprint(store) == due.hexdigest()
