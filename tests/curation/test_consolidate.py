"""Data files of several tools are joined in the first one's types, or the mend is named."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.consolidate import Snapshot
from curation.errors import DataError
from curation.fingerprint import fingerprint
from curation.layout import DATA, Position
from curation.store import Store
from tests.curation.making import make_ours


@pytest.fixture
def ours(tmp_path: Path) -> Store:
    return make_ours(tmp_path / "set", [4, 5, 6], ["pick"] * 3)


def store_as(path: Path, column: str, kind: pa.DataType) -> None:
    """Write a column of a file in another type."""
    table = pq.read_table(path)
    place = table.column_names.index(column)
    pq.write_table(table.set_column(place, column, pa.chunked_array([pa.array(table[column].to_pylist(), kind)])), path)


@pytest.mark.parametrize(("column", "kind"), [
    ("action", pa.list_(pa.float32())), ("action", pa.large_list(pa.float32())), ("frame_index", pa.int32()),
])  # fmt: skip
def test_files_with_other_types_are_joined(ours: Store, tmp_path: Path, column: str, kind: pa.DataType) -> None:
    due = pa.concat_tables([pq.read_table(episode.data) for episode in ours.episodes])
    mark = fingerprint(ours)
    store_as(ours.episodes[1].data, column, kind)
    content = Snapshot.of(ours.root).files[Position(0, 0).path(DATA)]
    assert isinstance(content, bytes)
    (tmp_path / "joined.parquet").write_bytes(content)
    assert pq.read_table(tmp_path / "joined.parquet").equals(due)
    assert fingerprint(ours.root) == mark
    table = pq.read_table(ours.episodes[2].data)
    pq.write_table(table.select(table.column_names[::-1]), ours.episodes[2].data)
    assert Snapshot.of(ours.root).files[Position(0, 0).path(DATA)] == content


def test_what_cannot_be_joined_without_loss_is_named(ours: Store) -> None:
    path = ours.episodes[1].data
    table = pq.read_table(path)
    said = rf"{path} has other columns than the first file.*{{}}.*studio merge {ours.root} --to NEW"
    store_as(path, "action", pa.list_(pa.float64()))
    with pytest.raises(DataError, match=said.format(r"action \(list<")):
        Snapshot.of(ours.root)
    pq.write_table(table.drop_columns(["action"]), path)
    with pytest.raises(DataError, match=said.format("some are missing")):
        Snapshot.of(ours.root)
    pq.write_table(table.append_column("more", table["index"]), path)
    with pytest.raises(DataError, match=said.format(r"more \(int64\)")):
        Snapshot.of(ours.root)


def test_episodes_of_unlike_columns_are_named(ours: Store) -> None:
    path = ours.episodes[1].record
    table = pq.read_table(path)
    place = table.column_names.index("stats/action/mean")
    pq.write_table(table.set_column(place, "stats/action/mean", pa.array(["none"])), path)
    with pytest.raises(DataError, match=r"studio merge .* gives all files the same columns"):
        Snapshot.of(ours.root)
