"""The calibration card: how far a classifier may be trusted, measured on unseen episodes. No card, no filter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from classifiers.checkpoint import Classifier
from classifiers.familiar import known_of, repeated
from classifiers.fit import last_pictures
from classifiers.holdout import Novelty, novelty
from classifiers.labels import Labelled
from classifiers.metrics import (
    AtThreshold,
    Bin,
    at_threshold,
    brier,
    calibration,
    threshold_at_recall,
)
from classifiers.over_time import Stops
from curation.auroc import Measured, Scores, Truth, measured_auroc
from curation.errors import DataError
from curation.rates import Rate, wilson
from curation.store import Store

BASE_RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
RECALL = 0.9
"""Recall at which the precision is quoted."""
AREA_M = 0.08
"""Side of the squares of the table that are told apart [m]."""


@dataclass(frozen=True)
class HeldOut:
    """One held-out episode.

    Attributes:
        dataset: its dataset's name.
        episode_id: its id.
        x, y: placement [m], NaN if unknown.
        operator: who drove.
        outcome: the judge's word, or "success" / "failure" of a person.
        success: the truth.
        probability: what the classifier says.
        new: in what it is new.
    """

    dataset: str
    episode_id: str
    x: float
    y: float
    operator: str
    outcome: str
    success: bool
    probability: float
    new: Novelty


@dataclass(frozen=True)
class Part:
    """Some of the held-out episodes: those of one kind of newness, or of one area of the table.

    Attributes:
        auroc: among them.
        recall: successes kept, of all successes.
        false_positives: failures kept, of all failures.
    """

    auroc: Measured
    recall: Rate
    false_positives: Rate

    @property
    def episodes(self) -> int:
        return self.recall.n + self.false_positives.n


@dataclass(frozen=True)
class Card:
    """What was measured.

    Attributes:
        classifier: who, such as "classifier:done@1f2e3d".
        threshold: of the probability, from which an episode is kept; `others` tells whether it may have been chosen by
            these episodes.
        tested: every held-out episode.
        passed_over: episodes that do not count, because they or copies of them were learned from, or counted already.
        controls: AUROC of what should not be enough to tell: {"length only": 0.61, ...}.
        pairs: counterfactual pairs told apart, by kind: {"moved out of the bowl": 29 of 30}.
        looks: AUROC in other looks and cameras: {"dark ground": ...}.
        stops: what a recorder that stops at "done" would do; None where no judge knows every instant.
        learned: what it learned from.
        seed: of the bootstrap.
        earlier: thresholds looked at on the cards before this one, in that order, each with the ids of its episodes;
            None where nobody knows.
    """

    classifier: str
    threshold: float
    tested: tuple[HeldOut, ...]
    passed_over: int = 0
    controls: Mapping[str, Measured] = field(default_factory=dict)
    pairs: Mapping[str, Rate] = field(default_factory=dict)
    looks: Mapping[str, Measured] = field(default_factory=dict)
    stops: Stops | None = None
    learned: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    earlier: Mapping[float, frozenset[str]] | None = field(default_factory=dict)

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

    @property
    def others(self) -> list[float]:
        """Other thresholds that were looked at before on some of these episodes, as far as anybody knows."""
        here = self._ids
        return [at for at, ids in (self.earlier or {}).items() if at != self.threshold and ids & here]

    @property
    def looked_at(self) -> dict[float, frozenset[str]] | None:
        """What the card after this one has as `earlier`."""
        if self.earlier is None:
            return None
        return {**self.earlier, self.threshold: self.earlier.get(self.threshold, frozenset()) | self._ids}

    @property
    def _ids(self) -> frozenset[str]:
        return frozenset(one.episode_id for one in self.tested)

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

    def where_new(self) -> dict[str, Part]:
        """Among the episodes of new positions, sessions and policies."""
        return {
            "new positions": self._part([one for one in self.tested if one.new.position]),
            "new sessions": self._part([one for one in self.tested if one.new.session]),
            "new policies": self._part([one for one in self.tested if one.new.policy]),
        }

    def by_policy(self) -> dict[str, Part]:
        """Among the episodes of everyone who drove."""
        words = sorted({one.operator for one in self.tested})
        return {word or "unknown": self._part([one for one in self.tested if one.operator == word]) for word in words}

    def by_area(self) -> dict[tuple[float, float], Part]:
        """Among the episodes that began in one area of the table, by the area's middle [m]; unknown places left out."""
        areas: dict[tuple[float, float], list[HeldOut]] = {}
        for one in self.tested:
            if math.isfinite(one.x + one.y):
                middle = tuple(round((math.floor(at / AREA_M) + 0.5) * AREA_M, 3) for at in (one.x, one.y))
                areas.setdefault((middle[0], middle[1]), []).append(one)
        return {middle: self._part(areas[middle]) for middle in sorted(areas)}

    def _kept(self, some: Sequence[HeldOut]) -> Rate:
        return wilson(sum(one.probability >= self.threshold for one in some), len(some))

    def _part(self, some: Sequence[HeldOut]) -> Part:
        scores = np.array([one.probability for one in some], np.float64)
        truth = np.array([one.success for one in some], bool)
        return Part(
            measured_auroc(scores, truth, self.seed),
            self._kept([one for one in some if one.success]),
            self._kept([one for one in some if not one.success]),
        )


def unseen(classifier: Classifier, stores: Sequence[Store], episodes: Sequence[Labelled]) -> list[Labelled]:
    """Episodes a classifier has not learned from, under whatever name, each once.

    Raises:
        DataError: it learned from all of them, or what it learned from cannot be told any more.
    """
    again = repeated(classifier.known(), known_of(stores, episodes))
    fresh = [one for one, seen in zip(episodes, again, strict=True) if not seen]
    if not fresh:
        raise DataError("The classifier learned from all these episodes; they say nothing about others. Record more.")
    return fresh


def answers(classifier: Classifier, stores: Sequence[Store], episodes: Sequence[Labelled]) -> tuple[HeldOut, ...]:
    """Ask a classifier about episodes whose truth is known, all of them `unseen`."""
    probabilities = classifier.fitted.judge(last_pictures(stores, episodes, classifier.fitted.look))
    return tuple(
        HeldOut(
            stores[one.dataset].root.name,
            one.episode.row.episode_id,
            round(one.episode.row.x, 4),
            round(one.episode.row.y, 4),
            one.episode.row.operator,
            one.episode.row.outcome if one.by == "judge" else ("success" if one.success else "failure"),
            one.success,
            # As the file holds it, so that the card read back falls on the same side of the threshold.
            round(float(probability), 5),
            novelty(one, classifier.learned),
        )
        for one, probability in zip(episodes, probabilities, strict=True)
    )
