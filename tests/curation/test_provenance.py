"""A dataset says where it comes from; where that is damaged it is named, and whoever asks is told alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.apply import apply
from curation.cuts import cut_episodes
from curation.errors import DataError
from curation.fingerprint import fingerprint
from curation.layout import PROVENANCE, json_bytes
from curation.origins import Origins, origin_of
from curation.plan import Trim, begin, edited
from curation.provenance import read_provenance, tree, whole_story
from curation.store import Store
from tests.curation.making import make_ours

SOURCE = {"parent": 0, "episode_id": "a", "start": 0, "stop": 4}
WRONG: list[tuple[Any, str]] = [
    ([], "what it holds is no object"),
    ({"parents": 3}, "parents is no list of objects"),
    ({"parents": ["mine"]}, "parents is no list of objects"),
    ({"edits": {"edit": "trim"}}, "edits is no list of objects"),
    ({"parents": [{"hub": "me/mine"}]}, r"parents\[0\]\.hub is no object"),
    ({"parents": [{"episodes": "four"}]}, r"parents\[0\]\.episodes is no number"),
    ({"parents": [{}, {"provenance": {"parents": [{"hub": 3}]}}]}, r"parents\[1\]\.provenance\.parents\[0\]\.hub"),
    ({"parents": [{}], "episodes": [SOURCE]}, "episodes is no object"),
    ({"parents": [{}], "episodes": {"b": SOURCE | {"parent": 1}}}, "episodes.b names no frames of a parent"),
    ({"parents": [{}], "episodes": {"b": SOURCE | {"stop": None}}}, "episodes.b names no frames of a parent"),
]


@pytest.mark.parametrize(("story", "named"), WRONG)
@pytest.mark.parametrize("read", [read_provenance, cut_episodes])
def test_what_is_damaged_is_named(tmp_path: Path, story: Any, named: str, read: Callable[[Path], Any]) -> None:
    (tmp_path / PROVENANCE).parent.mkdir(parents=True)
    (tmp_path / PROVENANCE).write_text(json.dumps(story))
    with pytest.raises(DataError, match=rf"provenance\.json cannot be read: {named}.*another copy"):
        read(tmp_path)


@pytest.mark.parametrize(
    "edit",
    [{}, {"edit": "trim"}, {"edit": "trim", "episode": 3}, {"edit": "cut", "episode": [[], {}]}, {"edit": "new"}],
)
def test_an_edit_that_lacks_parts_is_told_by_its_name(tmp_path: Path, edit: dict[str, Any]) -> None:
    hub = {"repo": "me/mine", "commit": None}
    story = {"parents": [{"name": "a", "hub": hub}], "edits": [edit], "episodes": {"b": SOURCE}}
    (tmp_path / PROVENANCE).parent.mkdir(parents=True)
    (tmp_path / PROVENANCE).write_text(json.dumps(story))
    assert f"  ({edit.get('edit')}, " in tree("b", read_provenance(tmp_path))[0]
    assert cut_episodes(tmp_path) == set()


def test_a_dataset_that_shows_another_whole_keeps_its_family(tmp_path: Path) -> None:
    """As one that was drawn again does."""
    first = make_ours(tmp_path / "first", [8, 6], ["pick", "pick"])
    ids = [row.episode_id for row in first.rows()]
    plan = edited(begin([first]), Trim((0, ids[0]), 2, 8))
    apply(plan, tmp_path / "trimmed", tell=lambda *_: None)
    trimmed = Store.open(tmp_path / "trimmed")
    shown = make_ours(tmp_path / "shown", [6, 6], ["pick", "pick"])
    names = {new.episode_id: old.episode_id for new, old in zip(shown.rows(), trimmed.rows(), strict=True)}
    story = whole_story(trimmed, fingerprint(trimmed), {"edit": "rerender"}, names)
    (shown.root / PROVENANCE).write_bytes(json_bytes(story))
    lines = tree("shown", read_provenance(shown.root))
    assert [line.split()[0] for line in lines] == ["shown", "trimmed", "first"]
    assert "(rerender, " in lines[0]
    assert f"trim {ids[0]} to 2:8" in lines[1]
    assert [origin_of(story, name) for name in names] == [(ids[0], 2), (ids[1], 0)]
    assert cut_episodes(shown.root) == set(list(names)[:1])
    # Two looks of one recording are one recording: a split must not put them into two parts.
    recordings = [{Origins(store).of(episode).recording for episode in store.episodes} for store in (first, shown)]
    assert recordings[0] == recordings[1] == set(ids)
    places = {Origins(store).place(store.episodes[0]) for store in (trimmed, Store.open(shown.root))}
    assert places == {fingerprint(first)}
