"""A training as its folder says now, read in a worker: only what grew is read again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.errors import DataError
from studio.jobs import tail
from studio.tui.widgets.loss_plot import NONE, Points
from training import checkpoints
from training.progress import Progress, progress_from
from training.runs import RUN, Run, state_of

NOT_BEGUN = Progress(0, 0, None, 0.0)
SAID = 30_000
"""Bytes of the log that are looked at."""


@dataclass(frozen=True)
class TrainingSight:
    """A training at one moment.

    Attributes:
        folder: where it lies.
        told: run.json; empty where it cannot be read.
        state: running, stopped, killed, failed or done; starting before it is there; damaged.
        wrong: what cannot be read.
        progress: how far it is.
        points, held_out: losses by step.
        last: the newest line with a loss.
        kept: steps of whole checkpoints, and those that are not whole with why.
        said: the end of its log.
    """

    folder: Path
    state: str
    told: Mapping[str, Any] = field(default_factory=dict)
    wrong: str = ""
    progress: Progress = NOT_BEGUN
    points: Points = NONE
    held_out: Points = NONE
    last: Mapping[str, Any] = field(default_factory=dict)
    kept: tuple[int, ...] = ()
    broken: tuple[tuple[int, str], ...] = ()
    said: str = ""


class TrainingWatch:
    """Looks at one training again and again."""

    def __init__(self, folder: Path) -> None:
        self._run = Run(folder)
        self._lines = GrowingLines(self._run.progress)
        self._whole: set[str] = set()

    def look(self) -> TrainingSight:
        """As it is now. Never raises: what is damaged is said."""
        run = self._run
        if not (run.folder / RUN).is_file():
            wrong = f"{run.folder} holds no training: there is no {RUN} in it." if run.folder.is_dir() else ""
            return TrainingSight(run.folder, "damaged" if wrong else "starting", wrong=wrong)
        try:
            told = run.read()
            steps = int(told["steps"])
            if not all(isinstance(told.get(name), dict) for name in ("recipe", "dataset")):
                raise TypeError("its recipe and dataset are no objects")
            lines = self._lines.read()
            losses = [line for line in lines if "loss" in line]
            kept, broken = self._checkpoints()
            return TrainingSight(
                folder=run.folder,
                state=state_of(run),
                told=told,
                progress=progress_from(losses, run.beat(), steps),
                points=_points(losses, "loss"),
                held_out=_points([line for line in lines if "eval_loss" in line], "eval_loss"),
                last=losses[-1] if losses else {},
                kept=kept,
                broken=broken,
                said=tail(run.log, SAID),
            )
        except (DataError, KeyError, TypeError, ValueError, OSError) as error:
            words = str(error) if isinstance(error, DataError) else f"{run.folder / RUN}: {error!r}"
            return TrainingSight(run.folder, "damaged", wrong=words, said=tail(run.log, SAID))

    def _checkpoints(self) -> tuple[tuple[int, ...], tuple[tuple[int, str], ...]]:
        """Steps of whole ones, and of others with why; one that was seen whole is not read again."""
        kept, broken = [], []
        for path in checkpoints.listed(self._run.checkpoints):
            why = "" if path.name in self._whole else checkpoints.broken(path)
            if why:
                broken.append((checkpoints.step_of(path), why))
            else:
                self._whole.add(path.name)
                kept.append(checkpoints.step_of(path))
        return tuple(kept), tuple(broken)


class GrowingLines:
    """JSON lines of a file that grows, or is replaced by a shorter one when a training goes on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[dict[str, Any]] = []
        self._file: tuple[int, int] = (0, 0)
        self._end = 0

    def read(self) -> list[dict[str, Any]]:
        """All whole lines; what is no JSON object is left out."""
        try:
            with self._path.open("rb") as file:
                told = os.fstat(file.fileno())
                if (told.st_dev, told.st_ino) != self._file or told.st_size < self._end:
                    self._lines, self._file, self._end = [], (told.st_dev, told.st_ino), 0
                file.seek(self._end)
                new = file.read()
        except OSError:
            return []
        whole = new[: new.rfind(b"\n") + 1]
        self._end += len(whole)
        for line in whole.splitlines():
            with suppress(ValueError):
                one = json.loads(line)
                if isinstance(one, dict) and "step" in one:
                    self._lines.append(one)
        return self._lines


def _points(lines: list[dict[str, Any]], name: str) -> Points:
    return Points(tuple(int(line["step"]) for line in lines), tuple(float(line[name]) for line in lines))
