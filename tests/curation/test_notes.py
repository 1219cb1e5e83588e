"""Notes: appended, never changed, and the last word of a kind counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from curation.errors import DataError, UnknownChoice
from curation.layout import NOTES
from curation.notes import Note, add_notes, masked, read_notes


def note(episode: str, kind: str = "mask", value: object = True) -> Note:
    return Note(episode, kind, value, "person")


def test_what_is_added_is_read_in_order_with_a_time(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == []
    add_notes(tmp_path, [note("a"), note("b", "comment", "späte Öffnung")])
    add_notes(tmp_path, [note("a", "score", 0.5)])
    found = read_notes(tmp_path)
    assert [(n.episode_id, n.kind, n.value) for n in found] == [
        ("a", "mask", True), ("b", "comment", "späte Öffnung"), ("a", "score", 0.5),
    ]  # fmt: skip
    assert all(n.when.endswith("+00:00") for n in found)


def test_the_last_word_masks(tmp_path: Path) -> None:
    add_notes(tmp_path, [note("a"), note("b"), note("a", value=False), note("c", value=False), note("c")])
    assert masked(read_notes(tmp_path)) == {"b", "c"}


def test_an_unknown_kind_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(UnknownChoice, match="Did you mean mask"):
        add_notes(tmp_path, [note("a"), note("b", "masc")])
    assert not (tmp_path / NOTES).exists()


def test_a_torn_last_line_loses_nothing_else(tmp_path: Path) -> None:
    add_notes(tmp_path, [note("a"), note("b")])
    path = tmp_path / NOTES
    path.write_bytes(path.read_bytes()[:-20])
    assert [n.episode_id for n in read_notes(tmp_path)] == ["a"]
    add_notes(tmp_path, [note("c")])
    assert [n.episode_id for n in read_notes(tmp_path)] == ["a", "c"]


def test_a_last_line_whose_end_an_editor_left_out_stays(tmp_path: Path) -> None:
    add_notes(tmp_path, [note("a"), note("b")])
    path = tmp_path / NOTES
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    add_notes(tmp_path, [note("a", "comment", "late")])
    assert masked(read_notes(tmp_path)) == {"a", "b"}
    assert len(read_notes(tmp_path)) == 3


def test_a_value_of_another_kind_is_damage(tmp_path: Path) -> None:
    add_notes(tmp_path, [Note("a", "score", 0.5, "person")])
    path = tmp_path / NOTES
    path.write_text(path.read_text().replace("0.5", '"high"') * 2)
    with pytest.raises(DataError, match="no value of a score note"):
        read_notes(tmp_path)


def test_damage_elsewhere_is_named(tmp_path: Path) -> None:
    add_notes(tmp_path, [note("a"), note("b")])
    path = tmp_path / NOTES
    path.write_bytes(b"{torn\n" + path.read_bytes())
    with pytest.raises(DataError, match="line 1"):
        read_notes(tmp_path)


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: add_notes(tmp_path, [note(f"e{index}")]), range(40)))
    assert {n.episode_id for n in read_notes(tmp_path)} == {f"e{index}" for index in range(40)}
