"""A recipe trained anew with one setting changed at a time, and its trainings evaluated beside those as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from curation.errors import UsageError
from curation.store import Store
from studio.console import Console
from studio.paths import run_path, runs_home
from studio.retraining import Wanted, trained
from training.bootstrap import GroupRate, group_rate
from training.checkpoint_card import card, checkpoints, resolve
from training.compare import LEAST, Recipes, compare_recipes
from training.contest import NotComparable, contest
from training.evaluated import Evaluation
from training.recipe import Recipe
from training.runs import Run, all_runs, state_of
from training.subset import by_ids
from training.unit import recipe_of

AS_IT_WAS = "as it was"


@dataclass(frozen=True)
class Pair:
    """Two recipes compared; `found` is None where there are too few trainings, or `why_not` says why."""

    first: str
    second: str
    found: Recipes | None
    why_not: str = ""

    @property
    def words(self) -> str:
        return f"{self.first} less {self.second}"


def groups_of(
    checkpoint: str,
    changes: Sequence[str],
    seeds: int,
    evaluation: Callable[[str], Evaluation],
    console: Console,
    *,
    force: bool,
) -> dict[str, list[Evaluation]]:
    """Evaluations of every recipe: as it was, and with each change. All are of the last checkpoint of a training.

    As it was is every finished training of the run's group with its recipe and data; where those are fewer than asked
    for, further ones are trained.

    Args:
        checkpoint: of the run.
        changes: NAME=VALUE,VALUE each.
        seeds: trainings of each.
        evaluation: evaluates the last checkpoint of a run's folder.
        console: for what is said.
        force: train although preflight found errors.

    Raises:
        UsageError: the run is not known, or a change is none.
    """
    settings = settings_of(changes)
    known = card(resolve(checkpoint, runs_home()))
    if known.run is None:
        raise UsageError("--retrain needs a run of this studio: the recipe of this checkpoint is not known.")
    source = Run(run_path(known.run))
    told = source.read()
    recipe = Recipe.from_json(told["recipe"])
    if resolve(checkpoint, runs_home()) != [*checkpoints(source.folder).values()][-1]:
        console.step("Recipes are compared at the last checkpoint of each training, whichever was named.")
    runs = _as_it_was(source, told, seeds, console)
    missing = [seed for seed in range(recipe.seed, recipe.seed + seeds) if seed not in {_seed(run) for run in runs}]
    for seed in missing[: max(0, seeds - len(runs))]:
        folder = source.folder.with_name(f"{source.name}-again-seed{seed}")
        runs.append(_trained(told, recipe.with_seed(seed), folder, str(told["group"]), console, force=force))
    found = {AS_IT_WAS: [evaluation(str(run.folder)) for run in runs]}
    for name, value in settings:
        group = f"{source.name}-{name}{value}"
        other = changed_recipe(recipe, name, value)
        mine = []
        for seed in range(recipe.seed, recipe.seed + seeds):
            folder = source.folder.with_name(group if seeds == 1 else f"{group}-seed{seed}")
            mine.append(_trained(told, other.with_seed(seed), folder, group, console, force=force))
        found[f"{name} {value}"] = [evaluation(str(run.folder)) for run in mine]
    return found


def pairs_of(groups: Mapping[str, Sequence[Evaluation]]) -> list[Pair]:
    """Every two recipes."""
    names = list(groups)
    return [pair_of(first, second, groups) for at, first in enumerate(names) for second in names[at + 1 :]]


def pair_of(first: str, second: str, groups: Mapping[str, Sequence[Evaluation]]) -> Pair:
    """Two of the recipes."""
    if min(len(groups[first]), len(groups[second])) < LEAST:
        return Pair(first, second, None)
    try:
        pair = contest(first, groups[first], second, groups[second])
        return Pair(first, second, compare_recipes(pair.outcomes(pair.a), pair.outcomes(pair.b)))
    except (NotComparable, ValueError) as error:
        return Pair(first, second, None, str(error))


def rate_of(found: Sequence[Evaluation]) -> GroupRate:
    """The rate of a recipe over feasible episodes.

    Raises:
        UsageError: a training has none.
    """
    outcomes = [np.array([row.success for row in one.feasible], bool) for one in found]
    if any(len(each) == 0 for each in outcomes):
        raise UsageError("No placement of this evaluation is feasible, so nothing can be said about success.")
    return group_rate(outcomes)


def changed_recipe(recipe: Recipe, name: str, value: str) -> Recipe:
    """The same training with one setting of the policy; a shorter chunk cannot have more of it carried out."""
    settings = {**recipe.settings, f"policy.{name}": value}
    if name == "chunk_size":
        executed = recipe.setting("policy.n_action_steps")
        fits = executed.isdecimal() and int(executed) < int(value)
        settings["policy.n_action_steps"] = executed if fits else value
    return replace(recipe, settings=settings)


def settings_of(words: Sequence[str]) -> list[tuple[str, str]]:
    """Name and value of every change.

    Raises:
        UsageError: a word is none.
    """
    found = []
    for word in words:
        name, equals, values = word.partition("=")
        if not equals or not name or not all(values.split(",")):
            raise UsageError(f"--retrain '{word}' is not NAME=VALUE,VALUE, such as chunk_size=25,50,100.")
        found += [(name.removeprefix("policy."), value) for value in values.split(",")]
    return found


def _as_it_was(source: Run, told: Mapping[str, Any], seeds: int, console: Console) -> list[Run]:
    """Finished trainings of the group that are of its recipe and data, each seed once; the run itself is the first."""
    found = {_seed(source): source}
    for run in all_runs(source.folder.parent) if seeds > 1 else ():
        other = run.read()
        if other.get("group") != told["group"] or state_of(run) != "done":
            continue
        if recipe_of(other) != recipe_of(told):
            console.step(f"{run.name} is in the group, and not of its recipe and data: left out.")
            continue
        found.setdefault(int(other["seed"]), run)
    return list(found.values())


def _trained(
    told: Mapping[str, Any], recipe: Recipe, folder: Path, group: str, console: Console, *, force: bool
) -> Run:
    store = Store.open(Path(told["dataset"]["path"]))
    chosen = by_ids(store, told["dataset"]["episode_ids"])
    where = str(told["dataset"].get("where") or "")
    return trained(Wanted(folder, group, chosen, recipe, where), console, force=force)


def _seed(run: Run) -> int:
    return int(run.read()["seed"])
