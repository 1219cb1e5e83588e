"""Every training, what was asked of it and what came of it; and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import DataError, UsageError
from training import checkpoints
from training.choice import current
from training.evaluated import FOLDER, Evaluation, read_evaluation
from training.runs import Run, all_runs, state_of
from training.unit import recipe_of

_OUTSIDE = ("weights_given", "push_to", "keep_last")
"""Of a recipe, what changes nothing in the weights."""
ENOUGH = 3
"""Trainings of a recipe from which anything can be said about it."""


@dataclass(frozen=True)
class Line:
    """One training in the ledger.

    Attributes:
        run: its folder.
        told: run.json.
        state: running, stopped, killed, failed, done.
        step: reached.
        loss: the last one logged.
        checkpoints: whole ones.
        evaluations: of its checkpoints, oldest first.
    """

    run: Run
    told: Mapping[str, Any]
    state: str
    step: int
    loss: float | None
    checkpoints: int
    evaluations: tuple[Evaluation, ...]

    @property
    def shown(self) -> Evaluation | None:
        """The evaluation that stands for the training: never the best of several, which would be luck.

        Those that changed nothing come first, and those by which no checkpoint was chosen; of these the one with most
        episodes, of equals the last.
        """
        with_rows = [one for one in current(self.evaluations) if one.feasible]
        return max(with_rows, key=_stands_for, default=None)

    def data(self) -> dict[str, Any]:
        """JSON values."""
        return {
            **{name: self.told.get(name) for name in ("name", "group", "policy", "seed", "steps", "when")},
            "dataset": {name: self.told["dataset"].get(name) for name in ("name", "fingerprint", "episodes", "where")},
            "state": self.state,
            "step": self.step,
            "loss": self.loss,
            "checkpoints": self.checkpoints,
            "forced": self.told.get("forced", []),
            "resumed": len(self.told.get("resumed", [])),
            "evaluations": [
                {"name": one.name, "rate": [one.rate().k, one.rate().n, one.rate().low, one.rate().high],
                 "where": one.conditions_words, "as_trained": not one.changes, "raced": one.raced}
                for one in self.evaluations
            ],
        }  # fmt: skip


def line_of(run: Run) -> Line:
    """A training's line.

    Raises:
        DataError: run.json is damaged.
    """
    told = run.read()
    curve = [one for one in run.curve() if "loss" in one]
    reached = max([int(run.beat().get("step", 0)), *(int(one["step"]) for one in curve[-1:])])
    whole = [path for path in checkpoints.listed(run.checkpoints) if not checkpoints.broken(path)]
    return Line(
        run=run,
        told=told,
        state=state_of(run),
        step=reached,
        loss=float(curve[-1]["loss"]) if curve else None,
        checkpoints=len(whole),
        evaluations=tuple(_evaluations(run.folder)),
    )


def ledger(home: Path) -> list[Line]:
    """Every training under a folder, oldest first; those whose run.json is damaged are left out."""
    found = []
    for run in all_runs(home):
        with suppress(DataError, KeyError):
            found.append(line_of(run))
    return found


def _stands_for(one: Evaluation) -> tuple[bool, bool, int, str]:
    return not one.changes, not one.raced, len(one.feasible), str(one.told.get("when", ""))


def _evaluations(folder: Path) -> list[Evaluation]:
    found = []
    for path in (folder / FOLDER).glob("*/"):
        with suppress(DataError, UsageError):
            found.append(read_evaluation(path))
    return sorted(found, key=lambda one: str(one.told.get("when", "")))


def settings(told: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of a run.json that may have decided what came of it, by a dotted name."""
    recipe = {key: value for key, value in told["recipe"].items() if key not in _OUTSIDE}
    dataset = {key: told["dataset"].get(key) for key in ("name", "fingerprint", "episodes", "frames", "where")}
    scene = told.get("scene", {})
    whole = {
        "recipe": recipe,
        "dataset": dataset,
        "scene": scene.get("scene", {}) | {"fingerprint": scene.get("fingerprint")},
        "versions": told.get("versions", {}),
        "forced": told.get("forced", []),
        "resumed": len(told.get("resumed", [])),
    }
    return _flat(whole)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """What differs between two run.json: name and both values, in the order of the first."""
    a, b = settings(one), settings(other)
    return [(key, a.get(key), b.get(key)) for key in {**a, **b} if a.get(key) != b.get(key)]


def level(lines: Sequence[Line], every: Sequence[Line]) -> str:
    """What a comparison of these trainings can say at all."""
    counts = {str(line.told["group"]): len(_seeds(line, every)) for line in lines}
    few = [f"{group} ({count})" for group, count in counts.items() if count < ENOUGH]
    if len(counts) < 2 or not few:
        return ""
    return (
        f"Too few trainings of {' and '.join(few)}: this says nothing about the recipe. "
        f"studio train --train-seeds {ENOUGH}, then studio compare."
    )


def _seeds(line: Line, every: Sequence[Line]) -> set[Any]:
    """Seeds with which a line's recipe was trained on its data in its group; copies count once."""
    same = [other.told for other in every if other.told["group"] == line.told["group"]]
    return {told.get("seed") for told in same if recipe_of(told) == recipe_of(line.told)}


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{before}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found
