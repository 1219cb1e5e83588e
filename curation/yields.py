"""What attempts gave at each position: how many were kept, and how many of those were successes, as far as it is known.

A classifier that keeps episodes cannot say how often it is wrong. So a share of the attempts is audited: drawn
beforehand, whatever becomes of them, and judged by somebody else, who is the simulator where there is one, or a person
by notes. Only audited attempts count in a rate, also where the simulator knows all of them: in a world without one
nobody would. The audit measures and does not choose: an audited failure that was kept stays, or a classifier would seem
better than it is.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from curation.attempts import UNJUDGED
from curation.coverage import CELL
from curation.frames import Outcome
from curation.notes import SUCCESS_FROM
from curation.rates import Z_95, Rate, wilson

BY_JUDGE = "success"
"""The keep rule that keeps what the simulator's judge calls a success."""
LEAST_SIDE = 0.01
"""Least side of a position's square on a map [m], so that it stays visible among close ones."""
Line = Mapping[str, Any]
"""One line of the log of attempts."""


@dataclass(frozen=True)
class Place:
    """A position that attempts are counted at: its name, and x, y [m], which all of them together have not."""

    name: str
    x: float | None
    y: float | None


@dataclass(frozen=True)
class Yield:
    """What the attempts at one position gave.

    Attributes:
        place: the position.
        attempts: made there.
        accepted: of them, by whoever decided.
        base: successes among the audited ones, whatever became of them.
        precision: successes among the audited ones that were accepted; None where the judge decided, who is the truth.
        kept: episodes of it outside the trash.
    """

    place: Place
    attempts: int
    accepted: int
    base: Rate
    precision: Rate | None
    kept: int

    def proves(self, precision: float) -> bool:
        """Whether the lower bound of its precision reaches what is asked."""
        return self.precision is None or self.precision.low >= precision

    def as_json(self) -> dict[str, Any]:
        told = asdict(self)
        return {**told.pop("place"), **told, "accepted_share": asdict(wilson(self.accepted, self.attempts))}


def place_of(line: Line) -> Place:
    """Where an attempt counts: at its position of a list, where it was asked to be, or in its square of the table."""
    asked = line.get("asked")
    if asked:
        x, y = round(float(asked[0]), 5), round(float(asked[1]), 5)
    else:
        x, y = (round((math.floor(float(line[axis]) / CELL) + 0.5) * CELL, 5) for axis in ("x", "y"))
    return Place(str(line.get("target") or f"{x:g}, {y:g}"), x, y)


def yields(lines: Sequence[Line], scores: Mapping[str, float], live: Collection[str]) -> list[Yield]:
    """The yield of every position, in the order in which they were first tried.

    Args:
        lines: of the log of attempts.
        scores: people's last scores by episode id, see `curation.notes.scores_by_people`.
        live: ids of the episodes outside the trash.
    """
    by_place: dict[Place, list[Line]] = defaultdict(list)
    for line in lines:
        by_place[place_of(line)].append(line)
    return [_yield(place, here, scores, live) for place, here in by_place.items()]


def total(lines: Sequence[Line], scores: Mapping[str, float], live: Collection[str]) -> Yield:
    """The same of all attempts together, those at positions that are not kept included."""
    return _yield(Place("all", None, None), lines, scores, live)


def side_of(places: Sequence[tuple[float, float]]) -> float:
    """Side of squares about places [m]: as far as they go without covering a neighbour, at most a cell of a map."""
    apart = [max(abs(x - u), abs(y - v)) for (x, y), (u, v) in combinations(places, 2)]
    return max(LEAST_SIDE, min([CELL, *(gap for gap in apart if gap > 1e-6)]))


def least(precision: float) -> int:
    """Audited and accepted attempts below which no bound reaches a precision, even if all are successes."""
    return math.ceil(precision * Z_95**2 / (1.0 - precision) - 1e-9)


def _yield(place: Place, lines: Sequence[Line], scores: Mapping[str, float], live: Collection[str]) -> Yield:
    audited = [line for line in lines if line.get("audited", True)]
    known = [(line, truth) for line in audited if (truth := _truth(line, scores)) is not None]
    heard = [truth for line, truth in known if line["kept"] and line.get("keep", BY_JUDGE) != BY_JUDGE]
    decides = any(line.get("keep", BY_JUDGE) != BY_JUDGE for line in lines)
    return Yield(
        place,
        attempts=len(lines),
        accepted=sum(bool(line["kept"]) for line in lines),
        base=wilson(sum(truth for _, truth in known), len(known)),
        precision=wilson(sum(heard), len(heard)) if decides else None,
        kept=sum(line["episode_id"] in live for line in lines),
    )


def _truth(line: Line, scores: Mapping[str, float]) -> bool | None:
    """Whether an attempt succeeded: by a person's word, else by the judge's; None where nobody knows."""
    score = scores.get(str(line["episode_id"]))
    if score is not None:
        return score >= SUCCESS_FROM
    if line.get("status") in UNJUDGED or line.get("outcome") not in set(Outcome):
        return None
    return line["outcome"] == Outcome.SUCCESS
