"""What should not be enough to tell a success: if it is, the classifier may have learned that instead.

An AUROC of a control near 1 does not say that the classifier uses it, only that this data cannot show it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.evidence import fit_weighing, last_frames
from classifiers.fit import Settings, fit, last_pictures
from classifiers.labels import Labelled
from classifiers.look import CutOut
from curation.auroc import Measured, measured_auroc
from curation.names import STATE
from curation.rows import Rows
from curation.store import Store


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
    said: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Measured:
    """The same training on labels dealt out at random: what is left above 0.5 is a leak or luck."""
    fitted = fit(stores, learn, look, settings, said, shuffled=True)
    scores = fitted.judge(last_pictures(stores, held, look))
    return measured_auroc(scores, np.array([one.success for one in held], bool), settings.seed)


def _by_features(
    learned: NDArray[np.float64],
    learn: Sequence[Labelled],
    tested: NDArray[np.float64],
    held: Sequence[Labelled],
    seed: int,
) -> Measured:
    weighing = fit_weighing(learned, np.array([one.success for one in learn], bool))
    return measured_auroc(weighing.probability(tested), np.array([one.success for one in held], bool), seed)
