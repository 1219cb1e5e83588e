"""Arrays made of buffers are those that Arrow makes itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from curation.arrow import lists, numbers, plain, strings, texts


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_])
@pytest.mark.parametrize("count", [0, 1, 9, 1000])
def test_numbers(dtype: Any, count: int) -> None:
    values = (np.arange(count) % 3).astype(dtype)
    made = numbers(values)
    made.validate(full=True)
    assert made.equals(pa.array(values))
    assert np.array_equal(plain(made), values)


def test_texts_of_any_language() -> None:
    values = ["Pick up the cube", "", "积木", "🤖 éß"]
    made = strings(values)
    made.validate(full=True)
    assert made.equals(pa.array(values))
    assert strings([]).equals(pa.array([], pa.string()))
    rows = [["a", "ü"], [], ["b"]]
    assert texts(rows).equals(pa.array(rows, pa.list_(pa.string())))


@pytest.mark.parametrize("shape", [(1,), (6,), (3, 1, 1), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_nested_lists(shape: tuple[int, ...], dtype: Any) -> None:
    values = np.arange(4 * int(np.prod(shape))).reshape(4, *shape).astype(dtype)
    kind: pa.DataType = pa.int64() if dtype is np.int32 else pa.float64()
    for _ in shape:
        kind = pa.list_(kind)
    made = lists(values)
    made.validate(full=True)
    assert made.equals(pa.array(values.astype(kind_of(dtype)).tolist(), kind))


def kind_of(dtype: Any) -> Any:
    return np.int64 if dtype is np.int32 else np.float64


def test_a_part_of_an_array_and_one_with_holes() -> None:
    assert plain(pa.array([1.0, 2.0, 3.0])[1:]).tolist() == [2.0, 3.0]
    assert np.isnan(plain(pa.array([1.0, None]))[1])
    assert plain(pa.array([True, False])).tolist() == [True, False]
