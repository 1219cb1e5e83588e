"""Which of several evaluations stands for a training: of the weights that are there now, as it was trained, and not the
one by which it was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from curation.errors import UsageError

from .as_trained import driven
from .evaluated import Evaluation

_LISTED = 8
"""Evaluations that an error names at most."""


class NoneAsTrained(UsageError):
    """Every evaluation of a training changed something, and there are several."""


def training_of(evaluation: Evaluation) -> str:
    """Name of the training; the weights' digest for a checkpoint from elsewhere."""
    return evaluation.run or str(evaluation.told.get("checkpoint_digest") or evaluation.folder)


def current(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Without those of weights that were overwritten: of a run's step the last evaluated weights count alone."""
    newest: dict[tuple[Any, ...], str] = {}
    for one in sorted(evaluations, key=_when):
        newest[_place(one)] = _weights(one)
    return [one for one in evaluations if _weights(one) == newest[_place(one)]]


def latest_each(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Of every training the last checkpoint's last evaluation that changed nothing, by name of the training.

    One by which a checkpoint was chosen comes after all others. A single evaluation is taken as it is.

    Raises:
        NoneAsTrained: all evaluations of a training changed something; they are listed.
    """
    found = []
    for name, mine in sorted(by_training(current(evaluations)).items()):
        own = [one for one in mine if not one.changes]
        if not own and len(mine) > 1:
            listed = "; ".join(f"{one.folder} ({', '.join(one.changes)})" for one in mine[:_LISTED])
            raise NoneAsTrained(
                f"No evaluation of {name} drove it as it was trained: {listed}. Name the folder of one, or run "
                f"studio evaluate {name}."
            )
        found.append(max(own or mine, key=lambda one: (not one.raced, one.step or 0, _when(one))))
    return tuple(found)


def by_training(evaluations: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """Evaluations by `training_of`."""
    found: dict[str, list[Evaluation]] = {}
    for one in evaluations:
        found.setdefault(training_of(one), []).append(one)
    return found


def one_each(evaluations: Sequence[Evaluation], agreed: Sequence[Mapping[str, Any]]) -> tuple[Evaluation, ...]:
    """One evaluation of every training, all of the same step where they share one.

    Those as trained come first, then those driven in a way that is agreed on, those by which nothing was chosen, later
    checkpoints, later evaluations.

    Args:
        evaluations: under the same conditions, of weights that are there.
        agreed: ways to drive a policy that the other side has too.
    """
    found = {name: _narrowed(mine, agreed) for name, mine in by_training(evaluations).items()}
    shared = set.intersection(*({one.step for one in mine} for mine in found.values())) - {None}
    if shared:
        last = max(step for step in shared if step is not None)
        found = {name: [one for one in mine if one.step == last] for name, mine in found.items()}
    return tuple(max(found[name], key=lambda one: (one.step or 0, _when(one))) for name in sorted(found))


def _narrowed(mine: Sequence[Evaluation], agreed: Sequence[Mapping[str, Any]]) -> list[Evaluation]:
    ranks = [(not one.changes, driven(one.settings) in agreed, not one.raced) for one in mine]
    return [one for one, rank in zip(mine, ranks, strict=True) if rank == max(ranks)]


def _place(one: Evaluation) -> tuple[Any, ...]:
    """Where weights lie. Digests are of the same files in evaluations of one version only."""
    return training_of(one), one.step, one.told.get("version")


def _weights(one: Evaluation) -> str:
    return str(one.told.get("checkpoint_digest") or "")


def _when(one: Evaluation) -> str:
    return str(one.told.get("when", ""))
