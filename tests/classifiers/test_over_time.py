"""Asked all along an episode, a classifier says at its end what it says of the episode, and when it was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.evidence import Weighing
from classifiers.fit import Fitted, Settings, last_pictures
from classifiers.labels import labelled
from classifiers.live import Live
from classifiers.look import CutOut
from classifiers.network import new_network
from classifiers.over_time import Course, courses, stops
from classifiers.pictures import frames_of
from curation.frames import Observation
from tests.classifiers.toys import SINCE, toy
from tests.curation.tiny import FPS

LOOK = {"overhead_cam": CutOut(), "wrist_cam": CutOut(0.1, 0.1, 0.5, 0.5)}


def test_the_last_word_is_the_episodes(tmp_path: Path) -> None:
    store = toy(tmp_path / "toy", 3)
    weighing = Weighing((0.0, 0.0, 0.0), (0.1, 0.1, 1.0), (1.0, 0.5, -0.4), 0.2)
    fitted = Fitted(new_network(sorted(LOOK), 3), LOOK, weighing, Settings(), (), (0, 0), 0.0)
    episodes = labelled([store])
    found = courses(fitted, [store], episodes)
    ends = fitted.judge(last_pictures([store], episodes, LOOK))
    assert np.allclose([course.end for course in found], ends, atol=1e-5)
    assert len(set(np.round(found[0].probability, 4))) > 3
    assert found[0].frames.tolist() == list(range(3, 45, 4))


def test_asked_afterwards_it_is_done_when_it_would_have_been_live(tmp_path: Path) -> None:
    """The rule of the card is the referee's: the same looks, the same words, the same end."""
    store = toy(tmp_path / "toy", 1)
    weighing = Weighing((0.0, 0.0, 0.0), (0.1, 0.1, 1.0), (1.0, 0.5, -0.4), 0.2)
    fitted = Fitted(new_network(sorted(LOOK), 3), LOOK, weighing, Settings(), (), (0, 0), 0.0)
    (one,) = labelled([store])
    (course,) = courses(fitted, [store], [one])
    shown = {camera: frames_of(one.episode, camera, range(one.episode.length)) for camera in LOOK}
    threshold = float(course.probability[2:].min()) - 1e-4
    live, said, done = Live(fitted.judge, LOOK, threshold, FPS), [], None
    for frame in range(one.episode.length):
        images = {camera: pictures[frame][1] for camera, pictures in shown.items()}
        live.see(Observation(np.zeros(6), frame / FPS, lambda images=images: images))
        said.append(live.latest)
        done = frame if live.done and done is None else done
    assert np.allclose([said[frame] for frame in course.frames], course.probability, atol=1e-5)
    assert done is not None
    assert course.done(threshold, FPS) == done
    assert live.probability() == pytest.approx(course.end, abs=1e-5)


def test_stops_are_counted_as_what_they_would_do(tmp_path: Path) -> None:
    """The block lies still from frame 25 on; after a second of being sure, 32 frames in steps of 4, it is done."""
    episodes = labelled([toy(tmp_path / "toy", 8, length=SINCE + 60)])
    at = np.arange(0, SINCE + 60, 4)

    def sure_from(frame: int, until: int = 999) -> Course:
        return Course(at, ((at >= frame) & (at < until)).astype(float), 0.0)

    # Successes are 0, 2, 4, 6: in time, in time, too early, never. Failures: never, not for long enough, at its end.
    courses = [sure_from(28), sure_from(99), sure_from(48), sure_from(20, until=44), sure_from(-9, until=24)]
    courses += [sure_from(99), sure_from(36, until=60), sure_from(52)]
    found = stops(episodes, courses, 0.5, [FPS])
    assert found.delays_s == ((28 + 32 - SINCE) / FPS, (48 + 32 - SINCE) / FPS)
    assert [(rate.k, rate.n) for rate in (found.seen, found.early, found.wrong)] == [(2, 4), (0, 4), (1, 4)]
    short = labelled([toy(tmp_path / "short", 2, length=SINCE + 40)])
    assert stops(short, [sure_from(28)] * 2, 0.5, [FPS]).seen.n == 0
