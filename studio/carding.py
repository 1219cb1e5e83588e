"""Making a calibration card: the held-out episodes, and the controls that need pictures never recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifiers.card import Card, card_of, test
from classifiers.card_picture import draw_card
from classifiers.card_text import card_page
from classifiers.checkpoint import Classifier, load
from classifiers.controls import joints_only, length_only, shuffled_labels
from classifiers.fit import last_pictures
from classifiers.labels import Labelled
from classifiers.metrics import Measured, measured_auroc
from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from curation.layout import json_bytes
from curation.rates import Rate, wilson
from curation.store import Store
from recorders.counterfactual import CHANGES, LOOKS
from studio.classifier_pictures import bare, changed, otherwise, with_physics

CARD = "card.json"
PAIRS = 100
"""Successes that are drawn again with the block elsewhere, at most."""

Said = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Ask:
    """What a card measures.

    Attributes:
        threshold: probability from which an episode is kept.
        controls: also what should not be enough to tell.
        seed: of bootstrap, counterfactuals and shuffling.
    """

    threshold: float = 0.5
    controls: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise UsageError(f"--threshold {self.threshold:g} is not between 0 and 1.")


def carded(
    classifier: Classifier,
    stores: Sequence[Store],
    held: Sequence[Labelled],
    learn: Sequence[Labelled],
    ask: Ask,
    said: Said = lambda what, done, total: None,
) -> Card:
    """Measure a classifier.

    Args:
        classifier: it.
        stores: the datasets of both kinds of episodes.
        held: candidates for the test; those it learned from do not count.
        learn: what controls learn from; without any, only those controls are made that learn nothing.
        ask: what to measure.
        said: told (what, done, total).

    Raises:
        DataError: it learned from all of `held`, or its cameras are missing.
    """
    tested, seen = test(classifier, stores, held)
    fresh = [one for one in held if one.episode.row.episode_id not in set(seen)]
    pairs, looks, painted = _drawn_again(classifier, stores, fresh, ask)
    teaches = ask.controls and bool(learn)
    parts = 2 if teaches else 1
    said("pictures again", 1, parts)
    controls: dict[str, Measured] = dict(painted)
    if teaches:
        controls["length only"] = length_only(learn, fresh, ask.seed)
        controls["joints only"] = joints_only(stores, learn, fresh, ask.seed)
        fitted = classifier.fitted
        controls["shuffled labels"] = shuffled_labels(stores, learn, fresh, fitted.look, fitted.settings, said)
        said("controls", parts, parts)
    return Card(classifier.by, ask.threshold, tested, controls, pairs, looks, classifier.learned, ask.seed)


def _drawn_again(
    classifier: Classifier, stores: Sequence[Store], held: Sequence[Labelled], ask: Ask
) -> tuple[dict[str, Rate], dict[str, Measured], dict[str, Measured]]:
    """Counterfactual pairs, other looks, and block and bowl painted out; nothing where no physics is at hand."""
    known = with_physics(stores, held)
    if not known:
        return {}, {}, {}
    look, judge = classifier.fitted.look, classifier.fitted.judge
    good = [one for one in known if one.success][:PAIRS]
    pairs = {}
    if good:
        was = judge(last_pictures(stores, good, look)) >= ask.threshold
        for change in CHANGES:
            now = judge(changed(stores, good, look, change, ask.seed)) >= ask.threshold
            pairs[change] = wilson(int((was & ~now).sum()), len(good))
    truth = np.array([one.success for one in known], bool)
    painted = {"block and bowl painted out": measured_auroc(judge(bare(stores, known, look)), truth, ask.seed)}
    looks = {name: measured_auroc(judge(otherwise(stores, known, look, name)), truth, ask.seed) for name in LOOKS}
    return pairs, looks, painted


def write_card(folder: Path, card: Card) -> None:
    """Write card.json, card.md and card.png."""
    write_aside(folder / CARD, json_bytes(card.as_json()))
    write_aside(folder / "card.md", card_page(card).encode())
    draw_card(card, folder / "card.png")


def carded_classifier(folder: Path) -> tuple[Classifier, Card]:
    """A classifier that may judge: it has a calibration card of its own.

    Raises:
        UsageError: there is none.
        DataError: it has no card, or another's.
    """
    made, card = load(folder), read_card(folder)
    if card.classifier != made.by:
        raise DataError(f"The card of {folder.name} is of {card.classifier}, not of {made.by}. Make it: studio card.")
    return made, card


def read_card(folder: Path) -> Card:
    """A classifier's card.

    Raises:
        DataError: it has none, or a damaged one.
    """
    try:
        told = json.loads((folder / CARD).read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder} has no calibration card ({error}), and nothing is judged without one: studio card {folder.name}."
        ) from error
    return card_of(told)
