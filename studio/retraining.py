"""Trainings that belong together: made, gone on with, or taken as they are when they are done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curation.errors import INTERRUPTED, DataError, UsageError
from curation.fingerprint import fingerprint
from studio.console import Console
from studio.verbs.preflight import findings
from training import launch
from training.checkpoints import NoCheckpoint
from training.preflight import names
from training.progress import Progress
from training.recipe import Recipe
from training.runs import RUN, Run
from training.subset import Subset
from training.task import prepared


@dataclass(frozen=True)
class Wanted:
    """A training.

    Attributes:
        folder: where it lies, or will.
        group: shared by the seeds of one recipe.
        chosen: what it is trained on.
        recipe: how.
        where: the query that chose the episodes, in words.
    """

    folder: Path
    group: str
    chosen: Subset
    recipe: Recipe
    where: str


def trained(wanted: Wanted, console: Console, *, force: bool = False) -> Run:
    """Train to the end; the same call again goes on from the last checkpoint, and after that does nothing.

    Raises:
        UsageError: something else lies in its folder, or preflight refuses.
        TrainingFailed: LeRobot's training failed.
        KeyboardInterrupt: it was stopped, with a checkpoint.
    """
    run = Run(wanted.folder)
    if (wanted.folder / RUN).is_file():
        code = _gone_on(run, wanted, console)
    else:
        forced = _preflight(wanted, force=force)
        mark = fingerprint(wanted.chosen.store)
        run = prepared(wanted.folder, wanted.group, wanted.chosen, wanted.recipe, mark, where=wanted.where,
                       forced=forced)  # fmt: skip
        code = launch.begin(run, _teller(run, console))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return run


def _gone_on(run: Run, wanted: Wanted, console: Console) -> int:
    told = run.read()
    if told["dataset"]["episode_ids"] != wanted.chosen.ids or told["recipe"] != _as_stored(wanted.recipe):
        raise UsageError(f"{run.folder} is a training of other episodes or settings. Choose another --to.")
    if told["state"] == "done":
        console.step(f"{run.name} is trained already.")
        return 0
    if run.alive and told["state"] == "running":
        raise UsageError(f"{run.name} is being trained by process {told['pid']}. Wait for it, or stop it first.")
    try:
        return launch.resume(run, _teller(run, console), console.step)
    except NoCheckpoint:
        # Nothing in it can be gone on with, and LeRobot refuses a folder that is there.
        shutil.rmtree(run.train, ignore_errors=True)
        return launch.begin(run, _teller(run, console))


def _as_stored(recipe: Recipe) -> dict[str, object]:

    stored: dict[str, object] = json.loads(json.dumps(recipe.as_json()))
    return stored


def _preflight(wanted: Wanted, *, force: bool) -> list[str]:
    found = findings(wanted.chosen, wanted.recipe, wanted.folder.parent)
    wrong = names(found)
    if wrong and not force:
        told = "; ".join(f"{one.check}: {one.what} -> {one.mend}" for one in found if one.level == "error")
        raise DataError(f"preflight refuses {wanted.folder.name}. {told} To train all the same: --force.")
    return list(wrong)


def _teller(run: Run, console: Console) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        console.progress(f"{run.name}: {progress.text}")

    return tell
