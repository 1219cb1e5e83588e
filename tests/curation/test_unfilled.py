"""What has no value in a data file is named, and never taken for a number."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation import layout
from curation.apply import apply
from curation.arrow import numbers
from curation.checks import Finding, check_folder
from curation.errors import DataError
from curation.frames import Feature
from curation.plan import begin
from curation.restat import repair
from curation.store import Store
from curation.vectors import NoValue, vectors
from tests.curation.checks.plants import edit_json, set_column
from tests.curation.making import make_packed

LENGTHS = [[6, 7], [5]]
ROW = 8
"""In the first file, so of episode 1."""


def with_column(root: Path, name: str, dtype: str, kind: pa.DataType) -> Path:
    """A dataset with one more column of one value in each row; its first data file."""
    store = make_packed(root, LENGTHS, ["pick"] * 3)
    feature = {"dtype": dtype, "shape": [1], "names": None}
    edit_json(root / layout.INFO, lambda info: info["features"].update({name: feature}))
    for path in sorted({episode.data for episode in store.episodes}):
        table = pq.read_table(path)
        pq.write_table(table.append_column(name, pa.array([1] * len(table)).cast(kind)), path)
    return store.episodes[0].data


def without(row: int) -> Callable[[list[Any]], list[Any]]:
    return lambda old: [*old[:row], None, *old[row + 1 :]]


def nulls(root: Path) -> list[Finding]:
    return [one for one in check_folder(root) if one.check == "nulls"]


@pytest.mark.parametrize(("name", "dtype", "kind"), [
    ("next.done", "bool", pa.bool_()), ("count", "int64", pa.int64()), ("count", "int32", pa.float64()),
])  # fmt: skip
def test_a_null_is_no_whole_number_and_no_truth(tmp_path: Path, name: str, dtype: str, kind: pa.DataType) -> None:
    root = tmp_path / "set"
    path = with_column(root, name, dtype, kind)
    repair(Store.open(root))
    assert nulls(root) == []
    stored = (root / layout.STATS).read_bytes()
    set_column(path, name, without(ROW))
    said = rf"{path}: {name} is null in 1 row, first in row {ROW}.*Restore the file"
    with pytest.raises(DataError, match=said):
        Store.open(root).numeric(1)
    with pytest.raises(DataError, match=said):
        repair(Store.open(root))
    assert (root / layout.STATS).read_bytes() == stored
    with pytest.raises(DataError, match=said):
        apply(begin([Store.open(root)]), tmp_path / "new", tell=lambda *_: None)
    assert not (tmp_path / "new").exists()
    (one,) = nulls(root)
    assert (one.level, one.episodes) == ("error", (1,))
    assert f"{name} is null in 1 row, first in row {ROW} (episode 1)" in one.what


def test_a_float_that_is_null_is_no_number(tmp_path: Path) -> None:
    path = with_column(tmp_path / "set", "reward", "float32", pa.float32())
    set_column(path, "reward", without(ROW))
    found = [one for one in check_folder(tmp_path / "set") if one.level == "error" and "reward" in one.what]
    assert [one.episodes for one in found if "finite" in one.what or "numbers" in one.what] == [(1,)], found
    assert nulls(tmp_path / "set") == []


@pytest.mark.parametrize("kind", [pa.list_(pa.float32(), 6), pa.list_(pa.float32()), pa.large_list(pa.float32())])
@pytest.mark.parametrize("row", [None, [1.0] * 5])
def test_a_row_without_its_vector_is_named(tmp_path: Path, kind: pa.DataType, row: list[float] | None) -> None:
    if row is not None and pa.types.is_fixed_size_list(kind):
        return
    root = tmp_path / "set"
    path = make_packed(root, LENGTHS, ["pick"] * 3).episodes[0].data
    table = pq.read_table(path)
    values = table["action"].to_pylist()
    values[ROW] = row
    place = table.column_names.index("action")
    pq.write_table(table.set_column(place, "action", pa.array(values, kind)), path)
    with pytest.raises(DataError, match=rf"{path}: action is no list of 6 in 1 row, first in row {ROW}"):
        apply(begin([Store.open(root)]), tmp_path / "new", tell=lambda *_: None)
    (one,) = nulls(root)
    assert (one.level, one.episodes) == ("error", (1,))
    assert not [one for one in check_folder(root) if one.check == "data readable"]


def test_values_are_those_of_any_kind_of_list() -> None:
    rows = [[1.0, 2.0], [3.0, None]]
    for kind in (pa.list_(pa.float32(), 2), pa.list_(pa.float32()), pa.large_list(pa.float64())):
        column = pa.chunked_array([pa.array(rows[:1], kind), pa.array(rows[1:], kind)])
        found = vectors(Path("f"), "a", column, Feature("float32", (2,), ()))
        assert str(found.tolist()) == "[[1.0, 2.0], [3.0, nan]]"
    whole = pa.chunked_array([pa.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])])
    assert vectors(Path("f"), "a", whole, Feature("int64", (2, 2), ())).tolist() == whole.to_pylist()
    flat = pa.chunked_array([pa.array([[1, 2, 3, 4]])])
    assert vectors(Path("f"), "a", flat, Feature("int64", (2, 2), ())).shape == (1, 2, 2)


@pytest.mark.parametrize(("rows", "shape", "wrong"), [
    ([[1, 2], [3, None]], (2,), [1]), ([[1, 2], [3]], (2,), [1]), ([1, 2], (2,), [0, 1]),
    ([[[1, 2], [3, 4]], [[5, 6], None]], (2, 2), [1]),
])  # fmt: skip
def test_rows_of_another_shape_are_named(rows: list[Any], shape: tuple[int, ...], wrong: list[int]) -> None:
    with pytest.raises(NoValue) as refused:
        vectors(Path("f"), "a", pa.chunked_array([pa.array(rows)]), Feature("int64", shape, ()))
    assert refused.value.rows.tolist() == wrong


def test_numbers_that_no_whole_number_can_be() -> None:
    import numpy as np

    column = pa.chunked_array([numbers(np.array([1.0, np.nan, 2.0]))])
    with pytest.raises(NoValue, match="a is no number in 1 row, first in row 1"):
        vectors(Path("f"), "a", column, Feature("int64", (1,), ()))
    assert json.dumps(vectors(Path("f"), "a", column.slice(2), Feature("int64", (1,), ())).tolist()) == "[[2]]"
