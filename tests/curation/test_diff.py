"""Two datasets compared: each episode once, by the frames of the recording it shows, and by what its videos hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.apply import apply
from curation.columns import Rename
from curation.diff import diff
from curation.plan import Columns, Cut, Drop, Plan, Relabel, begin, edited
from curation.store import Store
from tests.curation.making import make_ours, make_packed
from tests.curation.tiny import CAMERAS


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_ours(tmp_path_factory.mktemp("diff") / "ours", [12, 4], ["pick", "pick"])


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make_packed(tmp_path_factory.mktemp("diff") / "packed", [[4, 6], [8]], ["pick"] * 3)


def made(plan: Plan, to: Path) -> Store:
    apply(plan, to, tell=lambda *_: None)
    return Store.open(to)


def test_every_piece_of_a_recording_is_counted(ours: Store, tmp_path: Path) -> None:
    name = ours.rows()[0].episode_id
    pieces = made(edited(begin([ours]), Cut((0, name), (4, 8))), tmp_path / "pieces")
    found = diff(ours, pieces)
    assert (found.same, len(found.changed), len(found.came), found.gone) == (1, 1, 2, ())
    assert {(piece.episode, piece.start, piece.stop) for piece in found.came} == {(1, 4, 8), (2, 8, 12)}
    assert {piece.origin for piece in found.came} == {name}
    again = diff(pieces, made(begin([pieces]), tmp_path / "again"))
    assert (again.same, again.changed, again.came, again.gone) == (4, (), (), ())
    less = made(edited(begin([pieces]), Drop(((0, pieces.rows()[2].episode_id),))), tmp_path / "less")
    assert [(piece.episode, piece.start, piece.stop) for piece in diff(pieces, less).gone] == [(2, 8, 12)]


def test_numbers_of_episodes_mean_nothing_across_datasets_of_others(packed: Store, tmp_path: Path) -> None:
    other = make_packed(tmp_path / "other", [[4, 6]], ["pick", "pick"])
    found = diff(packed, other)
    assert (found.same, found.changed, len(found.gone), len(found.came)) == (0, (), 3, 2)


def test_an_edit_of_a_dataset_of_others_is_compared_with_it(packed: Store, tmp_path: Path) -> None:
    # Its videos are cut out of longer files: the same compressed frames.
    less = made(edited(begin([packed]), Drop(((0, "episode-000000"),))), tmp_path / "less")
    assert (
        next(iter(less.episodes[0].videos.values())).read_bytes()
        != next(iter(packed.episodes[1].videos.values())).read_bytes()
    )
    found = diff(packed, less)
    assert (found.same, found.changed, [piece.episode for piece in found.gone]) == (2, (), [0])
    told = made(edited(begin([packed]), Relabel("place")), tmp_path / "told")
    assert [one.what for one in diff(packed, told).changed] == [("task 'pick' became 'place'",)] * 3


def test_copies_that_nobody_wrote_down_are_found_by_their_motion(packed: Store, tmp_path: Path) -> None:
    shutil.copytree(packed.root, tmp_path / "copy")
    for path in (tmp_path / "copy").glob("meta/episodes/*/*.parquet"):
        table = pq.read_table(path)
        place = table.column_names.index("tasks")
        pq.write_table(table.set_column(place, table.schema.field(place), pa.array([["place"]] * len(table))), path)
    found = diff(packed, Store.open(tmp_path / "copy"))
    assert (found.same, len(found.changed), found.gone, found.came) == (0, 3, (), ())


def test_images_that_changed_are_named_by_camera(ours: Store, tmp_path: Path) -> None:
    shutil.copytree(ours.root, tmp_path / "copy")
    copy = Store.open(tmp_path / "copy")
    paths = [
        episode.videos[CAMERAS[0]] for episode in (copy.episodes[1], make_ours(tmp_path / "o", [4], ["x"]).episodes[0])
    ]
    shutil.copy(paths[1], paths[0])
    [changed] = diff(ours, copy).changed
    assert (changed.one, changed.what) == (1, (f"video of {CAMERAS[0]}",))
    renamed = made(edited(begin([ours]), Columns(Rename(CAMERAS[1], "observation.images.hand"))), tmp_path / "renamed")
    assert diff(ours, renamed).same == 2
