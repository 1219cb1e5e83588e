"""Arrow arrays from and to numpy, by their buffers.

Arrow's own way, `pa.array()` and `to_numpy()`, imports pandas, which takes a fifth of a second of every command, and of
a session's first commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def numbers(values: NDArray[Any]) -> pa.Array:
    """Numbers or truths of any shape, flattened."""
    flat = np.ascontiguousarray(values).ravel()
    bits = np.packbits(flat, bitorder="little") if flat.dtype == np.bool_ else flat
    return pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), flat.size, [None, pa.py_buffer(bits)])


def strings(values: Sequence[str]) -> pa.Array:
    """Texts."""
    encoded = [value.encode() for value in values]
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(_offsets(encoded)), pa.py_buffer(b"".join(encoded)))


def texts(values: Sequence[Sequence[str]]) -> pa.Array:
    """A list of texts in each row."""
    return pa.ListArray.from_arrays(numbers(_offsets(values)), strings([text for row in values for text in row]))


def lists(values: NDArray[Any]) -> pa.Array:
    """Nested lists: the numbers of each row of an array; integers as int64, all else as float64."""
    made = numbers(values.astype(np.int64 if values.dtype.kind == "i" else np.float64))
    for axis in range(values.ndim - 1, 0, -1):
        count, length = int(np.prod(values.shape[:axis])), values.shape[axis]
        made = pa.ListArray.from_arrays(numbers(np.arange(0, count * length + 1, length, dtype=np.int32)), made)
    return made


def plain(array: pa.Array) -> NDArray[Any]:
    """The values of an array; NaN where a number is absent. Not to be written to."""
    if array.null_count or not (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    return np.from_dlpack(array)


def is_list(kind: pa.DataType) -> bool:
    """Whether it is a list of any kind: tools and their versions write one for another."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _offsets(values: Sequence[Sequence[Any]]) -> NDArray[np.int32]:
    return np.cumsum([0, *map(len, values)]).astype(np.int32)
