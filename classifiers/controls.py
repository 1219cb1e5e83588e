"""What should not be enough to tell a success: if it is, the classifier may have learned that instead.

An AUROC of a control near 1 does not say that the classifier uses it, only that this data cannot show it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from classifiers.evidence import fit_weighing, last_frames
from classifiers.fit import Settings, gathered, last_pictures, learned, lessons_of
from classifiers.labels import Labelled
from classifiers.look import CutOut
from curation.auroc import Measured, auroc, measured_auroc
from curation.names import STATE
from curation.rows import Rows
from curation.store import Store

SHUFFLES = 12
"""Trainings on labels dealt out at random. One says little: twelve of one dataset had a standard deviation of 0.23
(measured)."""
LEAST_STEPS = 60
"""Steps of each at least: in fewer a network hardly learns, whatever the labels are."""
SHUFFLE_STREAM = 15


def length_only(learn: Sequence[Labelled], held: Sequence[Labelled], seed: int) -> Measured:
    """How well an episode's length alone tells."""

    def features(some: Sequence[Labelled]) -> NDArray[np.float64]:
        lengths = np.array([one.episode.length for one in some], np.float64)
        return np.column_stack([lengths, np.log(lengths)])

    return _by_features(features(learn), learn, features(held), held, seed)


def joints_only(stores: Sequence[Store], learn: Sequence[Labelled], held: Sequence[Labelled], seed: int) -> Measured:
    """How well the arm's last poses alone tell, whatever the cameras show."""
    rows = [Rows(store) for store in stores]

    def features(some: Sequence[Labelled]) -> NDArray[np.float64]:
        found = []
        for one in some:
            frames = last_frames(one.episode.length, stores[one.dataset].fps)
            states = rows[one.dataset].of(one.episode)[STATE][frames].astype(np.float64)
            found.append(np.concatenate([states[-1], states[-1] ** 2, states[-1] - states[0]]))
        return np.array(found)

    return _by_features(features(learn), learn, features(held), held, seed)


def shuffled_labels(
    stores: Sequence[Store],
    learn: Sequence[Labelled],
    held: Sequence[Labelled],
    look: Mapping[str, CutOut],
    settings: Settings,
    seed: int,
    said: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Measured:
    """Trainings on labels dealt out at random: far from 0.5 on average, the procedure itself is at fault.

    It finds neither copies nor what else than success could be told by; the other controls are for that. What one
    network makes of noise may be far from 0.5, however many episodes are held out, because it says much the same of all
    that look alike. So several are trained, together in as many steps as the classifier, or a few more, and the
    interval is that of their mean (Student's), not of episodes.
    """
    truth = np.array([one.success for one in held], bool)
    if truth.all() or not truth.any():
        return Measured(math.nan, math.nan, math.nan)
    lessons = lessons_of(stores, learn, look, np.random.default_rng(settings.seed), said)
    last = last_pictures(stores, held, look)
    share, epochs = portion(settings, len(lessons.labels))
    found = []
    for number in range(SHUFFLES):
        rng = np.random.default_rng([seed, SHUFFLE_STREAM, number])
        dealt = lessons.dealt_out(rng, share)
        network, weighing, _ = learned(
            dealt, look, replace(settings, seed=int(rng.integers(2**31)), epochs=epochs), rng
        )
        found.append(auroc(weighing.probability(gathered(network, last)), truth))
        said("learning", number + 1, SHUFFLES)
    mean, error = float(np.mean(found)), float(np.std(found, ddof=1)) / math.sqrt(SHUFFLES)
    half = float(stdtrit(SHUFFLES - 1, 0.975)) * error
    return Measured(mean, max(0.0, mean - half), min(1.0, mean + half))


def portion(settings: Settings, instants: int) -> tuple[float, int]:
    """Share of the instants, and epochs, that each of `SHUFFLES` trainings has."""
    whole = math.ceil(settings.epochs / SHUFFLES)
    share = settings.epochs / (SHUFFLES * whole)
    return share, max(whole, math.ceil(LEAST_STEPS * settings.batch / (share * instants)))


def _by_features(
    known: NDArray[np.float64],
    learn: Sequence[Labelled],
    tested: NDArray[np.float64],
    held: Sequence[Labelled],
    seed: int,
) -> Measured:
    weighing = fit_weighing(known, np.array([one.success for one in learn], bool))
    return measured_auroc(weighing.probability(tested), np.array([one.success for one in held], bool), seed)
