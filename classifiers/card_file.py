"""The calibration card beside its classifier: card.json for us, card.md and card.png for people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from classifiers.card import Card
from classifiers.card_json import card_json, card_of, damaged
from classifiers.card_picture import draw_card
from classifiers.card_text import card_page
from classifiers.checkpoint import FILE, Classifier, digest_of
from curation.atomic import write_aside
from curation.errors import DataError
from curation.layout import json_bytes

CARD, PAGE, PICTURE = "card.json", "card.md", "card.png"


def write_card(folder: Path, card: Card) -> Card:
    """Write all three; the card that is replaced hands on which thresholds were looked at.

    Returns:
        The card as it was written.

    Raises:
        CannotWrite: the disk refused.
    """
    if (folder / CARD).exists():
        card = replace(card, earlier=_looked_at(folder))
    draw_card(card, folder / PICTURE)
    write_aside(folder / PAGE, card_page(card, PICTURE).encode())
    # Last, because with it the classifier may judge.
    write_aside(folder / CARD, json_bytes(card_json(card)))
    return card


def _looked_at(folder: Path) -> dict[float, frozenset[str]] | None:
    try:
        return read_card(folder).looked_at
    except DataError:
        return None


def read_card(folder: Path) -> Card:
    """The card in a classifier's folder.

    Raises:
        DataError: there is none, or a damaged one.
    """
    try:
        told = json.loads((folder / CARD).read_bytes())
    except FileNotFoundError as error:
        raise DataError(_none(folder)) from error
    except OSError as error:
        raise DataError(
            f"The calibration card {folder / CARD} cannot be read: {error.strerror}. Mend that, or make it anew: "
            f"studio card {folder.name} --on DATASET."
        ) from error
    except ValueError as error:
        raise DataError(damaged(folder.name, "it is no JSON")) from error
    return card_of(told, folder.name)


def _none(folder: Path) -> str:
    if not (folder / FILE).is_file():
        return (
            f"{folder} is no classifier: it has no {FILE} and no calibration card. Train one: studio classifier "
            "DATASET --to NAME."
        )
    return (
        f"{folder} has no calibration card, and nothing is judged without one. Make it: studio card {folder.name} --on "
        "DATASET."
    )


def card_of_its_own(classifier: Classifier) -> Card:
    """The card of exactly this classifier, whatever its folder was called when the card was made.

    Raises:
        DataError: there is none, or it is of another one.
    """
    card = read_card(classifier.root)
    if digest_of(card.classifier) != classifier.digest:
        raise DataError(
            f"The card of {classifier.name} is of {card.classifier}, not of {classifier.by}. Make it: studio card "
            f"{classifier.name} --on DATASET."
        )
    return card
