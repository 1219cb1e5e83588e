"""Nothing is filtered by a classifier's scores without its card, and people's scores need none."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.card_file import write_card
from curation.errors import DataError
from curation.library import entries
from curation.notes import Note, add_notes
from curation.store import Store
from studio.score_cards import relied_on
from studio.training_options import Training
from tests.classifiers.test_card import made
from tests.classifiers.toys import toy
from tests.studio.conftest import Studio, studio

assert studio
BY = made().classifier


@pytest.fixture
def scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Three episodes scored by a classifier, the first of them by a person before."""
    monkeypatch.setenv("STUDIO_RUNS", str(tmp_path / "runs"))
    store = toy(tmp_path / "scored", 4)
    ids = [episode.row.episode_id for episode in store.episodes]
    add_notes(store.root, [Note(ids[0], "score", 0.2, "ann")])
    add_notes(store.root, [Note(one, "score", 0.9, BY) for one in ids[:3]])
    return store


def test_a_persons_score_is_not_overruled_by_a_classifiers(scored: Store) -> None:
    found = [(entry.score, entry.scored_by) for entry in entries(scored.root)]
    assert found == [(0.2, "ann"), (0.9, BY), (0.9, BY), (None, "")]


def test_without_its_card_no_command_filters_by_a_classifiers_scores(scored: Store, studio: Studio) -> None:
    for command in (
        ("filter", "scored", "--where", "score>0.5", "--to", "good", "-y"),
        ("drop", "scored", "--where", "score<0.5", "--to", "good", "-y"),
    ):
        ended = studio(*command)
        assert ended.code == 3
        assert f"2 of the asked scores are by {BY}" in ended.err
        assert "studio card" in ended.err
    with pytest.raises(DataError, match="nothing is filtered by them"):
        Training(where="score>0.5").chosen(scored)
    assert studio("filter", "scored", "--where", "outcome:success", "--to", "fine", "-y").code == 0


def test_with_its_card_the_filter_says_what_it_is_worth(scored: Store, studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "runs/done"
    folder.mkdir(parents=True)
    write_card(folder, made())
    ended = studio("filter", "scored", "--where", "score>0.5", "--to", "good", "-y")
    assert ended.code == 0
    assert f"2 scores are by {BY}: from 0.5 on, on unseen episodes, 28 of 30 successes kept" in ended.out + ended.err
    assert len(Store.open(tmp_path / "good").episodes) == 2


def test_the_card_of_other_weights_is_none(scored: Store, tmp_path: Path) -> None:
    folder = tmp_path / "runs/done"
    folder.mkdir(parents=True)
    write_card(folder, made())
    add_notes(scored.root, [Note(scored.episodes[3].row.episode_id, "score", 0.8, "classifier:done@ffffffffffff")])
    with pytest.raises(DataError, match=r"done@ffffffffffff, and the card there is of"):
        relied_on("score>0.5", entries(scored.root))
