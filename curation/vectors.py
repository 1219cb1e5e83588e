"""Columns of data files as arrays. What has no value is refused, never made up: cast, a null would be a number."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curation.arrow import is_list, plain
from curation.errors import DataError
from curation.frames import Feature


class NoValue(DataError):
    """Rows of a column hold no value that its feature could have.

    Attributes:
        column: its name.
        what: what is the matter with the rows.
        rows: their numbers in the file, ascending.
    """

    def __init__(self, path: Path, column: str, what: str, rows: NDArray[np.int64]) -> None:
        self.column, self.what, self.rows = column, what, rows
        super().__init__(
            f"{path}: {self.said}. Nothing was changed. Restore the file from where the dataset was copied, or write "
            "the values with the tool that made it."
        )

    @property
    def said(self) -> str:
        """What is wrong, in words, without the file."""
        count = len(self.rows)
        return f"{self.column} {self.what} in {count} row{'s' if count > 1 else ''}, first in row {self.rows[0]}"


def vectors(path: Path, name: str, column: pa.ChunkedArray, feature: Feature, first: int = 0) -> NDArray[Any]:
    """The values of a column, shape (rows, *feature.shape). A float that is null is NaN.

    Args:
        path: the file, for words.
        name: of the column.
        column: numbers, or lists of them of any kind.
        feature: what they are.
        first: row of the file with which the column begins.

    Raises:
        NoValue: a whole number or a truth is null, or a row has other than the feature's shape.
    """
    flat, width = column.combine_chunks(), 1
    for axis, length in enumerate(feature.shape):
        if not is_list(flat.type):
            break
        due = length if is_list(flat.type.value_type) else prod(feature.shape[axis:])
        # Flattened, a null would be left out, and every row after it be another's.
        wrong = pc.fill_null(pc.not_equal(pc.list_value_length(flat), due), True)
        if pc.any(wrong).as_py():
            raise NoValue(path, name, f"is no list of {due}", first + _rows(wrong, width))
        flat, width = flat.flatten(), width * due
    if width != prod(feature.shape) and len(column):
        raise NoValue(path, name, f"is no list of {prod(feature.shape)}", first + np.arange(len(column)))
    values = plain(flat)
    if np.dtype(feature.dtype).kind in "biu":
        what, wrong = _absent(flat, values)
        if wrong.size:
            raise NoValue(path, name, what, first + np.unique(wrong // width))
    return np.asarray(values.reshape(len(column), *feature.shape), dtype=feature.dtype)


def _absent(flat: pa.Array, values: NDArray[Any]) -> tuple[str, NDArray[np.int64]]:
    """Where there is what no whole number and no truth can be, and what it is."""
    if flat.null_count:
        return "is null", np.flatnonzero(plain(flat.is_null()))
    return "is no number", np.flatnonzero(~np.isfinite(values)) if values.dtype.kind == "f" else np.zeros(0, np.int64)


def _rows(wrong: pa.Array, width: int) -> NDArray[np.int64]:
    """Numbers of the rows in which any of `width` truths holds."""
    found: NDArray[np.int64] = np.unique(np.flatnonzero(plain(wrong)) // width)
    return found
