"""What lies between two policies, or two recipes, in one piece of the table after the other, on shared episodes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from curation.errors import UsageError

from .ablate import holm, tarone
from .compare import LEAST, compare_recipes
from .contest import Contest
from .maps import Cell, cells, pieces
from .paired import mcnemar, paired


@dataclass(frozen=True)
class CellDifference:
    """A less B in one piece of the table.

    Attributes:
        cell: the piece; its rate counts A's episodes, of the first training.
        n: shared feasible episodes in it, of each training.
        difference: of the rates; of the mean rates of trainings where there are several.
        low, high: its 95 % interval by itself.
        p: of the test; 1 where too little was tried for any.
        least: the smallest p that there could have been, however the episodes on which A and B differ had gone.
        better: "A" or "B" if it is told apart though all cells are looked at (Tarone, Holm), else None.
    """

    cell: Cell
    n: int
    difference: float
    low: float
    high: float
    p: float
    least: float = 0.0
    better: str | None = None


def cell_differences(contest: Contest) -> list[CellDifference]:
    """A against B cell by cell: two checkpoints paired by episode, two groups with the training as the unit.

    Raises:
        UsageError: a side has several trainings and the other too few.
    """
    many = [len(side.evaluations) for side in (contest.a, contest.b)]
    if many != [1, 1] and min(many) < LEAST:
        raise UsageError(
            f"A map of the difference needs one training of each, or at least {LEAST} of each; got {many[0]} and "
            f"{many[1]}."
        )
    shared = set(contest.indices)
    rows = [row for row in contest.a.evaluations[0].rows if row.index in shared]
    column = {index: number for number, index in enumerate(contest.indices)}
    here = {place: [column[row.index] for row in mine] for place, (_, _, mine) in pieces(rows).items()}
    found = [_difference(contest, cell, here[cell.x, cell.y]) for cell in cells(rows)]
    # Many cells are looked at, and one in twenty of nothing would be marked.
    p = {str(number): each.p for number, each in enumerate(found)}
    least = {str(number): each.least for number, each in enumerate(found)}
    held = tarone(p, least) if many == [1, 1] else holm(p)
    return [_judged(each, holds=held[str(number)]) for number, each in enumerate(found)]


def _difference(contest: Contest, cell: Cell, columns: list[int]) -> CellDifference:
    a, b = (contest.outcomes(side)[:, columns] for side in (contest.a, contest.b))
    if len(a) == len(b) == 1:
        seen = paired(zip(a[0].tolist(), b[0].tolist(), strict=True))
        least = mcnemar(seen.only_a + seen.only_b, 0)
        return CellDifference(cell, seen.n, seen.difference, seen.low, seen.high, seen.p, least)
    difference = float(a.mean() - b.mean())
    if len(columns) < 2:
        return CellDifference(cell, len(columns), difference, -1.0, 1.0, 1.0)
    recipes = compare_recipes(a, b)
    low, high = recipes.interval
    return CellDifference(cell, len(columns), difference, low, high, recipes.p)


def _judged(each: CellDifference, *, holds: bool) -> CellDifference:
    better = ("A" if each.difference > 0 else "B") if holds else None
    return replace(each, better=better)
