"""Where a policy is worst or least known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from curation.doubt import doubtful, heard, upper
from curation.errors import UsageError
from curation.trials import Trials
from tests.curation.placed import TABLE

NONE = np.zeros((0, 2))


def trials(*rows: tuple[float, float, bool]) -> Trials:
    return Trials(np.array([row[:2] for row in rows]), np.array([row[2] for row in rows]))


@pytest.mark.parametrize(("failed", "succeeded"), [(0, 0), (9, 0), (0, 9), (0, 99), (4, 4), (99, 0), (30, 12)])
def test_the_bound_is_the_quantile_of_a_beta_distribution(failed: int, succeeded: int) -> None:
    """Beta(1 + f, 1 + s) is below x with the chance that f + s + 1 throws of chance x win more than f times."""
    x = float(upper(np.array([failed], float), np.array([succeeded], float))[0])
    throws = failed + succeeded + 1
    below = sum(math.comb(throws, k) * x**k * (1 - x) ** (throws - k) for k in range(failed + 1, throws + 1))
    assert below == pytest.approx(0.95, abs=6e-3)


def test_the_bound_falls_with_successes_and_rises_with_failures() -> None:
    counts = np.linspace(0, 30, 61)
    assert (np.diff(upper(counts, np.full(61, 3.0))) > 0).all()
    assert (np.diff(upper(np.full(61, 3.0), counts)) < 0).all()


def test_trials_are_heard_the_less_the_farther_they_are() -> None:
    rows = trials((0.3, 0.0, True), (0.33, 0.0, False), (0.5, 0.0, False))
    tried, failed = heard(np.array([[0.3, 0.0], [0.4, 0.2]]), rows, 0.06)
    assert tried == pytest.approx([1.0 + 0.5, 0.0])
    assert failed == pytest.approx([0.5, 0.0])


def test_failures_come_first_then_the_untried_then_nothing_that_works() -> None:
    rows = [(0.25, 0.15, False)] * 6 + [(0.35, -0.1, True)] * 30
    lattice = np.array([[0.25, 0.15], [0.35, -0.1], [0.2, -0.05], [0.36, 0.12]])
    found = doubtful(lattice, trials(*rows), NONE, 9, apart=0.05)
    assert (found[0].x, found[0].y) == (0.25, 0.15)
    assert {(doubt.x, doubt.y) for doubt in found[1:3]} == {(0.2, -0.05), (0.36, 0.12)}
    assert (found[3].x, found[3].y) == (0.35, -0.1)
    assert found[3].failure < 0.1 < 0.94 < found[1].failure < found[0].failure
    assert "nothing was tried" in found[1].words
    assert "6.0 of 6.0 trials" in found[0].words
    # Of two untried places the one farther from everything comes first, data included.
    beside = np.array([[0.2, -0.04]])
    assert (doubtful(lattice, trials(*rows), beside, 2, apart=0.05)[1].x) == 0.36


def test_proposals_keep_their_distance_and_lie_where_blocks_can_be_recorded() -> None:
    rng = np.random.default_rng(0)
    points = TABLE.lattice[rng.choice(len(TABLE.lattice), 60)]
    evaluation = Trials(points, rng.random(60) < 0.4)
    found = np.array([(doubt.x, doubt.y) for doubt in doubtful(TABLE.lattice, evaluation, NONE, 12, 0.06)])
    assert len(found) == 12
    assert TABLE.allowed(found).all()
    assert min(math.dist(a, b) for i, a in enumerate(found) for b in found[:i]) >= 0.06 - 1e-9
    assert len(doubtful(TABLE.lattice, evaluation, NONE, 1000, 0.15)) < 30


def test_what_is_senseless() -> None:
    for n, apart in ((0, 0.07), (3, 0.0)):
        with pytest.raises(UsageError):
            doubtful(TABLE.lattice, trials((0.3, 0.0, True)), NONE, n, apart)
