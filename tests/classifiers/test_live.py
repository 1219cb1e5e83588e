"""A classifier that watches: it looks now and then, wants a success to last, and judges the last pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.live import Live
from classifiers.look import CutOut
from classifiers.pictures import Pictures
from curation.frames import Image, Observation

FPS = 30
STRIDE = 4
DONE = 8 * STRIDE
"""Frames between the first and the last look that must be sure, a second at least."""


def brightness(pictures: Sequence[Pictures]) -> NDArray[np.float64]:
    """A judge for whom white is a success."""
    return np.array([some.mean() / 255 for some in pictures])


class Film:
    """Frames of one grey each, and which of them were drawn."""

    def __init__(self, greys: Sequence[int]) -> None:
        self.greys = greys
        self.drawn: list[int] = []

    def frame(self, index: int) -> Observation:
        def render() -> dict[str, Image]:
            self.drawn.append(index)
            return {
                "overhead_cam": np.full((48, 64, 3), self.greys[index], np.uint8),
                "other": np.zeros((2, 2, 3), np.uint8),
            }

        return Observation(np.zeros(6), index / FPS, render)


def watched(greys: Sequence[int]) -> tuple[Live, Film, int | None]:
    """A film to its end, or until it is done: the frame after which it was, if ever."""
    live, film = Live(brightness, {"overhead_cam": CutOut()}, 0.5, FPS), Film(greys)
    for index in range(len(greys)):
        live.see(film.frame(index))
        if live.done:
            return live, film, index
    return live, film, None


def test_a_success_must_last() -> None:
    # The second of four white pictures makes it sure.
    assert watched([0] * 60 + [255] * 300)[2] == 60 + 2 * STRIDE + DONE - 1
    blink = ([0] * 60 + [255] * (DONE - 2 * STRIDE)) * 3
    assert watched(blink)[2] is None
    assert watched([120] * 300)[2] is None


def test_it_draws_each_picture_once() -> None:
    _, film, _ = watched([0] * 62)
    assert film.drawn == list(range(STRIDE - 1, 62, STRIDE))


def test_the_last_word_is_about_the_last_pictures_seen() -> None:
    live, film, _ = watched([0] * 17 + [255] * 5)
    film.drawn.clear()
    assert live.probability() == 0.5
    assert film.drawn == [len(film.greys) - 1 - back for back in (12, 8, 4, 0)]


def test_an_episode_knows_nothing_of_the_one_before() -> None:
    live, film, at = watched([255] * 100)
    assert at is not None
    live.begin()
    assert not live.done
    assert live.probability() == 0.0
    live.see(film.frame(0))
    assert live.probability() == 1.0
