"""What a filter experiment found: the rate of every arm, the difference that was asked for, and all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from curation.errors import DataError
from studio.arms import CEILING, RANDOM, Arms
from studio.chain import Chain
from studio.experimenting import SCOPE, Experiment, evaluation_step
from studio.improving import Source
from studio.preregistered import PLUMBING, below, register
from studio.retrained import Pair, pair_of, pairs_of, rate_of
from training.ablate import holm
from training.compare import LEAST
from training.evaluated import Evaluation, read_evaluation
from training.verdict import FEW, ONE_TRAINING, SURE, WELCH, points

Told = tuple[list[str], dict[str, Any]]


def report(asked: Experiment, source: Source, chain: Chain, arms: Arms) -> Told:
    """Lines for people, and the same as data.

    Raises:
        DataError: an evaluation is missing, or what was preregistered was changed.
        UsageError: what was preregistered says otherwise.
    """
    written = register(asked.folder, chain.known["preregistered"], looked=True)
    groups = {name: _evaluations(asked, source, chain, name) for name in asked.arms}
    judged = {name: found for name, found in groups.items() if name not in CEILING}
    primary = pair_of(asked.tested, RANDOM, judged)
    others = [pair for pair in pairs_of(judged) if {pair.first, pair.second} != {primary.first, primary.second}]
    held = holm({pair.words: pair.found.p for pair in others if pair.found is not None})
    why = below(asked.train_seeds, asked.episodes, arms.size, privileged=source.privileged)
    first = groups[asked.tested][0]
    lines = [
        *([f"{PLUMBING.upper()}: {'; '.join(why)}."] if why else []),
        written["asked"]["question"],
        f"preregistered {written['when']} (digest {written['digest']})",
        f"{first.conditions_words}; {source.recipe.steps} gradient steps in every arm",
        f"{arms.size} attempts in the arm of {asked.tested} and in its controls; {arms.matched}",
        *(f"{name} passes only {count}: a smaller arm" for name, count in arms.smaller.items()),
        "",
        *_rates(groups, arms),
        "",
        f"primary: {_words(primary, differs=bool(primary.found and primary.found.better))}",
        *_caveats(asked, primary),
        SCOPE,
        "",
        *(f"  {_words(pair, differs=held.get(pair.words, False))}" for pair in others),
        *([f"  of these {len(held)} only those marked * differ at 5 % though all are compared (Holm)"] if held else []),
    ]
    return lines, {
        "plumbing": why,
        "preregistered": written,
        "arms": {
            name: {"ceiling": name in CEILING, "attempts": len(arms.chosen[name]), **asdict(rate_of(found)),
                   "evaluations": [str(one.folder) for one in found]}
            for name, found in groups.items()
        },
        "primary": _data(primary, differs=bool(primary.found and primary.found.better)),
        "secondary": [_data(pair, differs=held.get(pair.words, False)) for pair in others],
        "folder": str(asked.folder),
    }  # fmt: skip


def _evaluations(asked: Experiment, source: Source, chain: Chain, arm: str) -> list[Evaluation]:
    """Of every training of an arm, exactly the episodes that were asked for."""
    found = []
    for run in asked.runs(source, arm):
        told = chain.result(evaluation_step(arm, run))
        if told is None:
            raise DataError(f"{run} is not evaluated yet: the experiment is not done. Repeat its command.")
        wanted = {row["index"] for row in told["rows"]}
        whole = read_evaluation(Path(told["folder"]))
        found.append(replace(whole, rows=tuple(row for row in whole.rows if row.index in wanted)))
    return found


def _rates(groups: Mapping[str, Sequence[Evaluation]], arms: Arms) -> list[str]:
    width = max(map(len, groups))
    lines = []
    for name, found in groups.items():
        added = len(arms.chosen[name])
        ceiling = "  (a ceiling, not a result)" if name in CEILING else ""
        lines.append(f"  {name:<{width}}  +{added:<4} {rate_of(found).words}{ceiling}")
    return lines


def _words(pair: Pair, *, differs: bool) -> str:
    if pair.found is None:
        return f"{pair.words}: inconclusive ({pair.why_not or 'too few trainings'})"
    low, high = pair.found.interval
    better = pair.first if pair.found.difference > 0 else pair.second
    return (
        f"{pair.words}: {points(pair.found.difference)} points, 95 % CI {points(low)} to {points(high)}, "
        f"p = {pair.found.p:.2g}: {f'{better} is better *' if differs else 'inconclusive'}"
    )


def _caveats(asked: Experiment, primary: Pair) -> list[str]:
    if asked.train_seeds < LEAST:
        few = f"{asked.train_seeds} trainings of each arm are too few for a test; {LEAST} are the least."
        return [f"Every arm is {ONE_TRAINING}." if asked.train_seeds == 1 else few]
    unsure = [FEW] if asked.train_seeds < SURE else []
    return [WELCH, *unsure] if primary.found is not None else unsure


def _data(pair: Pair, *, differs: bool) -> dict[str, Any]:
    told = None
    if pair.found is not None:
        low, high = pair.found.interval
        told = {**asdict(pair.found), "low": low, "high": high, "p": pair.found.p}
    return {"first": pair.first, "second": pair.second, "found": told, "differs": differs, "why_not": pair.why_not}
