"""The filter experiment as commands: attempts of one policy, arms drawn from them, the same training of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from curation.notes import CLASSIFIER
from recorders.referee import NOBODY
from studio import arms
from studio.improving import Source, carried_words, judging, training
from studio.keeping import Keeping
from studio.steps import Step
from studio.words import flag, flags_of

CHOICE, RECIPES = "arms.json", "recipes"
ATTEMPTS, CEILING = "attempts", "ceiling"
"""What the policy drove, and the expert at the same placements."""
SCOPE = (
    "One policy's attempts and one draw of each arm: what another policy, other attempts or another draw would give is "
    "not in the interval, which is of the trainings alone."
)


@dataclass(frozen=True)
class Experiment:
    """What is asked.

    Attributes:
        name: of the whole; runs and datasets are called NAME-oracle and on.
        folder: of the whole.
        placed: options that say where blocks lie, in attempts as in evaluations.
        attempts: of the policy, and of the expert at the same placements.
        keep: "classifier:NAME" of the filter that is asked about; "judge" asks about the oracle itself.
        kept: the same, resolved.
        survival: least share of stressed simulations in the stress arm.
        train_seeds: trainings of each arm.
        seed: of attempts and of draws.
        episodes: of each evaluation.
        evaluated: further options of every evaluation.
        n_action_steps: actions carried out of each chunk, in evaluations as in attempts; None is as trained.
        limit: of an episode [s].
        force: train although preflight found errors.
    """

    name: str
    folder: Path
    placed: tuple[str, ...]
    attempts: int
    keep: str
    kept: Keeping
    survival: float
    train_seeds: int
    seed: int
    episodes: int
    evaluated: tuple[str, ...]
    n_action_steps: int | None
    limit: float
    force: bool

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Experiment:
        """What `as_json` gave."""
        lists = {name: tuple(told[name]) for name in ("placed", "evaluated")}
        return cls(**{**told, **lists, "folder": Path(told["folder"]), "kept": Keeping.from_json(told["kept"])})

    @property
    def tested(self) -> str:
        """The filter that is asked about."""
        return arms.CLASSIFIER if self.keep.startswith(CLASSIFIER) else arms.ORACLE

    @property
    def queries(self) -> dict[str, str]:
        """What each filter passes."""
        own = {arms.CLASSIFIER: self.kept.where} if self.tested == arms.CLASSIFIER else {}
        return {arms.ORACLE: arms.SUCCESS, **own, arms.STRESS: f"{arms.SUCCESS} survival>={self.survival:g}"}

    @property
    def arms(self) -> list[str]:
        """Names, the ceiling last."""
        return [arms.DEMONSTRATIONS, arms.UNFILTERED, *self.queries, arms.RANDOM, arms.MATCHED, arms.EXPERT]

    def dataset(self, what: str) -> str:
        """Name of a dataset of the experiment."""
        return f"{self.name}-{what}"

    def source(self, source: Source, what: str) -> str:
        """The dataset of attempts or of the expert that arms are drawn from: as it was recorded, or without pictures
        that the demonstrations have not."""
        return self.dataset(f"{what}-bare" if source.dropped else what)

    def demonstrations(self, source: Source) -> str:
        """The demonstrations, as a dataset of their own where the policy saw only some of one."""
        return self.dataset("base") if source.where else source.data

    def runs(self, source: Source, arm: str) -> tuple[str, ...]:
        """Names of an arm's trainings, as `studio train` names them."""
        name, first = f"{self.name}-{arm}", source.recipe.seed
        return (name,) if self.train_seeds == 1 else tuple(f"{name}-seed{first + n}" for n in range(self.train_seeds))


