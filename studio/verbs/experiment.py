"""experiment: what a filter is worth, by the policies that it leads to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import tyro

from classifiers.checkpoint import digest_of
from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from curation.fingerprint import fingerprint
from curation.library import Entry, entries
from curation.notes import CLASSIFIER
from curation.plan import Keep, begin, edited
from curation.preflight import require_agreement
from curation.recipe import write_recipe
from curation.store import Store
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio import arms
from studio.chain import AnotherPlan, Chain, folder_of, opened, work
from studio.console import Console
from studio.edits import Yes
from studio.experiment_report import report
from studio.experimenting import ATTEMPTS, CEILING, CHOICE, RECIPES, asked_of, steps_of
from studio.experimenting import Experiment as Asked
from studio.foreseen import require_possible
from studio.fresh import require_fresh_experiment
from studio.improving import Source, require_as_planned, source_of
from studio.keeping import keeping
from studio.options import Name, Where
from studio.paths import dataset_path, run_path
from studio.preregistered import FILE, register
from studio.steps import Step
from studio.verbs.evaluate import Carried
from studio.verbs.improve import begun, going_on
from studio.words import flag, flags_of
from training.compare import LEAST


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Train on what a filter passed, on as many drawn at random, on all, on none, and compare the policies.

    Question, primary metric and n are written down before it begins. The same command again goes on wherever it was
    interrupted.
    """

    run: Name
    """A finished training that succeeds now and then; it makes the attempts, and its recipe is that of every arm."""
    to: str
    """Name of the whole: its folder under STUDIO_RUNS. Its datasets and runs are called NAME-oracle and on."""
    classifier: str = ""
    """The classifier that is asked about; without one the simulator's own judge is, as the best filter there can be."""
    placed: Where = field(default_factory=Where)
    attempts: int = 100
    """Of the policy, at placements as the options say."""
    survival: float = 0.8
    """Least share of stressed simulations that a success of the stress arm survives."""
    episodes: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 200
    """Of each evaluation, the same placements for all."""
    train_seeds: int = LEAST
    """Trainings of each arm."""
    seed: int = 3000
    """Of the attempts, and of every draw. Recordings begin at 0, evaluations at 1000, studio improve at 2000, so these
    placements are fresh ones."""
    eval_seed: int = 1000
    """Of the placements of every evaluation."""
    limit: float = TIME_LIMIT_S
    """Time limit of an episode in seconds."""
    carried: Carried = field(default_factory=Carried)
    yes: Yes = False
    """Begin without asking."""
    force: bool = False
    """Train although preflight found errors."""
    json: bool = False
    """Print the report as JSON."""


@dataclass(frozen=True, kw_only=True)
class Choose:
    """A step of an experiment: draw the arms from the attempts, and write a recipe for each."""

    name: Name
    """The experiment."""
    json: bool = False
    """Print the arms as JSON."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A step of an experiment: every arm holds what was chosen for it, and no other holds anything of the expert's."""

    name: Name
    """The experiment."""
    json: bool = False
    """Print what was looked at as JSON."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an experiment that is done found."""

    name: Name
    """The experiment."""
    json: bool = False
    """Print it as JSON."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Experiments about data: their plan and their question are written down first, their policies are what counts.
    With --json each prints its result as data."""

    do: (
        Annotated[Filter, tyro.conf.subcommand("filter")]
        | Annotated[Choose, tyro.conf.subcommand("choose")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Report, tyro.conf.subcommand("report")]
    )

    @property
    def json(self) -> bool:
        """Whether the result is printed as JSON."""
        return self.do.json


def experiment(options: Experiment, console: Console) -> int:
    """Do what was asked."""
    match options.do:
        case Filter():
            return _filter(options.do, console)
        case Choose():
            return _choose(options.do, console)
        case Check():
            return _check(options.do, console)
        case Report():
            asked, source = opened_as(options.do.name)
            return _report(asked, source, console)


def _filter(options: Filter, console: Console) -> int:
    chain = _going_on(options, console) or _begun(options, console)
    if chain is None:
        console.step("Nothing was begun.")
        return 0
    asked, source = known_of(chain)
    console.about(asked.folder)
    written = register(asked.folder, chain.known["preregistered"], looked=len(chain.left) < len(chain.steps))
    console.step(f"preregistered {written['when']}: {written['asked']['primary']['contrast']}")
    work(chain, console, lambda step: _require_as_planned(step, asked, source))
    return _report(asked, source, console)


def _going_on(options: Filter, console: Console) -> Chain | None:
    """The experiment that the same command began; None if there is none.

    Raises:
        AnotherPlan: another one is there.
    """
    try:
        return going_on(options, console)
    except AnotherPlan as error:
        path = folder_of(options.to) / FILE
        if not path.exists():
            raise
        raise AnotherPlan(
            f"{path} was written before the experiment began, and what is measured is not chosen after looking: {error}"
        ) from error


def _begun(options: Filter, console: Console) -> Chain | None:
    """A new experiment that was agreed to."""
    asked, source = asked_for(options), source_of(options.run)
    steps = steps_of(asked, source)
    require_possible(steps)
    require_fresh_experiment(asked, source, steps)
    return begun(options, console, asked.folder, steps, known(asked, source))


def _require_as_planned(step: Step, asked: Asked, source: Source) -> None:
    """Errors as `require_as_planned`; the arms are drawn from the demonstrations as well."""
    require_as_planned(step, source, asked.kept)
    if step.name == "choose" and not source.where:
        source.require_same()


