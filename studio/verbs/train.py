"""train: a policy, by LeRobot's own training, on a dataset that passed preflight."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

from curation.errors import FAILED, INTERRUPTED, OK, TargetExists, UsageError
from curation.fingerprint import fingerprint
from curation.store import Store
from studio.console import Console
from studio.paths import dataset_path, run_path, runs_home
from studio.training_options import Training
from studio.verbs.preflight import findings
from training import launch
from training.frames_cache import frames_cache
from training.preflight import Refused, names
from training.progress import Progress
from training.recipe import Recipe
from training.remote import job_command
from training.runs import Run, opened
from training.subset import Subset
from training.task import prepared, published


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a policy on a dataset. Ctrl+C ends it with a checkpoint; --resume goes on from there exactly."""

    dataset: tyro.conf.Positional[str] = ""
    """A dataset; none with --resume."""
    training: Training = field(default_factory=Training)
    to: str = ""
    """Name of the run: a folder, or a bare name under STUDIO_RUNS (default ./runs)."""
    train_seeds: int = 1
    """Train so often, with seeds --seed, --seed + 1 and on, one after the other; what one training says about a recipe
    is luck."""
    hf_jobs: str = ""
    """Train on the Hub's machines instead, through LeRobot: a flavor such as a10g-small. The dataset is published."""
    resume: str = ""
    """Go on with this run from its last whole checkpoint."""
    world: str = ""
    """A dataset whose world the policy will be evaluated in; by default its own. For preflight."""
    force: bool = False
    """Train although preflight found errors; which ones is written into run.json."""
    json: bool = False
    """Print what came of it as JSON."""


def train(options: Train, console: Console) -> int:
    """Train, or go on; prints what came of it."""
    if options.resume:
        return _resumed(options, console)
    if options.hf_jobs:
        return _submitted(options, console)
    if not options.dataset or not options.to:
        raise UsageError("Train on what, and under which name? studio train DATASET --to NAME; or --resume NAME.")
    if options.train_seeds < 1:
        raise UsageError(f"--train-seeds {options.train_seeds} must be at least 1.")
    store = Store.open(dataset_path(options.dataset))
    recipe, chosen = options.training.recipe(store), options.training.chosen(store)
    folders = _folders(options)
    forced = _preflight(options, console, recipe, chosen, folders[0])
    _tell(console, recipe, chosen)
    mark = fingerprint(store)
    if recipe.cache:
        _fill_cache(console, store, recipe, mark)
    group = run_path(options.to).name
    done: list[Run] = []
    for number, folder in enumerate(folders):
        own = recipe.with_seed(recipe.seed + number)
        run = prepared(folder, group, chosen, own, mark, where=options.training.where, forced=forced)
        done.append(run)
        console.about(run.folder)
        code = launch.begin(run, _teller(console, run, number, len(folders)))
        if code != OK:
            _result(console, done)
            return _stopped(console, run)
    _result(console, done)
    return OK


def _resumed(options: Train, console: Console) -> int:
    if options.dataset or options.to:
        raise UsageError("--resume goes on with a run as it was asked; leave the dataset and --to away.")
    run = opened(runs_home(), options.resume)
    told = run.read()
    if run.alive and told["state"] == "running":
        raise UsageError(f"{run.name} is being trained by process {told['pid']}. Wait for it, or stop it first.")
    _require_same_data(run, told, options)
    _extend(run, told, options.training)
    console.about(run.folder)
    code = launch.resume(run, _teller(console, run, 0, 1), console.step)
    _result(console, [run])
    return OK if code == OK else _stopped(console, run)


def _submitted(options: Train, console: Console) -> int:
    """Let LeRobot submit the training; it says itself where it runs."""
    if not options.dataset:
        raise UsageError("Train on what? studio train DATASET --hf-jobs FLAVOR --push-checkpoints OWNER/NAME.")
    store = Store.open(dataset_path(options.dataset))
    recipe, chosen = options.training.recipe(store), options.training.chosen(store)
    words = job_command(recipe, chosen, published(store.root), options.hf_jobs)
    code = subprocess.run(words, check=False).returncode
    console.result(
        f"submitted: {' '.join(words[1:])}" if code == OK else "not submitted", {"command": words, "code": code}
    )
    return OK if code == OK else FAILED


