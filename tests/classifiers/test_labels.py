"""Labels: the judge's word instant by instant, people's at an episode's end, and never a classifier's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.fit import set_aside
from classifiers.holdout import NEAR_M, novelty, one_side
from classifiers.labels import Labelled, labelled
from curation.errors import DataError
from curation.notes import Note, add_notes
from curation.store import Store
from tests.classifiers.toys import LENGTH, SINCE, succeeds, toy


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return toy(tmp_path_factory.mktemp("labels") / "twelve", 12)


def test_every_instant_has_the_judges_label(twelve: Store) -> None:
    for one in labelled([twelve]):
        assert (one.success, one.by, one.exact) == (succeeds(one.episode.index), "judge", True)
        for instant in one.instants(np.random.default_rng(0), 100, twelve.fps):
            assert instant.success == (one.success and instant.frame >= SINCE)
            assert not (one.success and SINCE - 3 <= instant.frame < SINCE), "nobody could tell"


def test_a_persons_word_counts_more_than_the_judges_and_a_classifiers_not_at_all(tmp_path: Path) -> None:
    store = toy(tmp_path / "noted", 4)
    ids = [episode.row.episode_id for episode in store.episodes]
    add_notes(store.root, [Note(ids[0], "score", 0.2, "ann"), Note(ids[0], "score", 0.9, "classifier:done@12")])
    add_notes(store.root, [Note(ids[1], "score", 0.9, "classifier:done@12"), Note(ids[3], "mask", True, "ann")])
    said = {one.episode.row.episode_id: (one.success, one.by) for one in labelled([store])}
    assert said == {ids[0]: (False, "ann"), ids[1]: (False, "judge"), ids[2]: (True, "judge")}


def test_where_only_the_end_is_known_the_end_has_the_verdict_and_the_middle_no_label(tmp_path: Path) -> None:
    store = toy(tmp_path / "others", 4, outcome="", success=False, extra={})
    with pytest.raises(DataError, match="studio note"):
        labelled([store])
    ids = [episode.row.episode_id for episode in store.episodes]
    add_notes(store.root, [Note(one, "score", float(succeeds(n)), "ann") for n, one in enumerate(ids)])
    for one in labelled([store]):
        frames = {i.frame: i.success for i in one.instants(np.random.default_rng(0), 100, store.fps)}
        assert frames[LENGTH - 1] == one.success
        assert not frames[0]
        assert not any(0.6 * LENGTH <= frame < LENGTH - 15 for frame in frames)


def places(episodes: list[Labelled]) -> np.ndarray:
    return np.array([(one.episode.row.x, one.episode.row.y) for one in episodes])


def test_one_side_of_the_table_is_held_out_and_new(twelve: Store) -> None:
    episodes = labelled([twelve])
    for seed in range(5):
        learn, held = one_side(episodes, 0.3, np.random.default_rng(seed))
        assert len(learn) + len(held) == 12
        assert 3 <= len(held) <= 8, "the episodes of one distance stay together"
        middle = places(learn).mean(axis=0) - places(held).mean(axis=0)
        assert (places(learn) @ middle).mean() > (places(held) @ middle).mean()
        gaps = np.linalg.norm(places(held)[:, None] - places(learn)[None], axis=-1)
        assert gaps.min() >= NEAR_M
        learned = {"positions": places(learn).tolist(), "sessions": ["expert:1"], "operators": ["expert"]}
        new = {(said.position, said.session, said.policy) for one in held for said in [novelty(one, learned)]}
        assert new == {(True, False, False)}
    assert one_side(episodes, 0.0, np.random.default_rng(0))[1] == []


def test_calibration_has_both_kinds_and_no_recording_of_what_is_learned_from(twelve: Store, tmp_path: Path) -> None:
    at_one_place = labelled([toy(tmp_path / "one", 20, x=0.3, y=0.1)])
    for episodes in (labelled([twelve]), at_one_place):
        for seed in range(5):
            learn, check = set_aside(episodes, np.random.default_rng(seed))
            assert {one.success for one in learn} == {one.success for one in check} == {True, False}
            assert len(learn) + len(check) == len(episodes)
            assert not {one.recording for one in learn} & {one.recording for one in check}
