"""What a comparison says, in words and as data, with the level at which it says it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .bootstrap import group_rate
from .compare import LEAST, compare_recipes
from .contest import Contest, Side, differences
from .evaluated import Evaluation
from .paired import Paired, paired, pairs_needed

ONE_TRAINING = "one training: says nothing about the recipe"
WELCH = (
    "The verdict is a t test on the trainings' rates (Welch); the interval of each side is wider, since it also allows "
    "for trainings that fail outright."
)
SURE = 5
"""Trainings of each from which on `FEW` need not be said."""
FEW = (
    f"With fewer than {SURE} trainings of each: where those of one recipe work or fail outright, as many may be alike "
    "by chance, and up to one verdict in five is then wrong."
)
_NOTABLE = 0.1
"""The difference for which episodes are counted where none was seen."""

Told = tuple[list[str], dict[str, Any]]


def tell(contest: Contest, by: str = "success", seed: int = 0) -> Told:
    """Compare two sides: two checkpoints by the exact paired test, several trainings each with the training as unit.

    Args:
        contest: the two sides with their shared episodes.
        by: "success" or "clean".
        seed: of the bootstrap.
    """
    counts = [len(side.evaluations) for side in (contest.a, contest.b)]
    head, data = _head(contest, by)
    if counts == [1, 1]:
        lines, found = _checkpoints(contest, by)
    elif min(counts) >= LEAST:
        lines, found = _recipes(contest, by, seed)
    else:
        lines, found = _too_few(contest, by, seed)
    return [*head, "", *lines], {**data, **found}


def _head(contest: Contest, by: str) -> Told:
    first: Evaluation = contest.a.evaluations[0]
    lines = [f"{len(contest.indices)} shared episodes: {first.conditions_words}"]
    if contest.left_out:
        lines.append(f"{contest.left_out} shared episodes at places that are not feasible are left out")
    if contest.unshared:
        lines.append(f"{contest.unshared} episodes were not driven by all, and are left out")
    if by == "clean":
        lines.append("success counts without fumbling only")
    data = {
        "by": by,
        "episodes": len(contest.indices),
        "infeasible": contest.left_out,
        "unshared": contest.unshared,
        "conditions": first.conditions,
        "a": _side_data(contest.a),
        "b": _side_data(contest.b),
    }
    lines += [
        f"{one.name} was not driven as it was trained: {', '.join(one.changes)}"
        for one in (*contest.a.evaluations[1:], *contest.b.evaluations)
        if one.changes
    ]
    lines += [note for side in (contest.a, contest.b) for note in side.notes]
    lines += [
        f"{one.name} raced on these episodes (studio sweep): the one that was chosen by them looks better than it is; "
        "compare on other seeds"
        for one in (*contest.a.evaluations, *contest.b.evaluations)
        if one.raced
    ]
    lines += [
        f"{one.name} sees the block's pose, as no robot does: this is no result"
        for one in (*contest.a.evaluations, *contest.b.evaluations)
        if one.told.get("privileged")
    ]
    apart = differences(contest.a.evaluations[0].settings, contest.b.evaluations[0].settings)
    if apart:
        lines.append(f"settings of A and of B: {'; '.join(apart)}")
    return lines, data


def _side_data(side: Side) -> dict[str, Any]:
    return {
        "name": side.name,
        "evaluations": [str(one.folder) for one in side.evaluations],
        "checkpoints": [one.name for one in side.evaluations],
        "raced": [one.raced for one in side.evaluations],
        "notes": list(side.notes),
    }


def _checkpoints(contest: Contest, by: str) -> Told:
    a, b = contest.a.evaluations[0], contest.b.evaluations[0]
    found = paired(zip(contest.outcomes(contest.a, by)[0].tolist(), contest.outcomes(contest.b, by)[0].tolist(),
                       strict=True))  # fmt: skip
    lines = [
        "Level: two checkpoints, paired episode by episode.",
        f"A  {a.name}: {found.a.of('episodes')}",
        f"B  {b.name}: {found.b.of('episodes')}",
        f"A - B: {points(found.difference)}, 95 % CI {points(found.low)} to {points(found.high)} points",
        f"both {found.both}, only A {found.only_a}, only B {found.only_b}, neither {found.neither}; "
        f"exact McNemar p = {found.p:.2g}",
        _checkpoint_verdict(found),
    ]
    same_training = a.run == b.run != ""
    if not same_training:
        lines.append(f"Each is {ONE_TRAINING}. Compare recipes by at least {LEAST} trainings of each (--train-seeds).")
    data = {**asdict(found), "difference": found.difference, "better": found.better, "more_needed": found.more_needed}
    return lines, {"level": "checkpoint", "paired": data, "better": found.better}


def _checkpoint_verdict(found: Paired) -> str:
    if found.better:
        return f"{found.better} is better."
    more = found.more_needed
    if more is None:
        needed = pairs_needed(_NOTABLE, max(_NOTABLE, (found.only_a + found.only_b) / found.n))
        return (
            f"Inconclusive: no difference was seen. About {needed} shared episodes would show one of "
            f"{100 * _NOTABLE:.0f} points."
        )
    return f"Inconclusive. About {more} more shared episodes would tell if the difference is the one seen."


def _recipes(contest: Contest, by: str, seed: int) -> Told:
    a, b = contest.outcomes(contest.a, by), contest.outcomes(contest.b, by)
    found = compare_recipes(a, b)
    low, high = found.interval
    rates, data = _rates(contest, by, seed)
    lines = [
        "Level: two recipes; the training is the unit.",
        *rates,
        f"A - B: {points(found.difference)}, 95 % CI {points(low)} to {points(high)} points, p = {found.p:.2g}",
        WELCH,
    ]
    if min(len(a), len(b)) < SURE:
        lines.append(FEW)
    if found.better:
        lines.append(f"{found.better} is the better recipe.")
    elif found.trainings_needed is not None:
        more = max(1, found.trainings_needed - min(len(a), len(b)))
        lines.append(f"Inconclusive. About {more} more trainings of each would tell if the difference is the one seen.")
    else:
        lines.append("Inconclusive, and more trainings on these placements alone would not tell; evaluate at more.")
    told = {**asdict(found), "low": low, "high": high, "p": found.p, "better": found.better,
            "trainings_needed": found.trainings_needed}  # fmt: skip
    return lines, {"level": "recipe", "recipes": told, "rates": data, "better": found.better}


def _too_few(contest: Contest, by: str, seed: int) -> Told:
    rates, data = _rates(contest, by, seed)
    lines = ["Level: two recipes, but there are too few trainings.", *rates]
    needed = {}
    for letter, side in (("A", contest.a), ("B", contest.b)):
        count = len(side.evaluations)
        if count < LEAST:
            needed[letter] = LEAST - count
            what = ONE_TRAINING if count == 1 else f"{count} trainings: say nothing about the recipe"
            lines.append(f"{letter} is {what}; {LEAST - count} more are needed.")
    lines.append("Inconclusive.")
    return lines, {"level": "recipe", "rates": data, "trainings_missing": needed, "better": None}


def _rates(contest: Contest, by: str, seed: int) -> tuple[list[str], list[dict[str, Any]]]:
    lines, data = [], []
    for letter, side in (("A", contest.a), ("B", contest.b)):
        rate = group_rate(list(contest.outcomes(side, by)), seed)
        lines.append(f"{letter}  {side.name}: {rate.words}")
        data.append(asdict(rate))
    return lines, data


def points(share: float) -> str:
    """A difference of rates in percentage points, with its sign."""
    return f"{100 * share:+.1f}"
