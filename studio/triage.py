"""Looking through episodes: in which order, which first, and whose word on them is worth how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from curation import verdicts
from curation.errors import DataError
from curation.library import Entry
from curation.notes import SUCCESS_FROM, classifier_name
from curation.verdicts import judged, looked_at, verdict
from studio.score_cards import card_by

if TYPE_CHECKING:
    from classifiers.card import Card

Order = Literal["index", "score", "low", "doubt"]
"""As recorded; highest score first; lowest first; nearest to the classifier's threshold first."""
ORDERS: tuple[Order, ...] = get_args(Order)


@dataclass(frozen=True)
class Classifier:
    """One that has scored episodes.

    Attributes:
        by: as its notes name it, such as "classifier:done@1f2e3d".
        card: its calibration card; None if that is not here.
        why: there is none; "" if there is.
    """

    by: str
    card: Card | None = None
    why: str = ""

    @property
    def name(self) -> str:
        """Its bare name."""
        return classifier_name(self.by)

    @property
    def threshold(self) -> float:
        """Score from which it means a success: its card's."""
        return SUCCESS_FROM if self.card is None else self.card.threshold


Classifiers = Mapping[str, Classifier]
"""By what their notes are signed with."""


def classifiers_of(found: Iterable[Entry]) -> dict[str, Classifier]:
    """Every classifier that said something last of one of them, with its card where that is here."""
    return {by: _known(by) for by in sorted({entry.predicted_by for entry in found if entry.predicted_by})}


def _known(by: str) -> Classifier:
    try:
        return Classifier(by, card_by(by))
    except DataError as error:
        return Classifier(by, None, str(error))


def disputed(entry: Entry, known: Classifiers) -> bool:
    """Whether the judge and the classifier, by its own threshold, say opposite things."""
    return verdicts.disputed(entry, _threshold(entry, known))


def ordered(found: Sequence[Entry], order: Order, known: Classifiers) -> list[Entry]:
    """Episodes in an order; those without a score last, equal ones as recorded."""
    if order == "index":
        return list(found)
    rank: dict[str, Callable[[Entry, float], float]] = {
        "score": lambda entry, score: -score,
        "low": lambda entry, score: score,
        "doubt": lambda entry, score: abs(score - _threshold(entry, known)),
    }

    def key(entry: Entry) -> float:
        score = likely(entry)
        return math.inf if score is None else rank[order](entry, score)

    return sorted(found, key=key)


def likely(entry: Entry) -> float | None:
    """What it is sorted by: the classifier's score, also where a person knows better; else the one that counts."""
    return entry.score if entry.predicted is None else entry.predicted


def progress(found: Iterable[Entry]) -> tuple[int, int]:
    """How many of the saved episodes a person has looked at, and how many there are."""
    saved = [entry for entry in found if entry.state == "saved"]
    return sum(map(looked_at, saved)), len(saved)


def words(entry: Entry, known: Classifiers) -> str:
    """Who says what of an episode, such as "accepted; judge and classifier disagree"."""
    said = verdict(entry)
    told = [said.value] if said else []
    if disputed(entry, known):
        told.append("judge says success" if judged(entry) else "judge says failure")
    return "; ".join(told)


def _threshold(entry: Entry, known: Classifiers) -> float:
    return known[entry.predicted_by].threshold if entry.predicted_by in known else SUCCESS_FROM
