"""Evaluations of two sides made comparable: which of each, on which shared episodes, and why not if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.errors import UsageError

from .bootstrap import Outcomes
from .evaluated import Evaluation, Row

LEAST_SHARED = 2
"""Shared episodes below which there is nothing to compare."""


class NotComparable(UsageError):
    """Two evaluations differ in more than the policy."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: an evaluation of each training.

    Attributes:
        name: as it was asked for.
        evaluations: one for each training, all under the same conditions.
    """

    name: str
    evaluations: tuple[Evaluation, ...]


@dataclass(frozen=True)
class Contest:
    """Two sides and the episodes that all of their evaluations share.

    Attributes:
        indices: of the shared, feasible episodes.
        left_out: shared ones that are not feasible.
        unshared: episodes that are not in every evaluation.
    """

    a: Side
    b: Side
    indices: tuple[int, ...]
    left_out: int
    unshared: int

    def outcomes(self, side: Side, by: str = "success") -> Outcomes:
        """Success of the shared episodes, shape (trainings, E)."""
        tables = [{row.index: row for row in evaluation.rows} for evaluation in side.evaluations]
        return np.array([[getattr(table[index], by) for index in self.indices] for table in tables], bool)


def contest(
    name_a: str, a: Sequence[Evaluation], name_b: str, b: Sequence[Evaluation], apart_from: Sequence[str] = ()
) -> Contest:
    """Choose one evaluation of every training, all under the same conditions, and pair their episodes.

    Where a training was evaluated several times under conditions that both sides share, those with the same settings
    of the policy on both sides come first, then later checkpoints, then later evaluations.

    Args:
        name_a, name_b: of the two sides.
        a, b: their evaluations.
        apart_from: conditions that may differ, because they are what is compared.

    Raises:
        NotComparable: no conditions are shared, or too few episodes; the difference is named.
    """
    ends = [[(one, _but(one.conditions, apart_from)) for one in side] for side in (a, b)]
    shared = [here for _, here in ends[0] if any(here == there for _, there in ends[1])]
    if not shared:
        raise NotComparable(_unlike(name_a, ends[0][-1][1], name_b, ends[1][-1][1]))
    best = max(shared, key=lambda here: _rank([one for end in ends for one, there in end if there == here]))
    of_a, of_b = ([one for one, here in end if here == best] for end in ends)
    agreed = [one.settings for one in of_a if any(one.settings == other.settings for other in of_b)]
    side_a, side_b = Side(name_a, _one_each(of_a, agreed)), Side(name_b, _one_each(of_b, agreed))
    if len(side_a.evaluations) == len(side_b.evaluations) == 1 and side_a.evaluations == side_b.evaluations:
        raise NotComparable(f"{name_a} and {name_b} are the same evaluation ({side_a.evaluations[0].folder}).")
    return _paired(side_a, side_b)


def _but(conditions: Mapping[str, Any], apart_from: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if name not in apart_from}


def _rank(here: Sequence[Evaluation]) -> tuple[int, str]:
    """Conditions under which more trainings were evaluated come first, then later ones."""
    return len({_training(one) for one in here}), max(str(one.told.get("when", "")) for one in here)


def latest_each(evaluations: Sequence[Evaluation]) -> tuple[Evaluation, ...]:
    """Of every training its last checkpoint's last evaluation."""
    return _one_each(evaluations, ())


def _training(evaluation: Evaluation) -> str:
    return evaluation.run or str(evaluation.told.get("checkpoint_digest") or evaluation.folder)


def _one_each(evaluations: Sequence[Evaluation], agreed: Sequence[Mapping[str, Any]]) -> tuple[Evaluation, ...]:
    chosen: dict[str, Evaluation] = {}
    for one in evaluations:
        have = chosen.get(_training(one))
        if have is None or _preference(one, agreed) >= _preference(have, agreed):
            chosen[_training(one)] = one
    return tuple(chosen[name] for name in sorted(chosen))


def _preference(one: Evaluation, agreed: Sequence[Mapping[str, Any]]) -> tuple[bool, int, str]:
    return one.settings in agreed, one.step or 0, str(one.told.get("when", ""))


def _paired(a: Side, b: Side) -> Contest:
    tables = [{row.index: row for row in evaluation.rows} for evaluation in (*a.evaluations, *b.evaluations)]
    common = sorted(set.intersection(*(set(table) for table in tables)))
    for index in common:
        _require_same_place(a, b, [table[index] for table in tables])
    indices = tuple(index for index in common if all(table[index].feasible for table in tables))
    if len(indices) < LEAST_SHARED:
        raise NotComparable(
            f"{a.name} and {b.name} share {len(indices)} feasible episodes; {LEAST_SHARED} are the least. "
            "Evaluate both with the same placements."
        )
    every = set.union(*(set(table) for table in tables))
    return Contest(a, b, indices, len(common) - len(indices), len(every) - len(common))


def _require_same_place(a: Side, b: Side, rows: Sequence[Row]) -> None:
    first = rows[0]
    for other, evaluation in zip(rows[1:], (*a.evaluations, *b.evaluations)[1:], strict=True):
        if other.place != first.place:
            raise NotComparable(
                f"Episode {first.index} is another one in {evaluation.name}: seed {other.seed} at ({other.x:.4f}, "
                f"{other.y:.4f}, {other.yaw_deg:.1f} deg), and seed {first.seed} at ({first.x:.4f}, {first.y:.4f}, "
                f"{first.yaw_deg:.1f} deg) in {a.evaluations[0].name}. Evaluate both with the same --seed."
            )


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """What sets two mappings apart, in words."""
    missing = "not said"
    return [
        f"{name} is {a.get(name, missing)} and {b.get(name, missing)}"
        for name in sorted({*a, *b})
        if a.get(name, missing) != b.get(name, missing)
    ]


def _unlike(name_a: str, a: Mapping[str, Any], name_b: str, b: Mapping[str, Any]) -> str:
    return (
        f"{name_a} and {name_b} were not evaluated under the same conditions: {'; '.join(differences(a, b))}. "
        "Evaluate both in the same way: studio evaluate."
    )
