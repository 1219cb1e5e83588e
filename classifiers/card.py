"""The calibration card: how far a classifier may be trusted, measured on unseen episodes. No card, no filter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from classifiers.checkpoint import Classifier, session_of
from classifiers.fit import last_pictures
from classifiers.holdout import Novelty, novelty
from classifiers.labels import Labelled
from classifiers.metrics import (
    AtThreshold,
    Bin,
    Measured,
    Scores,
    Truth,
    at_threshold,
    auroc,
    brier,
    calibration,
    measured_auroc,
    threshold_at_recall,
)
from curation.errors import DataError
from curation.rates import Rate, wilson
from curation.store import Store

BASE_RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
RECALL = 0.9
"""Recall at which the precision is quoted."""


@dataclass(frozen=True)
class Tested:
    """One held-out episode.

    Attributes:
        dataset: its dataset's name.
        episode_id: its id.
        x, y: placement [m], NaN if unknown.
        outcome: the judge's word, or "success" / "failure" of a person.
        success: the truth.
        probability: what the classifier says.
        new: in what it is new.
    """

    dataset: str
    episode_id: str
    x: float
    y: float
    outcome: str
    success: bool
    probability: float
    new: Novelty


@dataclass(frozen=True)
class Card:
    """What was measured.

    Attributes:
        classifier: who, such as "classifier:done@1f2e3d".
        threshold: of the probability, from which an episode is kept.
        tested: every held-out episode.
        controls: AUROC of what should not be enough to tell: {"length only": 0.61, ...}.
        pairs: counterfactual pairs told apart, by kind: {"moved out of the bowl": 29 of 30}.
        looks: AUROC in other looks and cameras: {"ground dark": ...}.
        learned: what it learned from.
        seed: of the bootstrap.
    """

    classifier: str
    threshold: float
    tested: tuple[Tested, ...]
    controls: Mapping[str, Measured] = field(default_factory=dict)
    pairs: Mapping[str, Rate] = field(default_factory=dict)
    looks: Mapping[str, Measured] = field(default_factory=dict)
    learned: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    @property
    def scores(self) -> Scores:
        return np.array([one.probability for one in self.tested])

    @property
    def truth(self) -> Truth:
        return np.array([one.success for one in self.tested], bool)

    @cached_property  # a bootstrap
    def auroc(self) -> Measured:
        return measured_auroc(self.scores, self.truth, self.seed)

    @property
    def rates(self) -> AtThreshold:
        return at_threshold(self.scores, self.truth, self.threshold)

    @property
    def curve(self) -> list[Bin]:
        return calibration(self.scores, self.truth)

    @property
    def brier(self) -> float:
        return brier(self.scores, self.truth)

    def precision_at_recall(self, base: float = 0.5) -> tuple[float, float, float]:
        """Precision at a recall of `RECALL`, if a share `base` succeeded: (value, low, high)."""
        threshold = threshold_at_recall(self.scores, self.truth, RECALL)
        if math.isnan(threshold):
            return threshold, threshold, threshold
        return at_threshold(self.scores, self.truth, threshold).precision_at(base)

    def by_outcome(self) -> dict[str, Rate]:
        """Of each outcome, how many are kept."""
        words = sorted({one.outcome for one in self.tested})
        return {word: self._kept([one for one in self.tested if one.outcome == word]) for word in words}

    def where_new(self) -> dict[str, tuple[int, float]]:
        """Episodes and AUROC among those of new positions, sessions and policies."""
        tests = {
            "new positions": [bool(one.new.position) for one in self.tested],
            "new sessions": [one.new.session for one in self.tested],
            "new policies": [one.new.policy for one in self.tested],
        }
        return {
            what: (sum(chosen), auroc(self.scores[np.array(chosen, bool)], self.truth[np.array(chosen, bool)]))
            for what, chosen in tests.items()
        }

    def _kept(self, some: Sequence[Tested]) -> Rate:
        return wilson(sum(one.probability >= self.threshold for one in some), len(some))

    def as_json(self) -> dict[str, Any]:
        """JSON values; `card_of` reads the card back from it."""
        rates = self.rates
        return {
            "version": 1,
            "classifier": self.classifier,
            "threshold": self.threshold,
            "seed": self.seed,
            "auroc": self.auroc.as_json(),
            "recall": _rate(rates.recall),
            "false_positives": _rate(rates.false_positives),
            "precision": _rate(rates.precision),
            "precision_at_recall_90": [_number(value) for value in self.precision_at_recall()],
            "precision_by_base_rate": {
                str(base): [_number(v) for v in rates.precision_at(base)] for base in BASE_RATES
            },
            "brier": _number(self.brier),
            "calibration": [{"said": _number(one.said), **_rate(one.true)} for one in self.curve],
            "kept_by_outcome": {word: _rate(rate) for word, rate in self.by_outcome().items()},
            "new": {what: {"n": n, "auroc": _number(value)} for what, (n, value) in self.where_new().items()},
            "controls": {what: one.as_json() for what, one in self.controls.items()},
            "pairs": {what: _rate(rate) for what, rate in self.pairs.items()},
            "looks": {what: one.as_json() for what, one in self.looks.items()},
            "learned": dict(self.learned),
            "tested": [_told(one) for one in self.tested],
        }


def card_of(told: Mapping[str, Any]) -> Card:
    """A card from what `Card.as_json` gave.

    Raises:
        DataError: it is damaged.
    """
    try:
        tested = tuple(
            Tested(name, one, _float(x), _float(y), outcome, bool(success), float(probability), Novelty(*new))
            for name, one, x, y, outcome, success, probability, *new in told["tested"]
        )

        def measured(what: str) -> dict[str, Measured]:
            return {k: Measured(_float(v["value"]), _float(v["low"]), _float(v["high"])) for k, v in told[what].items()}

        pairs = {what: wilson(int(rate["k"]), int(rate["n"])) for what, rate in told["pairs"].items()}
        return Card(
            told["classifier"],
            float(told["threshold"]),
            tested,
            measured("controls"),
            pairs,
            measured("looks"),
            told["learned"],
            int(told["seed"]),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"The calibration card cannot be read ({error!r}). Make it again: studio card.") from error


def test(
    classifier: Classifier, stores: Sequence[Store], episodes: Sequence[Labelled]
) -> tuple[tuple[Tested, ...], list[str]]:
    """Ask a classifier about episodes whose truth is known.

    Returns:
        Those it has not learned from, and the ids of those it has, which do not count.

    Raises:
        DataError: it learned from all of them.
    """
    seen = {one for dataset in classifier.learned["datasets"] for one in dataset["episodes"]}
    ids = {one.episode.row.episode_id: one for one in episodes}
    known = [key for key, one in ids.items() if key in seen or one.episode.row.extra.get("source_episode_id") in seen]
    fresh = [one for one in episodes if one.episode.row.episode_id not in set(known)]
    if not fresh:
        raise DataError("The classifier learned from all these episodes; they say nothing about others. Record more.")
    probabilities = classifier.fitted.judge(last_pictures(stores, fresh, classifier.fitted.look))
    tested = tuple(
        Tested(
            stores[one.dataset].root.name,
            one.episode.row.episode_id,
            one.episode.row.x,
            one.episode.row.y,
            one.episode.row.outcome if one.by == "judge" else ("success" if one.success else "failure"),
            one.success,
            float(probability),
            novelty(one, session_of(one), classifier.learned),
        )
        for one, probability in zip(fresh, probabilities, strict=True)
    )
    return tested, known


def _told(one: Tested) -> list[Any]:
    what = [one.dataset, one.episode_id, _number(one.x), _number(one.y), one.outcome, one.success]
    return [*what, round(one.probability, 5), one.new.position, one.new.session, one.new.policy]


def _rate(rate: Rate) -> dict[str, float]:
    return {"k": rate.k, "n": rate.n, "low": round(rate.low, 4), "high": round(rate.high, 4)}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 4)


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
