"""The positions file: read, written, and named so that a position keeps its id."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.errors import UsageError
from curation.targets import Target, named, read_targets, write_targets


def written(path: Path, entries: object) -> Path:
    path.write_text(json.dumps({"positions": entries}))
    return path


def test_the_earlier_works_file_is_read(tmp_path: Path) -> None:
    entries = [{"x": 0.25, "y": 0.1, "rotation": 45}, {"x": 0.3, "y": 0.05, "note": "near"}, {"x": 0.2, "y": 0.2}]
    first, second, third = read_targets(written(tmp_path / "t.json", entries))
    assert (first.x, first.y, first.rotation) == (0.25, 0.1, 45.0)
    assert (second.note, third.rotation) == ("near", None)


def test_ids_follow_the_position_not_the_order(tmp_path: Path) -> None:
    entries = [{"x": 0.25, "y": 0.1, "rotation": 45}, {"x": 0.3, "y": 0.05}, {"x": 0.3, "y": 0.05}]
    there = {(t.x, t.y, t.rotation): t.id for t in read_targets(written(tmp_path / "a.json", entries[:2]))}
    back = {(t.x, t.y, t.rotation): t.id for t in read_targets(written(tmp_path / "b.json", entries[1::-1]))}
    assert there == back
    assert len({t.id for t in read_targets(written(tmp_path / "c.json", entries))}) == 3


def test_a_given_id_stays_and_two_of_one_are_refused(tmp_path: Path) -> None:
    assert read_targets(written(tmp_path / "a.json", [{"x": 1, "y": 2, "id": "p1"}]))[0].id == "p1"
    with pytest.raises(UsageError, match="'p1' names more than one"):
        read_targets(written(tmp_path / "b.json", [{"x": 1, "y": 2, "id": "p1"}, {"x": 3, "y": 2, "id": "p1"}]))


def test_what_is_written_reads_back_the_same(tmp_path: Path) -> None:
    targets = (Target("a", 0.25, 0.1, 45.0, "corner"), Target("b", 0.3, 0.05))
    write_targets(tmp_path / "t.json", targets)
    assert read_targets(tmp_path / "t.json") == targets


@pytest.mark.parametrize(
    "text",
    [
        None, "", "{", "[]", "3", '{"positions": 3}', '{"positions": []}', '{"positions": [{"x": 1}]}',
        '{"positions": ["a"]}', '{"positions": {"a": 1}}',
        '{"positions": [{"x": "a", "y": 0}]}', '{"positions": [{"x": NaN, "y": 0}]}', '{"points": []}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_what_is_expected(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "targets.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=r"targets\.json .*Expected"):
        read_targets(path)


def test_a_position_that_is_there_can_be_added_again(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", [{"x": 0.31, "y": 0.07}])
    for _ in range(2):
        write_targets(path, named([*read_targets(path), Target("", 0.31, 0.07)]))
    assert [target.id for target in read_targets(path)] == ["0.31_0.07", "0.31_0.07#2", "0.31_0.07#3"]


def test_neighbours_have_ids_of_their_own() -> None:
    there = named([Target("", 0.3101, 0.07), Target("", 0.3104, 0.07), Target("", 0.3104, -0.0)])
    back = named([Target("", 0.3104, 0.0), Target("", 0.3104, 0.07), Target("", 0.3101, 0.07)])
    assert [target.id for target in there] == [target.id for target in reversed(back)]


def test_words_that_are_null_are_empty(tmp_path: Path) -> None:
    (target,) = read_targets(written(tmp_path / "t.json", [{"x": 0.31, "y": 0.07, "id": None, "note": None}]))
    assert (target.id, target.note) == ("0.31_0.07", "")
