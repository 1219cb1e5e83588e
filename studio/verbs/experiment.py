"""experiment: what a filter is worth, by the policies that it leads to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from curation.fingerprint import fingerprint
from curation.library import entries
from curation.notes import CLASSIFIER
from curation.plan import Keep, begin, edited
from curation.preflight import require_agreement
from curation.recipe import write_recipe
from curation.store import Store
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio import arms
from studio.chain import begun, opened, planned, shown, work
from studio.console import Console
from studio.edits import Yes
from studio.experiment_report import report
from studio.experimenting import ATTEMPTS, CEILING, CHOICE, RECIPES, asked_of, steps_of
from studio.experimenting import Experiment as Asked
from studio.improving import Source, source_of
from studio.options import Name, Where
from studio.paths import dataset_path, run_path, runs_home
from studio.preregistered import FILE, register
from studio.verbs.evaluate import Carried
from studio.verbs.improve import agreed
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
    seed: int = 0
    """Of the attempts, and of every draw."""
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
    asked = asked_for(options)
    source = source_of(options.run)
    going_on = begun(asked.folder)
    steps = steps_of(asked, source)
    console.step(shown(steps))
    if not going_on and not options.yes and not agreed(f"Begin these {len(steps)} commands?"):
        console.step("Nothing was begun.")
        return 0
    console.about(asked.folder)
    if going_on and (asked.folder / FILE).exists():
        register(asked.folder, asked_of(asked, source), looked=True)
    chain = planned(asked.folder, steps, about(options.run, asked))
    written = register(asked.folder, asked_of(asked, source), looked=len(chain.left) < len(steps))
    console.step(f"preregistered {written['when']}: {written['asked']['primary']['contrast']}")
    work(chain, console)
    return _report(asked, source, console)


def asked_for(options: Filter) -> Asked:
    """What is asked, checked.

    Raises:
        UsageError: something makes no sense.
    """
    for name, least in (("attempts", 2), ("episodes", 2), ("train_seeds", 1)):
        if getattr(options, name) < least:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(options, name)} must be at least {least}.")
    if not options.to.strip() or "/" in options.to or options.to.startswith((".", "~")):
        raise UsageError(f"--to '{options.to}' must be a bare name: its runs and datasets are called after it.")
    if not 0 <= options.survival <= 1:
        raise UsageError(f"--survival {options.survival:g} is outside 0 to 1.")
    if options.seed < 0 or options.seed == options.eval_seed:
        raise UsageError(
            f"--seed {options.seed} must be 0 or more and not --eval-seed {options.eval_seed}: it would be trained "
            "where it is tried."
        )
    if options.placed.placing().targets:
        raise UsageError("--targets is not for experiments: say where with --at, --box or --grid.")
    evaluated = ["--seed", str(options.eval_seed), *flag("limit", options.limit), *flags_of(options.carried)]
    return Asked(
        name=options.to,
        folder=runs_home() / options.to,
        placed=tuple(flags_of(options.placed)),
        attempts=options.attempts,
        keep=f"{CLASSIFIER}{options.classifier.removeprefix(CLASSIFIER)}" if options.classifier else "judge",
        survival=options.survival,
        train_seeds=options.train_seeds,
        seed=options.seed,
        episodes=options.episodes,
        evaluated=tuple(evaluated),
        n_action_steps=options.carried.n_action_steps,
        limit=options.limit,
        force=options.force,
    )


def about(run: str, asked: Asked) -> dict[str, Any]:
    """What the chain is planned from, JSON values; `opened_as` reads it back."""
    return {"run": run, "asked": {**asdict(asked), "folder": str(asked.folder)}}


def opened_as(name: str) -> tuple[Asked, Source]:
    """An experiment by its name, as it was planned.

    Raises:
        UsageError: there is none.
        DataError: it is damaged.
    """
    about = opened(run_path(name)).about
    try:
        told = dict(about["asked"])
        asked = Asked(**{**told, "folder": Path(told["folder"]), "placed": tuple(told["placed"]),
                         "evaluated": tuple(told["evaluated"])})  # fmt: skip
        return asked, source_of(str(about["run"]))
    except (KeyError, TypeError) as error:
        raise DataError(f"{run_path(name)} holds no experiment: {error}.") from error


def _choose(options: Choose, console: Console) -> int:
    asked, source = opened_as(options.name)
    attempts, expert = (dataset_path(asked.source(source, what)) for what in (ATTEMPTS, CEILING))
    drawn = arms.arms_of(entries(attempts), entries(expert), asked.queries, asked.tested, asked.seed)
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
