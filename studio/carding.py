"""Making a calibration card: the held-out episodes, and the controls that need pictures never recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifiers.card import Card, answers, unseen
from classifiers.card_file import card_of_its_own
from classifiers.card_text import SHUFFLED
from classifiers.checkpoint import Classifier, load
from classifiers.controls import joints_only, length_only, shuffled_labels
from classifiers.labels import Labelled
from classifiers.look import require_cameras
from classifiers.over_time import Stops, courses, stops
from classifiers.pictures import Pictures
from curation.auroc import Measured, measured_auroc
from curation.errors import UsageError
from curation.names import STATE
from curation.rates import Rate, wilson
from curation.store import Store
from recorders.counterfactual import CHANGES, LOOKS
from studio.classifier_pictures import bare, changed, differs, otherwise, redrawn, with_physics

PAIRS = 100
"""Successes that are drawn again with the block elsewhere, at most."""
LOOKED_AT = 150
"""Episodes that are drawn again in another look, at most."""
SOME_STREAM = 14

Said = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Ask:
    """What a card measures.

    Attributes:
        threshold: probability from which an episode is kept.
        controls: also what should not be enough to tell.
        seed: of bootstrap, counterfactuals and shuffling.
    """

    threshold: float = 0.5
    controls: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold < 1.0:
            raise UsageError(f"--threshold {self.threshold:g} is not between 0 and 1.")


def carded(
    classifier: Classifier,
    stores: Sequence[Store],
    held: Sequence[Labelled],
    learn: Sequence[Labelled],
    ask: Ask,
    said: Said = lambda what, done, total: None,
) -> Card:
    """Measure a classifier.

    Args:
        classifier: it.
        stores: the datasets of both kinds of episodes.
        held: candidates for the test; those it learned from do not count.
        learn: what controls learn from; without any, only those controls are made that learn nothing.
        ask: what to measure.
        said: told (what, done, total).

    Raises:
        DataError: it learned from all of `held`, or its cameras are missing.
    """
    require_cameras(classifier.fitted.look, stores, classifier.name)
    fresh = unseen(classifier, stores, held)
    tested = answers(classifier, stores, fresh)
    again = _DrawnAgain(classifier, stores, fresh, ask)
    said("drawing again", 0, 4)
    pairs = again.pairs()
    said("drawing again", 1, 4)
    controls = again.painted_out()
    said("drawing again", 2, 4)
    looks = again.looks()
    said("drawing again", 4, 4)
    if ask.controls and learn:
        controls |= _taught(classifier, stores, learn, fresh, ask, said)
    done = _stops(classifier, stores, fresh, ask, said)
    left = len(held) - len(fresh)
    return Card(classifier.by, ask.threshold, tested, left, controls, pairs, looks, done, classifier.learned, ask.seed)


def _taught(
    classifier: Classifier,
    stores: Sequence[Store],
    learn: Sequence[Labelled],
    held: Sequence[Labelled],
    ask: Ask,
    said: Said,
) -> dict[str, Measured]:
    """Controls that learn from what the classifier learned from."""
    controls = {"length only": length_only(learn, held, ask.seed)}
    if all(STATE in store.features for store in stores):
        controls["joints only"] = joints_only(stores, learn, held, ask.seed)

    def shuffled(what: str, done: int, total: int) -> None:
        said(f"{what} shuffled labels", done, total)

    fitted = classifier.fitted
    controls[SHUFFLED] = shuffled_labels(stores, learn, held, fitted.look, fitted.settings, ask.seed, shuffled)
    return controls


def _stops(
    classifier: Classifier, stores: Sequence[Store], held: Sequence[Labelled], ask: Ask, said: Said
) -> Stops | None:
    """What stopping at "done" would do to the episodes of which every instant is known."""
    exact = [one for one in held if one.exact]
    if not exact:
        return None
    found = courses(classifier.fitted, stores, exact, lambda done, total: said("watching", done, total))
    return stops(exact, found, ask.threshold, [store.fps for store in stores])


class _DrawnAgain:
    """Pictures that were never recorded; no numbers come of them where no physics is at hand.

    Args:
        classifier: who is asked.
        stores: the datasets of the episodes.
        held: episodes it has not seen.
        ask: what to measure.
    """

    def __init__(self, classifier: Classifier, stores: Sequence[Store], held: Sequence[Labelled], ask: Ask) -> None:
        self._look, self._judge = classifier.fitted.look, classifier.fitted.judge
        self._stores, self._ask = stores, ask
        self._known = with_physics(stores, held)

    def pairs(self) -> dict[str, Rate]:
        """Counterfactual pairs told apart: a success, and the same instant without one."""
        good = self._some([one for one in self._known if one.success], PAIRS)
        if not good:
            return {}
        least, seed = self._ask.threshold, self._ask.seed
        # Both are drawn, because a recorded picture differs from a drawn one by its compression too.
        was = self._judge(redrawn(self._stores, good, self._look)) >= least
        changes = {name: self._judge(changed(self._stores, good, self._look, name, seed)) < least for name in CHANGES}
        return {name: wilson(int((was & told).sum()), len(good)) for name, told in changes.items()}

    def painted_out(self) -> dict[str, Measured]:
        """How well it tells where neither block nor bowl can be seen."""
        some = self._some(self._known, LOOKED_AT)
        pictures = bare(self._stores, some, self._look)
        return {"block and bowl painted out": self._auroc(some, pictures)} if some else {}

    def looks(self) -> dict[str, Measured]:
        """How well it tells in looks that are not the recorded one, and in that one without compression."""
        some = self._some(self._known, LOOKED_AT)
        found = {"as recorded": self._auroc(some, redrawn(self._stores, some, self._look))} if some else {}
        for name in LOOKS:
            some = self._some([one for one in self._known if differs(self._stores[one.dataset], name)], LOOKED_AT)
            if some:
                found[name] = self._auroc(some, otherwise(self._stores, some, self._look, name))
        return found

    def _auroc(self, some: Sequence[Labelled], pictures: Sequence[Pictures]) -> Measured:
        return measured_auroc(self._judge(pictures), np.array([one.success for one in some]), self._ask.seed)

    def _some(self, episodes: Sequence[Labelled], most: int) -> list[Labelled]:
        """At most so many of them, drawn from the seed, in their order."""
        rng = np.random.default_rng([self._ask.seed, SOME_STREAM])
        return [episodes[at] for at in sorted(rng.permutation(len(episodes))[:most])]


def carded_classifier(folder: Path) -> tuple[Classifier, Card]:
    """A classifier that may judge: it has a calibration card of its own.

    Raises:
        UsageError: there is none.
        DataError: it has no card, or another's.
    """
    made = load(folder)
    return made, card_of_its_own(made)
