"""ablate: change one thing at a time, on the same episodes, and say what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from curation.errors import UsageError
from curation.store import Store
from studio.console import Console
from studio.paths import run_path, runs_home
from studio.retraining import Wanted, trained
from studio.verbs.evaluate import Evaluate, evaluated, prepared
from training.ablate import Variation, holm, usual, variations
from training.bootstrap import group_rate
from training.checkpoint_card import card, resolve
from training.compare import LEAST, compare_recipes
from training.contest import contest
from training.evaluated import Evaluation, read_evaluation
from training.paired import Paired, paired
from training.recipe import Recipe
from training.runs import Run
from training.subset import by_ids
from training.verdict import ONE_TRAINING, points


@dataclass(frozen=True, kw_only=True)
class Ablate:
    """Evaluate a checkpoint as it is and with one thing changed at a time, on the same placements, and compare.

    Without --vary: rollout length, ensembling, every camera blinded, latency, and the hardware servo.
    """

    evaluation: Evaluate
    vary: tuple[str, ...] = ()
    """NAME=VALUE,VALUE each: n_action_steps, ensemble (a number, or off), blind (a camera, or each), latency (ms, or
    real), gripper_bias, servo, ground, camera, block, bowl, look, overhead_fov, distractors, block_scale, friction."""
    retrain: tuple[str, ...] = ()
    """NAME=VALUE,VALUE each, such as chunk_size=25,50,100: train the run's recipe anew with this setting of the policy,
    on the same episodes, and evaluate that."""
    train_seeds: int = 1
    """Trainings for each value of --retrain, with seeds from the run's on; 3 say something about the recipe."""
    force: bool = False
    """Retrain although preflight found errors."""

    @property
    def json(self) -> bool:
        """Print everything as JSON."""
        return self.evaluation.json


@dataclass(frozen=True)
class Told:
    """One line of the table: what was changed, what came of it, or why nothing did."""

    words: str
    folder: str
    found: Paired | None
    why_not: str = ""


def ablate(options: Ablate, console: Console) -> int:
    """Evaluate, compare, print."""
    if options.train_seeds < 1:
        raise UsageError(f"--train-seeds {options.train_seeds} must be at least 1.")
    base = _evaluation(options.evaluation, console)
    asked = [] if options.retrain and not options.vary else _asked(options, console)
    told = [_varied(options.evaluation, base, each, console) for each in asked]
    held = holm({one.words: one.found.p for one in told if one.found is not None})
    lines = [f"{base.title}: {base.rate().of('feasible episodes')}", base.conditions_words, ""]
    width = max((len(one.words) for one in told), default=0)
    lines += [_line(one, held, width) for one in told]
    if held:
        lines += ["", f"* differs at 5 % though {len(held)} were compared (Holm). This is about one checkpoint; "
                      f"{ONE_TRAINING}."]  # fmt: skip
    again, more = _retrained(options, base, console)
    data = {"base": {"name": base.name, "folder": str(base.folder), "rate": asdict(base.rate())},
            "varied": [_data(one, held) for one in told], "retrained": more}  # fmt: skip
    console.result("\n".join([*lines, *again]), data)
    return 0


def _asked(options: Ablate, console: Console) -> list[Variation]:
    job = prepared(options.evaluation, console)
    cameras = tuple(job.model.cameras)
    if options.vary:
        return variations(options.vary, cameras)
    executed = job.setup.settings.n_action_steps or 1
    return usual(job.model.chunk_size, executed, cameras)


def _evaluation(options: Evaluate, console: Console) -> Evaluation:
    """Of exactly the episodes that are asked for."""
    done = evaluated(options, console)
    found, wanted = read_evaluation(done.folder), {row["index"] for row in done.rows}
    return replace(found, rows=tuple(row for row in found.rows if row.index in wanted))


def _varied(options: Evaluate, base: Evaluation, change: Variation, console: Console) -> Told:
    console.step(f"with {change.words}:")
    try:
        other = _evaluation(_changed(options, change), console)
        # What is compared may differ; everything else must not.
        pair = contest("changed", [other], "base", [base], apart_from=("scene", "servo"))
    except UsageError as error:
        console.step(f"  not possible: {error}")
        return Told(change.words, "", None, str(error))
    a, b = pair.outcomes(pair.a)[0].tolist(), pair.outcomes(pair.b)[0].tolist()
    return Told(change.words, str(other.folder), paired(zip(a, b, strict=True)))


def _changed(options: Evaluate, change: Variation) -> Evaluate:
    name = change.name
    given: dict[str, Any] = {name: change.value}
    if name == "ensembling":
        return replace(options, carried=replace(options.carried, ensemble=None, no_ensemble=True))
    if name == "n_action_steps":
        return replace(options, carried=replace(options.carried, ensemble=None, **given))
    if name == "ensemble":
        return replace(options, carried=replace(options.carried, n_action_steps=None, **given))
    if hasattr(options.carried, name):
        return replace(options, carried=replace(options.carried, **given))
    return replace(options, world=replace(options.world, other_scene=True, **given))