def steps_of(asked: Experiment, source: Source) -> list[Step]:
    """Every command, in order. The expert drives after the policy, and nothing of the policy's depends on it."""
    attempts = asked.dataset(ATTEMPTS)
    found = []
    if source.where:
        base = asked.dataset("base")
        words = ("filter", source.data, *flag("where", source.where), "-y", "--to", base)
        found.append(Step("base", words, dataset=base))
    found.append(_driven(asked, source, ATTEMPTS, f"policy:{source.runs[0]}"))
    found += judging(ATTEMPTS, attempts, asked.kept.classifier, "survival", arms.SUCCESS)
    found.append(_driven(asked, source, CEILING, "expert"))
    for what in (ATTEMPTS, CEILING) if source.dropped else ():
        to = asked.source(source, what)
        words = ("merge", asked.dataset(what), *source.dropped, "-y", "--to", to)
        found.append(Step(f"{what}-bare", words, dataset=to))
    recipes = tuple(str(asked.folder / RECIPES / f"{arm}.json") for arm in asked.arms)
    files = (str(asked.folder / CHOICE), *recipes)
    found.append(Step("choose", ("experiment", "choose", asked.name), files=files))
    for arm, recipe in zip(asked.arms, recipes, strict=True):
        found.append(Step(f"{arm}-data", ("apply", recipe, "--to", asked.dataset(arm)), dataset=asked.dataset(arm)))
    found.append(Step("check", ("experiment", "check", asked.name)))
    for arm in asked.arms:
        found += _trained(asked, source, arm)
    return found


def evaluation_step(arm: str, run: str) -> str:
    """Name of the step that evaluates a training."""
    return f"{arm}-evaluate-{run}"


def asked_of(asked: Experiment, source: Source) -> dict[str, Any]:
    """What is preregistered: question, primary metric, n, arms and rules; nothing that is only known afterwards."""
    return {
        "question": f"Does {asked.tested} make a better policy than as many attempts drawn at random?",
        "primary": {
            "metric": "success at feasible placements of the evaluation, last checkpoint of every training",
            "contrast": f"{asked.tested} less {arms.RANDOM}",
            "test": "Welch's t test on the rates of trainings, the training as the unit, two-sided, 5 %",
        },
        "secondary": "every other two arms, marked only where they differ at 5 % though all are compared (Holm)",
        "n": {"trainings of each arm": asked.train_seeds, "evaluation episodes": asked.episodes,
              "attempts": asked.attempts},
        "arms": {name: asked.queries.get(name, name) for name in asked.arms},
        "size": f"{asked.tested} and its controls add equally many attempts: as many as {asked.tested} passes, at most "
        "half of all; other filters add as many or, where they pass fewer, all of those; demonstrations adds none, "
        "unfiltered all",
        "ends": "no attempt is ended by the judge: each lasts until the time limit, so that no length tells how it "
        "ended",
        "matched": "for each attempt of the tested filter the nearest other one in placement and length, whatever "
        "became of it",
        "scope": SCOPE,
        "ceiling": f"the expert at the placements of {asked.tested}'s attempts: no result, and it teaches no other arm",
        "placements": {"options": asked.placed, "attempts": asked.seed, "evaluation": asked.evaluated},
        "training": {"recipe": source.recipe.digest, "steps": source.recipe.steps, "seeds from": source.recipe.seed},
        "begins with": {"runs": source.runs, "policies": source.digests, "data": source.data, "where": source.where,
                        "episodes": _digest(source.episodes)},
        "filter": {"keep": asked.keep, "query": asked.kept.where, "classifier": asked.kept.digest},
        "survival": asked.survival,
        "limit": asked.limit,
    }  # fmt: skip


def _digest(ids: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]


def _driven(asked: Experiment, source: Source, what: str, operator: str) -> Step:
    """Attempts of one operator; attempt k has the same placement whoever drives, because all of them are kept."""
    words = [
        "generate",
        "--operator",
        operator,
        "--keep",
        "all",
        "--done-by",
        NOBODY,
        *asked.placed,
        "-n",
        str(asked.attempts),
    ]
    words += ["--seed", str(asked.seed), *flag("limit", asked.limit), *(["--privileged"] if source.privileged else [])]
    words += carried_words(asked.n_action_steps) if what == ATTEMPTS else []
    to = asked.dataset(what)
    return Step(what, (*words, *flags_of(source.scene), "--to", to), dataset=to)


def _trained(asked: Experiment, source: Source, arm: str) -> list[Step]:
    runs, data = asked.runs(source, arm), asked.dataset(arm)
    own = replace(source, runs=runs, data=data)
    steps = training(arm, data, f"{asked.name}-{arm}", runs, own, force=asked.force)
    count = ("-n", str(asked.episodes))
    return [*steps, *(Step(evaluation_step(arm, run), ("evaluate", run, *asked.placed, *count, *asked.evaluated))
                      for run in runs)]  # fmt: skip
