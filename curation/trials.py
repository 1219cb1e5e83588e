"""The evaluation table: where a policy was tried and whether it succeeded, one row a trial.

CSV with a header, JSON lines, or a JSON list; columns `x` and `y` [m], `success`, and perhaps `feasible` and `unsure`
(how unsure the policy was, in any unit). Rows that are not feasible say nothing about a policy and are counted, not
used. Other columns are passed over.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.errors import DataError, UsageError
from curation.table import Points

NAMES = {"x": ("x", "block_x"), "y": ("y", "block_y"), "success": ("success",), "feasible": ("feasible",),
         "unsure": ("unsure", "disagreement_deg")}  # fmt: skip
"""Columns and what else they are called in tables of the earlier work."""
_YES = ("1", "1.0", "true", "yes")
_NO = ("0", "0.0", "false", "no")
_LISTS = ("episodes", "rows", "trials")
"""Under these names a JSON object may hold its rows."""


@dataclass(frozen=True)
class Trials:
    """Feasible trials.

    Attributes:
        points: where the block was, shape (N, 2) [m].
        success: shape (N,).
        infeasible: rows left out.
        unsure: how unsure the policy was, shape (N,), NaN where nothing says so; None where no row does.
    """

    points: Points
    success: NDArray[np.bool_]
    infeasible: int = 0
    unsure: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.success)


def read_trials(path: Path) -> Trials:
    """An evaluation table.

    Raises:
        UsageError: the file cannot be read, or lacks a column.
        DataError: a row is damaged; it is named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The evaluation table {path} cannot be read: {error}.") from error
    points, success, unsure, infeasible = [], [], [], 0
    # By what it holds, because tables named .csv were found to hold JSON.
    rows = _json_rows(path, text) if text.lstrip()[:1] in ("{", "[") else _csv_rows(path, text)
    for where, row in rows:
        if not _feasible(row, where):
            infeasible += 1
            continue
        points.append((_number(row, "x", where), _number(row, "y", where)))
        success.append(_truth(row, "success", where))
        unsure.append(_unsure(row, where))
    if not points:
        raise DataError(f"The evaluation table {path} holds no feasible trial ({infeasible} infeasible ones).")
    told = None if np.isnan(unsure).all() else np.array(unsure)
    return Trials(np.array(points), np.array(success), infeasible, told)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or ()]
    _require_columns(path, columns)
    reader.fieldnames = columns
    for row in reader:
        yield f"{path}, line {reader.line_num}", row


def _json_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    if whole is None:
        named = _lines(path, text)
    else:
        if isinstance(whole, dict):
            whole = next((whole[name] for name in _LISTS if isinstance(whole.get(name), list)), [whole])
        named = [(f"{path}, row {number}", row) for number, row in enumerate(whole, start=1)]
    for number, (where, row) in enumerate(named):
        if not isinstance(row, dict):
            raise DataError(f'{where}: {row!r} is no row; {{"x": 0.3, "y": 0.1, "success": true}} is needed.')
        if number == 0:
            _require_columns(path, list(row))
        yield where, row


def _lines(path: Path, text: str) -> list[tuple[str, Any]]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append((f"{path}, line {number}", json.loads(line)))
            except ValueError as error:
                raise DataError(f"{path}, line {number}, is no JSON: {error}.") from error
    return found


def _require_columns(path: Path, columns: list[str]) -> None:
    lacking = [name for name in ("x", "y", "success") if not set(NAMES[name]) & set(columns)]
    if lacking:
        raise UsageError(
            f"The evaluation table {path} lacks {' and '.join(lacking)}; it has {', '.join(columns) or 'no column'}. "
            "It needs x, y (metres) and success, and may have feasible."
        )


def _value(row: Mapping[str, Any], name: str) -> Any:
    return next((row[known] for known in NAMES[name] if row.get(known) is not None), None)


def _number(row: Mapping[str, Any], name: str, where: str) -> float:
    value = _value(row, name)
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool):
        raise DataError(f"{where}: {name} is {value!r}; a number{'' if name == 'unsure' else ' of metres'} is needed.")
    return number


def _unsure(row: Mapping[str, Any], where: str) -> float:
    """How unsure the policy was; NaN where nothing says so, or where the trial broke off."""
    known = _value(row, "unsure") not in (None, "") and not row.get("error")
    return _number(row, "unsure", where) if known else math.nan


def _truth(row: Mapping[str, Any], name: str, where: str) -> bool:
    value = _value(row, name)
    word = str(value).strip().casefold()
    if word not in (*_YES, *_NO):
        raise DataError(f"{where}: {name} is {value!r}; true or false, or 1 or 0, is needed.")
    return word in _YES


def _feasible(row: Mapping[str, Any], where: str) -> bool:
    return _value(row, "feasible") in (None, "") or _truth(row, "feasible", where)