def _require_same_data(run: Run, told: dict[str, Any], options: Train) -> None:
    """What it would go on with is what it began with."""
    now = fingerprint(Path(told["dataset"]["path"]))
    then = told["dataset"]["fingerprint"]
    if now != then and not options.force:
        raise UsageError(
            f"{told['dataset']['path']} changed since {run.name} began (fingerprint {then[:8]}, now {now[:8]}), so it "
            "cannot go on exactly. Train anew under another --to, or accept it with --force."
        )


def _extend(run: Run, told: dict[str, Any], training: Training) -> None:
    """More steps than asked at first, if wished; everything else stays."""
    if training.steps is None:
        return
    if training.steps < int(told["steps"]):
        raise UsageError(f"--steps {training.steps} is less than the {told['steps']} of {run.name}.")
    run.update(steps=training.steps, recipe=told["recipe"] | {"steps": training.steps})


def _folders(options: Train) -> list[Path]:
    folder = run_path(options.to)
    if options.train_seeds == 1:
        return [folder]
    first = options.training.seed
    return [folder.with_name(f"{folder.name}-seed{first + number}") for number in range(options.train_seeds)]


def _preflight(options: Train, console: Console, recipe: Recipe, chosen: Subset, folder: Path) -> list[str]:
    """Refuse what preflight refuses; returns the names of errors that were passed over.

    Raises:
        Refused: there are errors.
    """
    if folder.exists():
        raise TargetExists(folder, "Choose another --to, or go on with studio train --resume.")
    console.progress("preflight")
    found = findings(chosen, recipe, folder.parent, options.world)
    wrong = names(found)
    for one in found:
        if one.level == "warning" or (one.level == "error" and options.force):
            console.step(f"preflight, {one.level}: {one.check}: {one.what}")
    if wrong and not options.force:
        told = "; ".join(
            f"{one.check}: {one.what} -> {one.mend.replace('DATASET', options.dataset)}"
            for one in found
            if one.level == "error"
        )
        raise Refused(f"preflight refuses this training. {told} To train all the same: --force.")
    return wrong


def _fill_cache(console: Console, store: Store, recipe: Recipe, mark: str) -> None:
    def tell(done: int, of: int) -> None:
        console.progress(f"decoding image {done} of {of}")
        console.advance(done, of)

    frames_cache(store, mark, recipe.resize, tell)


def _tell(console: Console, recipe: Recipe, chosen: Subset) -> None:
    """What follows from what was asked, in words."""
    of = "" if chosen.whole else f" of {chosen.store.total_episodes}, with statistics of their own"
    start = f"from {recipe.weights_given}" if recipe.weights else "from random weights"
    console.step(
        f"{recipe.policy} {start} on {len(chosen.indices)} episodes{of}, {chosen.frames} frames: {recipe.steps} steps "
        f"of {recipe.batch_size} on {recipe.device}, seed {recipe.seed}"
    )
    if recipe.calibrate:
        console.step(
            "no pretrained backbone is at hand: its frozen normalisation is calibrated from the data (studio doctor "
            "names the file that would be used)"
        )


def _teller(console: Console, run: Run, number: int, of: int) -> Callable[[Progress], None]:
    which = f"{run.name} ({number + 1} of {of}): " if of > 1 else ""
    said = -1

    def tell(progress: Progress) -> None:
        nonlocal said
        console.progress(which + progress.text)
        console.advance(number * progress.steps + progress.step, of * progress.steps)
        # Where nobody sees a passing line, every twentieth is worth a lasting one.
        part = 20 * progress.step // progress.steps
        if part != said:
            said = part
            console.step(which + progress.text)

    return tell


def _stopped(console: Console, run: Run) -> int:
    from training.checkpoints import listed

    last = [path.name for path in listed(run.checkpoints)][-1:]
    kept = (
        f"its last checkpoint is {last[0]}; go on with studio train --resume {run.name}"
        if last
        else "no checkpoint yet"
    )
    console.step(f"{run.name} is stopped: {kept}")
    return INTERRUPTED


def _result(console: Console, runs: list[Run]) -> None:
    found = [launch.described(run) for run in runs]
    lines = []
    for told in found:
        loss = f"loss {told['last']['loss']:.4g} at step {told['last']['step']}" if told["last"] else "no loss yet"
        lines.append(
            f"{told['name']}: {told['state']}, {loss}, {len(told['checkpoints'])} checkpoints in {told['folder']}"
        )
        for missed in told["not_pushed"]:
            console.step(f"{missed['what']} of {told['name']} was not pushed: {missed['why']}")
    console.result("\n".join(lines), found if len(found) > 1 else found[0])
