"""Numbers on a card are what they are called."""

import numpy as np
import pytest

from classifiers.metrics import at_threshold, calibration, threshold_at_recall
from curation.auroc import auroc, measured_auroc


def test_auroc_counts_pairs_and_halves_ties() -> None:
    rng = np.random.default_rng(0)
    scores, truth = rng.integers(0, 6, 60) / 5, rng.random(60) < 0.4
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[truth] for b in scores[~truth]]
    assert auroc(scores, truth) == pytest.approx(np.mean(pairs))
    assert np.isnan(auroc(scores, np.ones(60, bool)))


def test_the_interval_of_the_auroc_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    # Two unit normals 1.2 apart: AUROC = Phi(1.2 / sqrt 2).
    true, held = 0.80193, 0
    for seed in range(60):
        truth = np.arange(80) < 40
        found = measured_auroc(rng.normal(1.2 * truth, 1.0), truth, seed)
        held += found.low <= true <= found.high
    assert 52 <= held <= 60


def test_precision_follows_from_recall_false_positives_and_base_rate() -> None:
    truth = np.arange(100) < 50
    scores = np.where(truth, 0.9, 0.1)
    scores[[0, 1, 2, 3, 4]] = 0.2  # five successes missed
    scores[[50, 51]] = 0.8  # two failures kept
    rates = at_threshold(scores, truth, 0.5)
    assert (rates.recall.k, rates.false_positives.k, rates.precision.k, rates.precision.n) == (45, 2, 45, 47)
    value, low, high = rates.precision_at(0.5)
    assert value == pytest.approx(45 / 47)
    rare, rare_low, _ = rates.precision_at(0.05)
    assert rare == pytest.approx(0.05 * 0.9 / (0.05 * 0.9 + 0.95 * 0.04))
    assert low < value < high
    assert rare_low < rare < value


def test_nothing_false_kept_is_not_taken_for_never() -> None:
    truth = np.arange(40) < 20
    low = at_threshold(truth.astype(float), truth, 0.5).precision_at(0.1)[1]
    assert 0.2 < low < 0.5  # up to 16 % of failures may still be kept, 95 % bound


def test_the_threshold_for_a_recall_keeps_that_many() -> None:
    truth = np.arange(30) < 20
    scores = np.concatenate([np.linspace(0.5, 1, 20), np.linspace(0, 0.6, 10)])
    assert (scores[truth] >= threshold_at_recall(scores, truth, 0.9)).sum() == 18


def test_calibrated_probabilities_lie_on_the_curve() -> None:
    rng = np.random.default_rng(3)
    said = rng.random(4000)
    curve = calibration(said, rng.random(4000) < said)
    assert len(curve) == 10
    assert all(abs(one.said - one.true.k / one.true.n) < 0.08 for one in curve)
