"""studio experiment filter: every arm alike, and a report of what was asked before and no more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import UsageError
from studio.arms import Arms
from studio.chain import Chain, planned
from studio.experiment_report import report as experiment_report
from studio.experimenting import asked_of, evaluation_step
from studio.experimenting import steps_of as experiment_steps
from studio.improving import Source
from studio.preregistered import register
from studio.steps import Step
from studio.verbs.experiment import known, opened_as
from studio.words import flags_of
from tests.curation.placed import placed
from tests.studio.conftest import Studio, studio
from tests.training.chains import asked, source, typed
from tests.training.evaluations import write_evaluation

__all__ = ["source", "studio"]


def test_every_arm_is_trained_alike_and_tried_at_the_same_placements(source: Source) -> None:
    plan = asked()
    steps = {step.name: step for step in experiment_steps(plan, source)}
    assert plan.arms == ["demonstrations", "unfiltered", "oracle", "stress", "random", "matched", "expert"]
    trained = {arm: typed(steps[f"{arm}-train"]) for arm in plan.arms}
    assert len({json.dumps(flags_of(one.training)) for one in trained.values()}) == 1
    assert all(one.train_seeds == 3 for one in trained.values())
    assert {one.training.steps for one in trained.values()} == {source.recipe.steps}
    evaluations = [typed(step) for name, step in steps.items() if "-evaluate-" in name]
    assert len(evaluations) == 3 * len(plan.arms)
    assert len({(one.seed, one.episodes, one.where, one.limit) for one in evaluations}) == 1
    tries, ceiling = (typed(steps[name]).recording for name in ("attempts", "ceiling"))
    assert (tries.operator, ceiling.operator) == ("policy:base", "expert")
    # The same placements, and no other: attempt k is drawn from the seed and k.
    assert (tries.seed, tries.where, tries.episodes, tries.keep) == (
        ceiling.seed, ceiling.where, ceiling.episodes, ceiling.keep,
    )  # fmt: skip
    order = list(steps)
    assert order.index("attempts") < order.index("ceiling") < order.index("choose") < order.index("check")
    assert all(order.index("check") < order.index(f"{arm}-train") for arm in plan.arms)
    assert not [step for step in steps.values() if "expert" in " ".join(step.words) and step.name.startswith("oracle")]
    bare = [path for step in experiment_steps(plan, replace(source, cameras=())) for path in step.made]
    assert len(bare) == len(set(bare))
    planned(plan.folder, list(steps.values()), {}, known(plan, source))
    assert opened_as("exp") == (plan, source)
    with pytest.raises(UsageError, match="trained where it is tried"):
        asked(eval_seed=3000)


def test_a_filter_that_passes_nothing_names_a_way_that_exists(studio: Studio, source: Source, tmp_path: Path) -> None:
    plan = asked(attempts=2)
    planned(plan.folder, [], {}, known(plan, source))
    for what in ("attempts", "ceiling"):
        placed(tmp_path / plan.source(source, what), [(0.3, 0.0), (0.25, 0.1)], failures=[0, 1], length=3)
    said = studio("experiment", "choose", "exp")
    assert said.code == 2
    assert "passes 0 of 2 attempts" in said.err
    assert "Begin anew under another --to, with more --attempts" in said.err


def finished(plan: Any, source: Source, home: Path, rates: dict[str, float]) -> tuple[Chain, Arms]:
    """As all evaluations would leave it, with so much success in each arm."""
    chain = Chain(plan.folder, tuple(experiment_steps(plan, source)), {}, known(plan, source))
    luck = np.random.default_rng(0).permutation((np.arange(plan.episodes) + 0.5) / plan.episodes)
    for arm in plan.arms:
        for seed, run in enumerate(plan.runs(source, arm)):
            success = luck < rates[arm] + 0.02 * seed
            folder = write_evaluation(home, run, success.tolist(), group=f"exp-{arm}", train_seed=seed, step=30)
            step = Step(evaluation_step(arm, run), ())
            chain.remember(step, {"folder": str(folder), "rows": [{"index": n} for n in range(plan.episodes)]}, 1.0)
    chosen = {arm: tuple(map(str, range(8))) for arm in plan.arms}
    return chain, Arms(8, {}, chosen, "matched control, seed 0: 8 episodes")


def test_the_report_says_what_was_asked_before_and_no_more(source: Source, home: Path) -> None:
    plan = asked(episodes=200)
    register(plan.folder, asked_of(plan, source), looked=False)
    rates = dict.fromkeys(plan.arms, 0.3) | {"oracle": 0.7, "expert": 0.9}
    chain, arms = finished(plan, source, home, rates)
    lines, data = experiment_report(plan, source, chain, arms)
    text = "\n".join(lines)
    assert text.startswith("PLUMBING, NOT A RESULT: 8 attempts in each arm, 40 are the least.")
    assert "primary: oracle less random: +40.0 points" in text
    assert "oracle is better *" in text
    assert data["primary"]["differs"] is True
    assert "(a ceiling, not a result)" in text
    compared = {name for pair in data["secondary"] for name in (pair["first"], pair["second"])}
    assert "expert" not in compared
    same = next(pair for pair in data["secondary"] if {pair["first"], pair["second"]} == {"random", "matched"})
    assert same["differs"] is False
    assert "random less matched: +0.0 points" in text
    assert data["arms"]["oracle"]["attempts"] == 8


def test_alike_arms_are_inconclusive_and_one_training_says_nothing(source: Source, home: Path) -> None:
    plan = asked(to="one", train_seeds=1)
    register(plan.folder, asked_of(plan, source), looked=False)
    chain, arms = finished(plan, source, home, dict.fromkeys(plan.arms, 0.4))
    text = "\n".join(experiment_report(plan, source, chain, arms)[0])
    assert "primary: oracle less random: inconclusive (too few trainings)" in text
    assert "one training: says nothing about the recipe" in text
    assert "is better" not in text
