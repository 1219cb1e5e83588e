"""ablate: change one thing at a time, on the same episodes, and say what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from curation.errors import UsageError
from studio.console import Console
from studio.retrained import Pair, groups_of, pairs_of, rate_of, settings_of
from studio.verbs.evaluate import Evaluate, evaluated, prepared
from training.ablate import Variation, holm, usual, variations
from training.compare import LEAST
from training.contest import contest
from training.evaluated import Evaluation, read_evaluation
from training.paired import Paired, paired
from training.verdict import FEW, ONE_TRAINING, SURE, WELCH, points


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
    """Trainings for each value of --retrain, with seeds from the run's on, and at least as many of the recipe as it
    was; 3 say something about the recipe."""
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
    settings_of(options.retrain)
    base = _evaluation(options.evaluation, console)
    asked = [] if options.retrain and not options.vary else _asked(options, console)
    told = [_varied(options.evaluation, base, each, console) for each in asked]
    groups = _groups(options, console)
    pairs = pairs_of(groups)
    # All that one command compares is one family, whatever the unit is.
    p = {one.words: one.found.p for one in told if one.found is not None}
    held = holm(p | {one.words: one.found.p for one in pairs if one.found is not None})
    lines = [f"{base.title}: {base.rate().of('feasible episodes')}", base.conditions_words, ""]
    width = max((len(one.words) for one in told), default=0)
    lines += [_line(one, held, width) for one in told]
    if any(one.found is not None for one in told):
        lines += ["", f"Changes above are about one checkpoint; {ONE_TRAINING}."]
    lines += _group_lines(groups, pairs, held)
    if held:
        lines += ["", f"* differs at 5 % though {len(held)} were compared (Holm)."]
    data = {"base": {"name": base.name, "folder": str(base.folder), "rate": asdict(base.rate())},
            "varied": [_data(one, held) for one in told],
            "retrained": [{"change": words, "evaluations": [str(one.folder) for one in found], **asdict(rate_of(found))}
                          for words, found in groups.items()],
            "pairs": [_pair_data(one, held) for one in pairs]}  # fmt: skip
    console.result("\n".join(lines), data)
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


def _groups(options: Ablate, console: Console) -> dict[str, list[Evaluation]]:
    """Evaluations of every recipe of --retrain."""
    if not options.retrain:
        return {}

    def last(folder: str) -> Evaluation:
        return _evaluation(replace(options.evaluation, checkpoint=folder), console)

    return groups_of(options.evaluation.checkpoint, options.retrain, options.train_seeds, last, console,
                     force=options.force)  # fmt: skip


def _group_lines(groups: dict[str, list[Evaluation]], pairs: Sequence[Pair], held: dict[str, bool]) -> list[str]:
    if not groups:
        return []
    width = max(map(len, groups))
    lines = ["", "retrained on the same episodes, each at its last checkpoint:"]
    lines += [f"  {words:<{width}}  {rate_of(found).words}" for words, found in groups.items()]
    lines += [f"  {_pair_words(one, held)}" for one in pairs if one.found or one.why_not]
    compared = [one.found for one in pairs if one.found]
    if compared:
        lines.append(f"  {WELCH}")
    if any(min(one.trainings_a, one.trainings_b) < SURE for one in compared):
        lines.append(f"  {FEW}")
    if any(len(found) < LEAST for found in groups.values()):
        lines.append(f"  where there is {ONE_TRAINING}; --train-seeds {LEAST} would.")
    return lines


def _pair_words(one: Pair, held: dict[str, bool]) -> str:
    if one.found is None:
        return f"{one.words}: cannot be compared: {one.why_not}"
    low, high = one.found.interval
    verdict = (
        f"{one.first if one.found.difference > 0 else one.second} is better *" if held[one.words] else "inconclusive"
    )
    return (
        f"{one.words}: {points(one.found.difference)} points, 95 % CI {points(low)} to {points(high)}, "
        f"p = {one.found.p:.2g}: {verdict}"
    )


def _pair_data(one: Pair, held: dict[str, bool]) -> dict[str, Any]:
    found = None
    if one.found is not None:
        low, high = one.found.interval
        found = {**asdict(one.found), "low": low, "high": high, "p": one.found.p}
    return {"first": one.first, "second": one.second, "recipes": found, "differs": held.get(one.words),
            "why_not": one.why_not}  # fmt: skip
