"""Nothing is filtered without a card: whose scores a query relies on, and how far they can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from curation.errors import DataError
from curation.library import Entry
from curation.notes import by_classifier
from curation.query import asks_score
from studio.paths import run_path, runs_home

if TYPE_CHECKING:
    from classifiers.card import Card


def relied_on(where: str, found: Iterable[Entry]) -> list[str]:
    """What is known of the classifiers whose scores a query asks for, a line for each.

    Args:
        where: the query that filters.
        found: what it is asked about.

    Raises:
        DataError: the card of one of them is not here.
    """
    if not asks_score(where):
        return []
    count = Counter(entry.scored_by for entry in found if by_classifier(entry.scored_by))
    return [_told(by, number) for by, number in sorted(count.items())]


def card_by(by: str) -> Card:
    """The card of exactly the classifier that a note names.

    Args:
        by: who scored, such as "classifier:done@1f2e3d".

    Raises:
        DataError: it is not here.
    """
    from classifiers.card_file import read_card
    from classifiers.checkpoint import digest_of

    name, _, digest = by.partition("@")
    try:
        card = read_card(run_path(name))
    except DataError as error:
        raise DataError("its calibration card cannot be read") from error
    if digest_of(card.classifier) != digest:
        raise DataError(f"the card there is of {card.classifier}")
    return card


def _told(by: str, number: int) -> str:
    from classifiers.card_text import chosen

    try:
        card = card_by(by)
    except DataError as error:
        raise DataError(_unknown(by, number, str(error))) from error
    rates, seen = card.rates, "" if card.earlier is not None and not card.others else f" ({chosen(card)})"
    return (
        f"{number} scores are by {by}: from {card.threshold:g} on{seen}, on unseen episodes, "
        f"{rates.recall.of('successes kept')}; {rates.false_positives.of('failures kept')}"
    )


def _unknown(by: str, number: int, why: str) -> str:
    return (
        f"{number} of the asked scores are by {by}, and {why} in {runs_home()}. Without it nobody knows what its "
        "scores are worth, so nothing is filtered by them: put the classifier's folder there, or make its card: studio "
        "card."
    )
