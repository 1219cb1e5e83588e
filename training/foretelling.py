"""How well being unsure tells that an episode fails.

Failures last until the time limit and successes end before it, so whatever adds up or has a maximum grows with an
episode's length, and length alone tells failure once all is over. What could warn is what is known while every episode
still runs: that measure is judged, and the others stand beside it. Even then an episode may be lost already, so the
same is also given frame by frame: what tells before the grasp foresees, what tells after it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from curation.auroc import Measured, Truth, measured_auroc
from curation.frames import JOINTS

from .chunks import BODY

MEASURES = ("disagreement", "spread")
"""Columns of a row: how far each chunk contradicts the one before, and how far answers to one question spread."""
WORDS = {
    "disagreement": "each chunk contradicts the one before by",
    "spread": "answers to one question spread (standard deviation) by",
}
NOT_TOLD = "these rows do not say it"
FAIL = "tells failure"
OTHER_WAY = "is larger where it succeeds"
UNKNOWN = "inconclusive"
SEED = 0
"""Of the bootstrap."""
INSTANTS = 7
"""Frames at most at which the same is given, spread evenly."""

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Tells:
    """How well one number of an episode tells failure.

    Attributes:
        what: the number.
        auroc: chance that it is larger in a failure than in a success, with a bootstrap over episodes.
        judged: whether it was known while all episodes still ran, so that a verdict means something.
    """

    what: str
    auroc: Measured
    judged: bool = False

    @property
    def verdict(self) -> str:
        """In words; "" for what is not judged."""
        if not self.judged:
            return ""
        if self.auroc.low > 0.5:
            return FAIL
        return OTHER_WAY if self.auroc.high < 0.5 else UNKNOWN


@dataclass(frozen=True)
class Unsureness:
    """What rows say of one measure.

    Attributes:
        measure: of `MEASURES`.
        n: episodes that say it; infeasible ones and those that broke off are left out.
        failed: of these.
        middle, least, most: of the episodes' means [deg]; None where none says it.
        frames: that every one of them lasted.
        tells: the judged number, those beside it, and length; empty where there are no failures or no successes.
        course: frame, and how well what was found in that frame alone tells failure; of frames in which all say it.
        why_not: why there is nothing, or nothing to tell.
    """

    measure: str
    n: int
    failed: int
    middle: float | None
    least: float | None
    most: float | None
    frames: int
    tells: tuple[Tells, ...]
    course: tuple[tuple[int, Measured], ...]
    why_not: str

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        tells = [{"what": t.what, "auroc": t.auroc.as_json(), "verdict": t.verdict or None} for t in self.tells]
        course = [{"frame": frame, "auroc": auroc.as_json()} for frame, auroc in self.course]
        return {**vars(self), "tells": tells, "course": course}

    @property
    def words(self) -> str:
        """How much it was, in a line."""
        if self.middle is None:
            return f"{self.measure}: {self.why_not}"
        return (
            f"{WORDS[self.measure]} {self.middle:.2f} deg (median of {self.n} episodes, {self.least:.2f} to "
            f"{self.most:.2f})"
        )

    @property
    def lines(self) -> list[str]:
        """For people: how much, and how well that tells failure."""
        found = [self.words]
        if self.middle is not None and not self.tells:
            found.append(f"  whether that tells failure: {self.why_not}")
        said = [f"  {each.what}: AUROC {each.auroc}{_verdict(self, each)}" for each in self.tells]
        return [*found, *said[:1], *([f"    {self.when}"] if self.course else []), *said[1:]]

    @property
    def when(self) -> str:
        """How well it tells frame by frame; "" where nobody can say."""
        listed = [f"{frame} {auroc.value:.2f} [{auroc.low:.2f}-{auroc.high:.2f}]" for frame, auroc in self.course]
        return f"in frame {', '.join(listed)}" if listed else ""


def of_row(row: Told, measure: str) -> float | None:
    """Mean over an episode [deg]; None where its row says nothing of it, or where it broke off."""
    value = row.get(f"{measure}_deg")
    return float(value) if isinstance(value, int | float) and not row.get("error") else None


def unsureness(rows: Sequence[Told], measure: str, seed: int = SEED) -> Unsureness:
    """What rows of one evaluation say of a measure.

    Args:
        rows: as rows.jsonl has them; older ones say nothing of it.
        measure: of `MEASURES`.
        seed: of the bootstrap.
    """
    asked = [row for row in rows if row.get("feasible", True) and not row.get("error")]
    known = [row for row in asked if of_row(row, measure) is not None]
    values = [value for row in known if (value := of_row(row, measure)) is not None]
    failed = np.array([not row["success"] for row in known], bool)
    frames = min((int(row["frames"]) for row in known), default=0)
    why = ""
    tells: tuple[Tells, ...] = ()
    course: tuple[tuple[int, Measured], ...] = ()
    if not known:
        why = _why_not(asked, measure)
    elif failed.all() or not failed.any():
        why = f"nobody can say, since all {len(known)} {'failed' if failed.all() else 'succeeded'}"
    else:
        tells = _tells(known, failed, measure, frames, seed)
        course = _course(known, failed, measure, seed)
    return Unsureness(
        measure,
        len(known),
        int(failed.sum()),
        median(values) if values else None,
        min(values, default=None),
        max(values, default=None),
        frames,
        tells,
        course,
        why,
    )


def asked_for(rows: Sequence[Told]) -> list[str]:
    """Measures of which rows say something, if only why there is nothing."""
    return [measure for measure in MEASURES if any(isinstance(row.get(measure), Mapping) for row in rows)]


def _why_not(rows: Sequence[Told], measure: str) -> str:
    """The commonest reason that rows give."""
    told = [row[measure].get("why_not") for row in rows if isinstance(row.get(measure), Mapping)]
    reasons = [str(reason) for reason in told if reason]
    return max(sorted(set(reasons)), key=reasons.count) if reasons else NOT_TOLD


def _tells(rows: Sequence[Told], failed: Truth, measure: str, frames: int, seed: int) -> tuple[Tells, ...]:
    early = [_early(row, measure, frames) for row in rows]
    numbers: list[tuple[str, list[float]]] = [
        (f"mean of the whole {measure}", [row[f"{measure}_deg"] for row in rows]),
        (f"largest {measure} of a joint", [max(row[measure]["max"][joint] for joint in JOINTS[:BODY]) for row in rows]),
        ("length alone", [row["frames"] for row in rows]),
    ]
    found = [Tells(what, measured_auroc(np.array(scores, float), failed, seed)) for what, scores in numbers]
    if all(value is not None for value in early):
        scores = np.array(early, float)
        what = f"{measure} within the {frames} frames that all of them lasted"
        found.insert(0, Tells(what, measured_auroc(scores, failed, seed), judged=True))
    return tuple(found)


def _course(rows: Sequence[Told], failed: Truth, measure: str, seed: int) -> tuple[tuple[int, Measured], ...]:
    of_each = [dict(row[measure]["course"]) for row in rows]
    shared = sorted(set.intersection(*(set(each) for each in of_each)))
    chosen = np.unique(np.linspace(0, len(shared) - 1, min(INSTANTS, len(shared))).round().astype(int))
    return tuple(
        (shared[at], measured_auroc(np.array([each[shared[at]] for each in of_each], float), failed, seed))
        for at in chosen.tolist()
    )


def _early(row: Told, measure: str, frames: int) -> float | None:
    """Mean of what was known before such a frame [deg]."""
    found = [deg for frame, deg in row[measure]["course"] if frame < frames]
    return float(np.mean(found)) if found else None


def _verdict(one: Unsureness, each: Tells) -> str:
    if each.verdict:
        return f" ({one.n} episodes, {one.failed} failed): {each.verdict}"
    return "; failures last until the limit" if each.what == "length alone" else ""
