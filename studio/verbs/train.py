"""train: a policy, by LeRobot's own training, on a dataset that passed preflight."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tyro

from curation.checks import Finding
from curation.errors import FAILED, INTERRUPTED, OK, TargetExists, UsageError
from curation.fingerprint import fingerprint
from curation.hub.calls import Hub
from curation.store import Store
from studio.console import Console
from studio.paths import dataset_path, run_path, runs_home
from studio.retraining import Wanted, gone_on, standing
from studio.training_options import Training
from studio.verbs.preflight import findings
from training import launch
from training.alone import alone
from training.frames_cache import frames_cache
from training.preflight import Refused, names
from training.progress import Progress
from training.recipe import Recipe
from training.remote import job_command, require_published
from training.runs import Run, opened
from training.subset import Subset, by_ids
from training.task import published


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
    is luck. The same command again completes the series."""
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
    mark = fingerprint(store)
    wanted = _wanted(options, recipe, chosen)
    left = _left(wanted, mark)
    forced = _preflight(options, console, recipe, chosen, left)
    _tell(console, recipe, chosen)
    if recipe.cache and left:
        _fill_cache(console, store, recipe, mark)
    done: list[Run] = []
    for number, one in enumerate(wanted):
        run = Run(one.folder)
        done.append(run)
        console.about(run.folder)
        code = gone_on(one, mark, forced, console, _teller(console, run, number, len(wanted)))
        if code != OK:
            _result(console, done)
            return _stopped(console, run, series=len(wanted) > 1)
    _result(console, done)
    return OK


def _wanted(options: Train, recipe: Recipe, chosen: Subset) -> list[Wanted]:
    """One training for each seed."""
    folder = run_path(options.to)
    each = [recipe.with_seed(recipe.seed + number) for number in range(options.train_seeds)]
    folders = [folder] if len(each) == 1 else [folder.with_name(f"{folder.name}-seed{one.seed}") for one in each]
    where = options.training.where
    return [Wanted(at, folder.name, chosen, one, where) for at, one in zip(folders, each, strict=True)]


def _left(wanted: Sequence[Wanted], mark: str) -> list[Wanted]:
    """Those that are still to be trained. All folders are looked at before the first hour is spent.

    Raises:
        TargetExists, UsageError: one of them cannot be.
    """
    if len(wanted) == 1 and wanted[0].folder.exists():
        raise TargetExists(wanted[0].folder, "Choose another --to, or go on with studio train --resume.")
    return [one for one in wanted if standing(one, mark) != "done"]


def _resumed(options: Train, console: Console) -> int:
    if options.dataset or options.to:
        raise UsageError("--resume goes on with a run as it was asked; leave the dataset and --to away.")
    run = opened(runs_home(), options.resume)
    with alone(run) as held:
        told = run.read()
        _require_same_data(run, told, options)
        recipe = _extended(run, told, options.training)
        passed_over = _fit_to_go_on(options, console, run, told, recipe)
        if recipe.steps != told["steps"]:
            console.step(_schedule_words(recipe, int(told["steps"])))
        forced = list(dict.fromkeys([*told.get("forced", []), *passed_over]))
        run.update(steps=recipe.steps, recipe=recipe.as_json(), recipe_digest=recipe.digest, forced=forced)
        console.about(run.folder)
        code = launch.resume(held, _teller(console, run, 0, 1), console.step)
    _result(console, [run])
    return OK if code == OK else _stopped(console, run)


def _fit_to_go_on(options: Train, console: Console, run: Run, told: dict[str, Any], recipe: Recipe) -> list[str]:
    """As before it began: the machine, the disk or a file may be another by now."""
    store = Store.open(Path(told["dataset"]["path"]))
    chosen = by_ids(store, told["dataset"]["episode_ids"])
    console.progress("preflight")
    found = findings(chosen, recipe, run.folder, options.world, resume=run.checkpoints)
    return _refused(options, console, found, str(store.root), told.get("forced", ()))


def _submitted(options: Train, console: Console) -> int:
    """Let LeRobot submit the training; it says itself where it runs."""
    if not options.dataset:
        raise UsageError("Train on what? studio train DATASET --hf-jobs FLAVOR --push-checkpoints OWNER/NAME.")
    if options.to or options.train_seeds != 1:
        raise UsageError("HF Jobs make one training, at --push-checkpoints: leave --to and --train-seeds away.")
    store = Store.open(dataset_path(options.dataset))
    # Loading data as for a GPU; LeRobot takes the device that it finds there.
    training = replace(options.training, device="cuda") if options.training.device == "auto" else options.training
    recipe, chosen = training.recipe(store), training.chosen(store)
    hub = published(store.root)
    words = job_command(recipe, chosen, hub, options.hf_jobs)
    console.progress("preflight")
    found = findings(chosen, recipe, runs_home(), options.world, elsewhere=True)
    _refused(options, console, found, options.dataset)
    if hub is not None:
        require_published(store, Hub(str(hub["repo"])), str(hub["commit"]))
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


def _extended(run: Run, told: dict[str, Any], training: Training) -> Recipe:
    """The recipe with more steps than asked at first, if wished; everything else stays."""
    recipe = Recipe.from_json(told["recipe"])
    if training.steps is None:
        return recipe
    if training.steps < int(told["steps"]):
        raise UsageError(f"--steps {training.steps} is less than the {told['steps']} of {run.name}.")
    return replace(recipe, steps=training.steps)


def _schedule_words(recipe: Recipe, before: int) -> str:
    """What more steps mean for a learning rate that was planned for fewer."""
    planned = recipe.setting("scheduler.num_decay_steps")
    how = (
        f"falls until step {planned} as it was planned, and stays at its lowest from there"
        if planned
        else "goes on as the policy's own schedule has it; where that falls, it was planned for fewer steps"
    )
    return (
        f"{recipe.steps} steps instead of {before}: the learning rate {how}. A training of {recipe.steps} steps from "
        "its start is another one."
    )


def _preflight(options: Train, console: Console, recipe: Recipe, chosen: Subset, left: Sequence[Wanted]) -> list[str]:
    """Refuse what preflight refuses; returns the names of errors that were passed over.

    Raises:
        Refused: there are errors.
    """
    if not left:
        return []
    console.progress("preflight")
    found = findings(chosen, recipe, left[0].folder.parent, options.world, trainings=len(left))
    return _refused(options, console, found, options.dataset)


def _refused(
    options: Train, console: Console, found: Sequence[Finding], dataset: str, passed_over: Sequence[str] = ()
) -> list[str]:
    """Refuse errors, unless they are forced now or were when the training began; returns the names of all."""
    wrong = names(found)
    refused = [] if options.force else [name for name in wrong if name not in passed_over]
    for one in found:
        if one.level == "warning" or (one.level == "error" and one.check not in refused):
            console.step(f"preflight, {one.level}: {one.check}: {one.what}")
    if refused:
        told = "; ".join(
            f"{one.check}: {one.what} -> {one.mend.replace('DATASET', dataset)}"
            for one in found
            if one.level == "error" and one.check in refused
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


def _teller(console: Console, run: Run, number: int, of: int) -> launch.Tell:
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


def _stopped(console: Console, run: Run, *, series: bool = False) -> int:
    from training.checkpoints import listed

    last = [path.name for path in listed(run.checkpoints)][-1:]
    kept = (
        f"its last checkpoint is {last[0]}; go on with studio train --resume {run.name}"
        if last
        else "no checkpoint yet"
    )
    kept += "; the same command again goes on with all of them" if series else ""
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
