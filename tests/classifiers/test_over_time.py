"""Asked all along an episode, a classifier says at its end what it says of the episode, and when it was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from classifiers.evidence import Weighing
from classifiers.fit import Fitted, Settings, last_pictures
from classifiers.labels import labelled
from classifiers.look import CutOut
from classifiers.network import new_network
from classifiers.over_time import Course, courses, stops
from tests.classifiers.toys import SINCE, toy

LOOK = {"overhead_cam": CutOut(), "wrist_cam": CutOut(0.1, 0.1, 0.5, 0.5)}


def test_the_last_word_is_the_episodes(tmp_path: Path) -> None:
    store = toy(tmp_path / "toy", 3)
    weighing = Weighing((0.0, 0.0, 0.0), (0.1, 0.1, 1.0), (1.0, 0.5, -0.4), 0.2)
    fitted = Fitted(new_network(sorted(LOOK), 3), LOOK, weighing, Settings(), (), (0, 0), 0.0)
    episodes = labelled([store])
    found = courses(fitted, [store], episodes)
    ends = fitted.judge(last_pictures([store], episodes, LOOK))
    assert np.allclose([course.probability[-1] for course in found], ends, atol=1e-5)
    assert len(set(np.round(found[0].probability, 4))) > 3
    assert found[0].frames.tolist() == list(range(0, 45, 4))


def test_stops_are_counted_as_what_they_would_do(tmp_path: Path) -> None:
    episodes = labelled([toy(tmp_path / "toy", 8)])
    at = np.arange(0, 45, 4)

    def sure_from(frame: int) -> Course:
        return Course(at, (at >= frame).astype(float))

    # Successes are 0, 2, 4, 6: in time, in time, too early, never. Failures: never, never, never, at its end.
    firsts = [28, 99, 36, 99, 12, 99, 99, 44]
    found = stops(episodes, [sure_from(first) for first in firsts], 0.5, [30])
    assert (found.seen.k, found.early.k, found.wrong.k) == (2, 1, 1)
    assert (found.seen.n, found.early.n, found.wrong.n) == (4, 4, 4)
    assert found.delays_s == ((28 - SINCE) / 30, (36 - SINCE) / 30)