def _line(one: Told, held: dict[str, bool], width: int) -> str:
    if one.found is None:
        return f"  {one.words:<{width}}  not possible: {one.why_not}"
    found = one.found
    mark = " *" if held[one.words] else ""
    return (
        f"  {one.words:<{width}}  {found.a.k:>4} of {found.n} [{100 * found.a.low:.0f}-{100 * found.a.high:.0f} %], "
        f"{points(found.difference)} points, 95 % CI {points(found.low)} to {points(found.high)}, "
        f"p = {found.p:.2g}{mark}"
    )


def _data(one: Told, held: dict[str, bool]) -> dict[str, Any]:
    found = None if one.found is None else {**asdict(one.found), "difference": one.found.difference}
    return {"change": one.words, "folder": one.folder, "paired": found, "differs": held.get(one.words),
            "why_not": one.why_not}  # fmt: skip


def _retrained(options: Ablate, base: Evaluation, console: Console) -> tuple[list[str], list[dict[str, Any]]]:
    """Train and evaluate anew for every value of --retrain."""
    if not options.retrain:
        return [], []
    known = card(resolve(options.evaluation.checkpoint, runs_home()))
    if known.run is None:
        raise UsageError("--retrain needs a run of this studio: the recipe of this checkpoint is not known.")
    source = Run(run_path(known.run))
    told = source.read()
    lines, data = ["", "retrained on the same episodes:"], []
    groups = {"as it was": [base]}
    for name, value in _settings(options.retrain):
        groups[f"{name} {value}"] = [
            _evaluation(replace(options.evaluation, checkpoint=str(run.folder)), console)
            for run in _runs(options, source, told, name, value, console)
        ]
    for words, found in groups.items():
        rate = group_rate([_outcomes(one) for one in found])
        lines.append(f"  {words:<20}  {rate.words}")
        data.append({"change": words, "evaluations": [str(one.folder) for one in found], **asdict(rate)})
    lines += _recipe_lines(groups)
    return lines, data


def _runs(options: Ablate, source: Run, told: dict[str, Any], name: str, value: str, console: Console) -> list[Run]:
    store = Store.open(Path(told["dataset"]["path"]))
    chosen = by_ids(store, told["dataset"]["episode_ids"])
    recipe = changed_recipe(Recipe.from_json(told["recipe"]), name, value)
    group = f"{source.name}-{name}{value}"
    runs = []
    for number in range(options.train_seeds):
        own = recipe.with_seed(recipe.seed + number)
        folder = source.folder.with_name(group if options.train_seeds == 1 else f"{group}-seed{own.seed}")
        where = str(told["dataset"].get("where") or "")
        runs.append(trained(Wanted(folder, group, chosen, own, where), console, force=options.force))
    return runs


def changed_recipe(recipe: Recipe, name: str, value: str) -> Recipe:
    """The same training with one setting of the policy; a shorter chunk cannot have more of it carried out."""
    settings = {**recipe.settings, f"policy.{name}": value}
    if name == "chunk_size":
        executed = recipe.setting("policy.n_action_steps")
        fits = executed.isdecimal() and int(executed) < int(value)
        settings["policy.n_action_steps"] = executed if fits else value
    return replace(recipe, settings=settings)


def _settings(words: Sequence[str]) -> list[tuple[str, str]]:
    found = []
    for word in words:
        name, equals, values = word.partition("=")
        if not equals or not name or not all(values.split(",")):
            raise UsageError(f"--retrain '{word}' is not NAME=VALUE,VALUE, such as chunk_size=25,50,100.")
        found += [(name.removeprefix("policy."), value) for value in values.split(",")]
    return found


def _outcomes(one: Evaluation) -> Any:
    import numpy as np

    return np.array([row.success for row in one.feasible], bool)


def _recipe_lines(groups: dict[str, list[Evaluation]]) -> list[str]:
    """Every two recipes with enough trainings, compared; fewer say nothing."""
    enough = [words for words, found in groups.items() if len(found) >= LEAST]
    lines = []
    for number, first in enumerate(enough):
        for second in enough[number + 1 :]:
            pair = contest(first, groups[first], second, groups[second])
            found = compare_recipes(pair.outcomes(pair.a), pair.outcomes(pair.b))
            low, high = found.interval
            verdict = {"A": f"{first} is better", "B": f"{second} is better"}.get(found.better or "", "inconclusive")
            lines.append(f"  {first} less {second}: {points(found.difference)} points, 95 % CI {points(low)} to "
                         f"{points(high)}: {verdict}")  # fmt: skip
    if len(enough) < len(groups):
        lines.append(f"  where there is {ONE_TRAINING}; --train-seeds {LEAST} would.")
    return lines
