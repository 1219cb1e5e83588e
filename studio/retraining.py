"""Trainings that belong together: made, gone on with, or taken as they are when they are done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.errors import INTERRUPTED, OK, TargetExists, UsageError
from curation.fingerprint import fingerprint
from studio.console import Console
from studio.verbs.preflight import findings
from training import launch
from training.alone import alone, require_free
from training.checkpoints import NoCheckpoint, broken, listed
from training.preflight import Refused, names
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


def standing(wanted: Wanted, mark: str) -> str:
    """What lies in a training's folder: "new" for nothing, "open" for this training begun, "done" for it to its end.

    Args:
        wanted: the training.
        mark: fingerprint of its dataset now.

    Raises:
        TargetExists: the folder holds no training.
        UsageError: it holds another one, or somebody trains it.
    """
    run = Run(wanted.folder)
    if not (wanted.folder / RUN).is_file():
        if wanted.folder.exists():
            raise TargetExists(wanted.folder, "Choose another --to.")
        return "new"
    told = run.read()
    same = (told["dataset"]["episode_ids"], told["dataset"]["fingerprint"], told["recipe"])
    if same != (wanted.chosen.ids, mark, _as_stored(wanted.recipe)):
        raise UsageError(f"{run.folder} is a training of other episodes or settings. Choose another --to.")
    require_free(run)
    return "done" if told["state"] == "done" else "open"


def trained(wanted: Wanted, console: Console, *, force: bool = False) -> Run:
    """Train to the end; the same call again goes on from the last checkpoint, and after that does nothing.

    Raises:
        UsageError: something else lies in its folder.
        Refused: preflight refuses.
        TrainingFailed: LeRobot's training failed.
        KeyboardInterrupt: it was stopped, with a checkpoint.
    """
    mark = fingerprint(wanted.chosen.store)
    forced: list[str] = []
    if standing(wanted, mark) != "done":
        forced = _preflight(wanted, force=force)
    code = gone_on(wanted, mark, forced, console, teller(Run(wanted.folder), console))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return Run(wanted.folder)


def gone_on(wanted: Wanted, mark: str, forced: Sequence[str], console: Console, tell: launch.Tell) -> int:
    """Begin a training, go on with it, or leave it as it is when it is done; returns the exit code.

    Args:
        wanted: the training.
        mark: fingerprint of its dataset.
        forced: names of preflight's findings that were passed over.
        console: for what is said.
        tell: told how far it is.

    Raises:
        UsageError: something else lies in its folder.
        TrainingFailed: LeRobot's training failed.
    """
    found, run = standing(wanted, mark), Run(wanted.folder)
    if found == "done":
        console.step(f"{run.name} is trained already.")
        return OK
    if found == "new":
        run = prepared(wanted.folder, wanted.group, wanted.chosen, wanted.recipe, mark, where=wanted.where,
                       forced=forced)  # fmt: skip
    with alone(run) as held:
        if found == "new":
            return launch.begin(held, tell)
        run.update(forced=list(dict.fromkeys([*run.read().get("forced", []), *forced])))
        try:
            return launch.resume(held, tell, console.step)
        except NoCheckpoint:
            # Nothing in it can be gone on with, and LeRobot refuses a folder that is there.
            shutil.rmtree(run.train, ignore_errors=True)
            return launch.begin(held, tell)


def teller(run: Run, console: Console) -> launch.Tell:
    """What passes a training's progress on."""

    def tell(progress: Progress) -> None:
        console.progress(f"{run.name}: {progress.text}")

    return tell


def _as_stored(recipe: Recipe) -> dict[str, object]:
    stored: dict[str, object] = json.loads(json.dumps(recipe.as_json()))
    return stored


def _preflight(wanted: Wanted, *, force: bool) -> list[str]:
    begun = Run(wanted.folder).checkpoints
    # Without a whole checkpoint it begins anew, which is no fault here.
    resume = begun if any(not broken(path) for path in listed(begun)) else None
    found = findings(wanted.chosen, wanted.recipe, wanted.folder.parent, resume=resume)
    wrong = names(found)
    if wrong and not force:
        told = "; ".join(f"{one.check}: {one.what} -> {one.mend}" for one in found if one.level == "error")
        raise Refused(f"preflight refuses {wanted.folder.name}. {told} To train all the same: --force.")
    return list(wrong)
