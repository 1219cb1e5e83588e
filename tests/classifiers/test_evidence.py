"""Several pictures say together what one cannot."""

import numpy as np

from classifiers.evidence import evidence, fit_weighing, last_frames


def test_last_frames_end_an_episode_and_span_less_than_the_judges_half_second() -> None:
    assert last_frames(100, 30) == [87, 91, 95, 99]
    assert last_frames(3, 30)[-1] == 2
    assert last_frames(1, 30) == [0]


def test_a_block_in_motion_differs_from_one_at_rest() -> None:
    still = np.full((4, 2, 8, 8, 3), 90, np.uint8)
    moving = still.copy()
    moving[2:] += 40
    odds = np.array([2.0, 2.0, 2.0, 2.0])
    assert evidence(odds, moving)[2] > evidence(odds, still)[2] + 1
    assert evidence(np.array([3.0, 3, 3, -5]), still)[1] == -5


def test_the_verdict_is_calibrated_and_never_certain_where_a_line_separates() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, 2000)
    truth = rng.random(2000) < 1 / (1 + np.exp(-odds))
    found = np.column_stack([odds, odds + rng.normal(0, 0.1, 2000), rng.normal(0, 1, 2000)])
    said = fit_weighing(found, truth).probability(found)
    for low in (0.1, 0.4, 0.7):
        chosen = (said >= low) & (said < low + 0.2)
        assert abs(said[chosen].mean() - truth[chosen].mean()) < 0.1
    split = np.column_stack([np.repeat([-1.0, 1.0], 10)] * 3)
    verdict = fit_weighing(split, np.arange(20) >= 10)
    assert 0.5 < verdict.probability(split[-1:])[0] < 0.999