def asked_for(options: Filter) -> Asked:
    """What is asked, checked.

    Raises:
        UsageError: something makes no sense.
    """
    for name, least in (("attempts", 2), ("episodes", 2), ("train_seeds", 1)):
        if getattr(options, name) < least:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(options, name)} must be at least {least}.")
    if not 0 <= options.survival <= 1:
        raise UsageError(f"--survival {options.survival:g} is outside 0 to 1.")
    if options.seed < 0 or options.seed == options.eval_seed:
        raise UsageError(
            f"--seed {options.seed} must be 0 or more and not --eval-seed {options.eval_seed}: it would be trained "
            "where it is tried."
        )
    if options.placed.placing().targets:
        raise UsageError("--targets is not for experiments: say where with --at, --box or --grid.")
    keep = f"{CLASSIFIER}{options.classifier.removeprefix(CLASSIFIER)}" if options.classifier else "judge"
    evaluated = ["--seed", str(options.eval_seed), *flag("limit", options.limit), *flags_of(options.carried)]
    return Asked(
        name=options.to,
        folder=folder_of(options.to),
        placed=tuple(flags_of(options.placed)),
        attempts=options.attempts,
        keep=keep,
        kept=keeping(keep),
        survival=options.survival,
        train_seeds=options.train_seeds,
        seed=options.seed,
        episodes=options.episodes,
        evaluated=tuple(evaluated),
        n_action_steps=options.carried.n_action_steps,
        limit=options.limit,
        force=options.force,
    )


def known(asked: Asked, source: Source) -> dict[str, Any]:
    """What the chain is planned with, JSON values; `known_of` reads it back."""
    return {"asked": asked.as_json(), "source": source.as_json(), "preregistered": asked_of(asked, source)}


def known_of(chain: Chain) -> tuple[Asked, Source]:
    """An experiment as it was planned.

    Raises:
        DataError: it is damaged.
    """
    try:
        return Asked.from_json(chain.known["asked"]), Source.from_json(chain.known["source"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{chain.folder} holds no experiment: {error}.") from error


def opened_as(name: str) -> tuple[Asked, Source]:
    """An experiment by its name; errors as `opened` and `known_of`."""
    return known_of(opened(run_path(name)))


def _choose(options: Choose, console: Console) -> int:
    asked, source = opened_as(options.name)
    attempts, expert = (dataset_path(asked.source(source, what)) for what in (ATTEMPTS, CEILING))
    tried = entries(attempts)
    _require_scores(asked, tried)
    drawn = arms.arms_of(tried, entries(expert), asked.queries, asked.tested, asked.seed)
    base = Store.open(dataset_path(asked.demonstrations(source)))
    for name in asked.arms:
        stores = [base, *([Store.open(expert if name in arms.CEILING else attempts)] if drawn.chosen[name] else [])]
        path = asked.folder / RECIPES / f"{name}.json"
        plan = begin(stores)
        mine = set(drawn.chosen[name])
        refs = tuple(clip.ref for clip in plan.clips if clip.parent == 0 or clip.episode_id in mine)
        plan = edited(plan, Keep(refs, f"arm {name} of {asked.name}"))
        require_agreement(plan, stores, ())
        write_recipe(path, plan, [fingerprint(store) for store in stores], ())
    write_aside(asked.folder / CHOICE, json.dumps(drawn.as_json(), indent=2).encode() + b"\n")
    found = ", ".join(f"{name} passes {count}" for name, count in drawn.found.items())
    console.result(f"{drawn.size} attempts in every arm that chooses ({found}); {drawn.matched}", drawn.as_json())
    return 0


def _require_scores(asked: Asked, tried: Sequence[Entry]) -> None:
    """Refuse to choose by other scores than those of the classifier that was planned with."""
    if not asked.kept.classifier:
        return
    saved = [entry for entry in tried if entry.state == "saved"]
    strange = [entry for entry in saved if digest_of(entry.scored_by) != asked.kept.digest]
    if strange:
        raise DataError(
            f"{len(strange)} of {len(saved)} attempts have no score of {asked.kept.classifier}@{asked.kept.digest} "
            f"that counts, but {strange[0].scored_by or 'none at all'}'s: studio score DATASET --by "
            f"{asked.kept.classifier} --again, and studio note --take-back for what somebody else said."
        )


def _check(options: Check, console: Console) -> int:
    asked, source = opened_as(options.name)
    data = {name: Store.open(dataset_path(asked.dataset(name))) for name in asked.arms}
    base, attempts, expert = (
        Store.open(dataset_path(name))
        for name in (asked.demonstrations(source), asked.source(source, ATTEMPTS), asked.source(source, CEILING))
    )
    arms.require_sound(read_arms(asked), data, base, attempts, expert)
    counts = {name: store.total_episodes for name, store in data.items()}
    lines = [f"  {name:<16}{count} episodes" for name, count in counts.items()]
    console.result("\n".join(["every arm holds what was chosen for it:", *lines]), counts)
    return 0


def read_arms(asked: Asked) -> arms.Arms:
    """The arms as they were drawn.

    Raises:
        DataError: they were not, or the file is damaged.
    """
    path = asked.folder / CHOICE
    try:
        return arms.Arms.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def _report(asked: Asked, source: Source, console: Console) -> int:
    lines, data = report(asked, source, opened(asked.folder), read_arms(asked))
    write_aside(asked.folder / "report.json", json.dumps(data, indent=2, default=str).encode() + b"\n")
    console.result("\n".join(lines), data)
    return 0
