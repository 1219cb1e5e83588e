"""How unsure a policy was over the table, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from .as_trained import TRAINED
from .evaluated import Evaluation, Row
from .foretelling import of_row
from .maps import Cell, cells, pieces


@dataclass(frozen=True)
class UnsureCell:
    """A piece of the table.

    Attributes:
        cell: the piece, with its success.
        n: feasible episodes in it that say how unsure the policy was.
        middle, least, most: of these episodes' means [deg]; 0 where there are none.
        low, top: the least and the largest middle of all that is drawn beside it [deg].
    """

    cell: Cell
    n: int
    middle: float
    least: float
    most: float
    low: float = 0.0
    top: float = 1.0

    @property
    def share(self) -> float:
        """Where its middle lies between these, 0 to 1."""
        return (self.middle - self.low) / ((self.top - self.low) or 1.0)

    @property
    def words(self) -> str:
        """In a line."""
        if not self.n:
            return "no episode that says it"
        return f"{self.middle:.2f} deg ({self.least:.2f} to {self.most:.2f}, n = {self.n})"


def carried_out(evaluation: Evaluation) -> str:
    """What decides how large disagreement and spread are whatever the policy knows, in words.

    The more of a chunk was carried out, the more has changed when the next one comes; and what lies farther ahead is
    surer nowhere. Only numbers of policies for which this is the same may be compared.
    """
    settings, trained = evaluation.settings, evaluation.told.get(TRAINED)
    chunk = (trained.get("chunk_size") if isinstance(trained, Mapping) else None) or "unknown"
    steps, ensemble, latency = (settings.get(name) for name in ("n_action_steps", "ensemble", "latency"))
    asked = f"{steps} of {chunk} actions" if ensemble is None else f"chunks of {chunk} blended"
    late = f", latency {latency}" if latency not in (None, "0") else ""
    return f"{evaluation.told.get('policy') or 'unknown'}, {asked}{late}, {evaluation.told.get('fps')} fps"


def ways(evaluations: Sequence[Evaluation]) -> str:
    """How each of several was carried out; "" where that was the same and their numbers may be compared."""
    found = [f"{one.name}: {carried_out(one)}" for one in evaluations]
    return "; ".join(dict.fromkeys(found)) if len({carried_out(one) for one in evaluations}) > 1 else ""


def unsure_cells(rows: Sequence[Row], measure: str, side: float) -> list[UnsureCell]:
    """How unsure the policy was, in the order of `cells`.

    Args:
        rows: of one evaluation, or of several.
        measure: "disagreement" or "spread".
        side: of squares [m], where the rows have no grid of their own.
    """
    here = {place: mine for place, (_, _, mine) in pieces(rows, side).items()}
    return [_cell(cell, here[cell.x, cell.y], measure) for cell in cells(rows, side)]


def scaled(several: Sequence[Sequence[UnsureCell]]) -> list[list[UnsureCell]]:
    """Cells of maps that are drawn beside each other, on one scale."""
    middles = [cell.middle for each in several for cell in each if cell.n] or [0.0]
    return [[replace(cell, low=min(middles), top=max(middles)) for cell in each] for each in several]


def _cell(cell: Cell, rows: Sequence[Row], measure: str) -> UnsureCell:
    told = [value for row in rows if row.feasible and (value := of_row(row.told, measure)) is not None]
    if not told:
        return UnsureCell(cell, 0, 0.0, 0.0, 0.0)
    return UnsureCell(cell, len(told), median(told), min(told), max(told))
