"""Demonstrations as transitions: each ends with the first picture that the classifier rewards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.checkpoint import Classifier
from classifiers.labels import Instant
from classifiers.look import SIDE, CutOut
from classifiers.network import predict
from classifiers.pictures import pictures_of
from classifiers.transitions import DONE, REWARD, rewarded, write_demonstrations
from curation.errors import DataError
from curation.names import ACTION, STATE
from curation.store import Store
from tests.classifiers.toys import nobody, toy

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

LOOK = {"overhead_cam": CutOut(), "wrist_cam": CutOut()}
MOST = np.full(6, 50.0)


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return toy(tmp_path_factory.mktemp("demos") / "demos", 2)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return nobody(tmp_path_factory.mktemp("nobody"), **LOOK)


def said(store: Store, classifier: Classifier, episode: int) -> np.ndarray:
    instants = [Instant(0, episode, frame, False) for frame in range(store.episodes[episode].length)]
    return 1 / (1 + np.exp(-predict(classifier.fitted.network, pictures_of([store], instants, LOOK))))


def test_an_episode_ends_with_its_first_reward_and_its_steps_add_up(
    demos: Store, classifier: Classifier, tmp_path: Path
) -> None:
    heard = [said(demos, classifier, episode) for episode in range(2)]
    # Above what both say at first, and below what the first one says at some later time.
    threshold = max(float(heard[0][:10].max()), float(heard[1][0]))
    first = [np.flatnonzero(one > threshold) for one in heard]
    assert len(first[0]), "another seed would do"
    found = write_demonstrations(tmp_path / "made", demos, demos.episodes, classifier, threshold, MOST)
    made = Store.open(tmp_path / "made")
    assert found.used[0] == demos.episodes[0].row.episode_id
    assert found.transitions == made.total_frames == sum(int(one[0]) for one in first if len(one))
    stop = int(first[0][0])
    numbers, source = made.numeric(0), demos.numeric(0)
    assert len(numbers[ACTION]) == stop >= 10
    for name in (REWARD, DONE):
        assert numbers[name].ravel().tolist() == [*[0] * (stop - 1), 1]
    assert np.array_equal(numbers[STATE], source[STATE][:stop])
    targets = source[STATE][0] + np.cumsum(numbers[ACTION].astype(np.float64) * MOST, axis=0)
    assert targets == pytest.approx(source[ACTION][:stop], abs=1e-3)
    assert {made.features[key].shape for key in made.episodes[0].videos} == {(SIDE, SIDE, 3)}


def test_what_is_never_rewarded_is_left_out_and_nothing_at_all_is_refused(
    demos: Store, classifier: Classifier, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="sees a success in none of 2 demonstrations"):
        write_demonstrations(tmp_path / "none", demos, demos.episodes, classifier, 0.999999, MOST)
    level = float(said(demos, classifier, 0)[:10].max())
    with pytest.raises(DataError, match=r"demos-0: Frame \d+ moves joint"):
        write_demonstrations(tmp_path / "far", demos, demos.episodes, classifier, level, MOST / 1e6)


def test_a_success_in_the_very_first_picture_is_none(demos: Store, classifier: Classifier) -> None:
    pictures = np.zeros((3, 2, SIDE, SIDE, 3), np.uint8)
    assert rewarded(classifier, pictures, 1e-9) is None
