"""Evaluations of two sides made comparable: which of each, on which shared episodes, and why not if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .as_trained import driven
from .bootstrap import Outcomes
from .choice import current, one_each, training_of
from .evaluated import Evaluation, Row
from .unit import NotComparable, differences, group

__all__ = ["Contest", "NotComparable", "Side", "contest", "differences"]

LEAST_SHARED = 2
"""Shared episodes below which there is nothing to compare."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: an evaluation of each training.

    Attributes:
        name: as it was asked for.
        evaluations: one for each training, all under the same conditions and of one recipe.
        notes: what has to be said of them, such as copies that do not count.
    """

    name: str
    evaluations: tuple[Evaluation, ...]
    notes: tuple[str, ...] = ()


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

    Where a training was evaluated several times under conditions that both sides share, those as it was trained come
    first, then those with the same settings of the policy on both sides, then later checkpoints, then later
    evaluations. Copies of a training count once, and weights that were overwritten do not count.

    Args:
        name_a, name_b: of the two sides.
        a, b: their evaluations.
        apart_from: conditions that may differ, because they are what is compared.

    Raises:
        NotComparable: no conditions are shared, too few episodes, or a side is of several recipes; the difference is
            named.
    """
    ends = [[(one, _but(one.conditions, apart_from)) for one in current(side)] for side in (a, b)]
    shared = [here for _, here in ends[0] if any(here == there for _, there in ends[1])]
    if not shared:
        raise NotComparable(_unlike(name_a, ends[0][-1][1], name_b, ends[1][-1][1]))
    best = max(shared, key=lambda here: _rank([one for end in ends for one, there in end if there == here]))
    of_a, of_b = ([one for one, here in end if here == best] for end in ends)
    theirs = [driven(one.settings) for one in of_b]
    agreed = [driven(one.settings) for one in of_a if driven(one.settings) in theirs]
    side_a, side_b = _side(name_a, one_each(of_a, agreed), a), _side(name_b, one_each(of_b, agreed), b)
    same = {one.folder for one in side_a.evaluations} & {one.folder for one in side_b.evaluations}
    if same:
        raise NotComparable(f"{name_a} and {name_b} are the same evaluation ({min(same)}).")
    return _paired(side_a, side_b)


def _side(name: str, evaluations: Sequence[Evaluation], every: Sequence[Evaluation]) -> Side:
    chosen = all(part.endswith("@best") for part in name.split(",") if part)
    found = group(name, evaluations, chosen=chosen)
    gone = len(every) - len(current(every))
    old = [f"evaluations of {name} that do not count, as their weights were overwritten since: {gone}"] if gone else []
    return Side(name, found.evaluations, (*found.notes, *old))


def _but(conditions: Mapping[str, Any], apart_from: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in conditions.items() if name not in apart_from}


def _rank(here: Sequence[Evaluation]) -> tuple[int, int, str]:
    """Conditions under which more trainings were evaluated come first, as they were trained, then later ones."""
    own = [one for one in here if not one.changes and not one.raced]
    many, untouched = (len({training_of(one) for one in each}) for each in (here, own))
    return many, untouched, max(str(one.told.get("when", "")) for one in here)


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


def _unlike(name_a: str, a: Mapping[str, Any], name_b: str, b: Mapping[str, Any]) -> str:
    return (
        f"{name_a} and {name_b} were not evaluated under the same conditions: {'; '.join(differences(a, b))}. "
        "Evaluate both in the same way: studio evaluate."
    )
