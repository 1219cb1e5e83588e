"""Episodes that are parts are known as such, over generations of edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.cuts import cut_episodes
from curation.errors import DataError
from curation.layout import PROVENANCE
from curation.library import entries
from curation.query import query
from tests.curation.placed import placed
from tests.studio.conftest import Studio


def test_trimmed_and_cut_episodes_are_known_in_their_children(studio: Studio, tmp_path: Path) -> None:
    placed(tmp_path / "one", [(0.3, 0.0), (0.3, 0.1), (0.3, 0.2)], length=12)
    assert cut_episodes(tmp_path / "one") == set()
    for words in (
        ("trim", "one", "--episodes", "0", "--frames", "0", "8", "--to", "two", "-y"),
        ("cut", "two", "1", "6", "--to", "three", "-y"),
        ("merge", "three", "--to", "four", "-y"),
    ):
        said = studio(*words)
        assert said.code == 0, said.err
    found = entries(tmp_path / "four")
    assert [(entry.frames, entry.cut) for entry in found] == [(8, True), (6, True), (6, True), (12, False)]
    assert [entry.frames for entry in found if query("cut")(entry)] == [8, 6, 6]


def test_a_damaged_story_is_named(tmp_path: Path) -> None:
    placed(tmp_path / "one", [(0.3, 0.0)])
    (tmp_path / "one" / PROVENANCE).write_text('{"parents": 3}')
    with pytest.raises(DataError, match=r"provenance.json cannot be read"):
        cut_episodes(tmp_path / "one")
