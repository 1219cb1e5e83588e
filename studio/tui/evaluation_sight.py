"""An evaluation as its folder says now, read in a worker and only when it grew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.errors import DataError, StudioError
from studio.tui.widgets.table_kinds import Window
from training.evaluated import EVALUATION, ROWS, Evaluation, Row, read_evaluation
from training.evaluation_table import summarised

Spots = list[tuple[Any, ...]]
"""x, y [m], kind and label, as `TableMap` takes them."""
CLOSE_M = 0.25
"""Placements within this much of each other are looked at from close [m]."""
MARGIN_M = 0.02
LEAST_M = 0.08
"""Side of the smallest close-up [m]."""


@dataclass(frozen=True)
class EvaluationSight:
    """An evaluation at one moment.

    Attributes:
        folder: where it lies.
        evaluation: as read; None where it cannot be, or is not there yet.
        found: its rates, as `studio evaluate --json` tells them.
        wrong: what cannot be read.
    """

    folder: Path
    evaluation: Evaluation | None = None
    found: Mapping[str, Any] = field(default_factory=dict)
    wrong: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.evaluation.rows if self.evaluation is not None else ()


class EvaluationWatch:
    """Looks at one evaluation again and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark: object = None
        self._sight = EvaluationSight(folder)

    def look(self) -> EvaluationSight:
        """As it is now. Never raises: what is damaged is said."""
        mark = tuple(_mark(self._folder / name) for name in (EVALUATION, ROWS))
        if mark != self._mark:
            self._mark, self._sight = mark, _read(self._folder)
        return self._sight


def _read(folder: Path) -> EvaluationSight:
    try:
        evaluation = read_evaluation(folder)
        require_whole(evaluation)
    except StudioError as error:
        return EvaluationSight(folder, wrong=str(error))
    try:
        found = summarised([dict(row.told) for row in evaluation.rows])
    except (KeyError, TypeError, ValueError) as error:
        return EvaluationSight(folder, evaluation, wrong=f"{folder / ROWS}: a row lacks {error}.")
    return EvaluationSight(folder, evaluation, found)


def require_whole(evaluation: Evaluation) -> None:
    """Whether all is there that is said of an evaluation.

    Raises:
        DataError: evaluation.json is not that of one.
    """
    try:
        scene = dict(evaluation.told.get("scene") or {}).get("scene") or {}
        said = (evaluation.title, evaluation.conditions_words, dict(scene))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{evaluation.folder / EVALUATION} is not that of an evaluation: {error}.") from error
    assert said


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size


def spots_of(rows: Sequence[Row], *, labels: bool = True) -> Spots:
    """Every episode where its block was; cells and targets that had several, as one, labelled with their successes."""
    together: defaultdict[object, list[Row]] = defaultdict(list)
    for row in rows:
        cell = row.told.get("cell")
        together[row.index if cell is None else str(cell)].append(row)
    if all(len(each) == 1 for each in together.values()):
        return [(row.x, row.y, kind_of([row]), "") for row in rows]
    return [(*_middle(each), kind_of(each), _share(each) if labels else "") for each in together.values()]


def kind_of(rows: Sequence[Row]) -> str:
    """What episodes at one place are on the map."""
    good = sum(row.success for row in rows)
    if not good and not any(row.feasible for row in rows):
        return "infeasible"
    return "saved" if good == len(rows) else "mixed" if good else "failed"


def window_of(spots: Spots) -> Window | None:
    """A close-up that holds all of them; None where they are far from each other."""
    if not spots:
        return None
    xs, ys = [spot[0] for spot in spots], [spot[1] for spot in spots]
    if max(max(xs) - min(xs), max(ys) - min(ys)) > CLOSE_M:
        return None
    return (*_around(xs), *_around(ys))


def _around(values: Sequence[float]) -> tuple[float, float]:
    middle = (min(values) + max(values)) / 2
    half = max(LEAST_M, max(values) - min(values) + 2 * MARGIN_M) / 2
    return middle - half, middle + half


def _middle(rows: Sequence[Row]) -> tuple[float, float]:
    """Where a cell's episodes were asked to be, or were on average."""
    first = rows[0].told
    if isinstance(first.get("asked_x"), float) and isinstance(first.get("asked_y"), float):
        return first["asked_x"], first["asked_y"]
    return sum(row.x for row in rows) / len(rows), sum(row.y for row in rows) / len(rows)


def _share(rows: Sequence[Row]) -> str:
    if kind_of(rows) == "infeasible":
        return ""
    return f"{sum(row.success for row in rows)}/{len(rows)}"
