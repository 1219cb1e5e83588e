"""Statistics that are computed anew equal a from-scratch computation, whatever was stored before."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation import layout
from curation.apply import apply
from curation.checks import check_folder
from curation.commit import kept_histograms, read_histograms
from curation.episodes import stage
from curation.errors import DataError
from curation.histograms import Images
from curation.plan import begin
from curation.restat import CODING, differences, repair, restate, stored_episodes, stored_whole
from curation.stats import QUANTILES
from curation.store import Store
from curation.video import read_video
from tests.curation.checks.plants import edit_json, set_column
from tests.curation.making import make_ours, make_packed
from tests.curation.tiny import CAMERAS


def from_scratch(values: np.ndarray, axes: tuple[int, ...], count: int) -> dict[str, np.ndarray]:
    """LeRobot's statistics by numpy alone."""
    wide = values.astype(np.float64)
    named = {"min": wide.min(axes), "max": wide.max(axes), "mean": wide.mean(axes), "std": wide.std(axes)}
    return named | {name: np.quantile(wide, q, axes) for name, q in QUANTILES.items()} | {"count": np.array([count])}


def numbers(store: Store, key: str) -> list[np.ndarray]:
    """A column of each episode, shape (length, D), read row by row."""
    found = []
    for episode in store.episodes:
        table = pq.read_table(episode.data).to_pylist()
        rows = [row[key] for row in table if row["episode_index"] == episode.index]
        found.append(np.array(rows).reshape(len(rows), -1))
    return found


def pixels(store: Store, camera: str) -> list[np.ndarray]:
    """All images of each episode in 0..1, shape (length, height, width, 3)."""
    return [
        np.stack(list(read_video(e.videos[camera], e.video_starts[camera], e.length))) / 255 for e in store.episodes
    ]


def agree(stored: dict[str, Any], wanted: dict[str, np.ndarray], where: object) -> None:
    for name, value in wanted.items():
        assert np.allclose(np.ravel(stored[name]), value, rtol=1e-9, atol=1e-9), (where, name, stored[name], value)


def all_is_from_scratch(store: Store, *, images: bool) -> None:
    whole, each = stored_whole(store.root), dict(stored_episodes(store))
    assert sorted(each) == list(range(store.total_episodes))
    for key in layout.columns(store.features):
        parts = numbers(store, key)
        for index, part in enumerate(parts):
            agree(each[index][key], from_scratch(part, (0,), len(part)), (key, index))
        agree(whole[key], from_scratch(np.concatenate(parts), (0,), sum(map(len, parts))), key)
    for camera in CAMERAS if images else ():
        parts = pixels(store, camera)
        for index, part in enumerate(parts):
            agree(each[index][camera], from_scratch(part, (0, 1, 2), len(part)), (camera, index))
        agree(whole[camera], from_scratch(np.concatenate(parts), (0, 1, 2), sum(map(len, parts))), camera)


def spoil(root: Path, how: str) -> None:
    """What other tools leave of statistics."""
    records = sorted((root / "meta/episodes").glob("*/*.parquet"))
    match how:
        case "no stats.json":
            (root / layout.STATS).unlink(missing_ok=True)
        case "a feature is missing" if (root / layout.STATS).exists():
            edit_json(root / layout.STATS, lambda stats: stats.pop("action"))
        case "another value" if (root / layout.STATS).exists():
            edit_json(root / layout.STATS, lambda stats: stats["timestamp"].update(mean=[77.0]))
        case "an episode's value":
            set_column(records[-1], "stats/action/max", lambda old: [[1e3] * 6 for _ in old])
        case "an episode's columns":
            for path in records:
                table = pq.read_table(path)
                left = [name for name in table.column_names if not name.startswith("stats/observation.state/")]
                pq.write_table(table.select(left), path)
        case "other data":
            path = sorted((root / "data").glob("*/*.parquet"))[0]
            set_column(path, "action", lambda old: [[v * 3 - 1 for v in row] for row in old])


HOW = ("no stats.json", "a feature is missing", "another value", "an episode's value", "an episode's columns",
       "other data")  # fmt: skip


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.booleans(), st.lists(st.lists(st.integers(1, 7), min_size=1, max_size=3), min_size=1, max_size=3),
       st.lists(st.sampled_from(HOW), min_size=1, max_size=3, unique=True), st.booleans())  # fmt: skip
def test_a_repair_equals_numpy(packed: bool, files: list[list[int]], how: list[str], deep: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, count = Path(folder) / "set", sum(map(len, files))
        if packed:
            make_packed(root, files, ["pick"] * count)
        else:
            make_ours(root, [length for lengths in files for length in lengths], ["pick"] * count)
        for one in how:
            spoil(root, one)
        kept = {path: path.read_bytes() for path in [*root.rglob("*.mp4"), *(root / "data").rglob("*.parquet")]}
        info = (root / layout.INFO).read_bytes()
        assert repair(Store.open(root), "all" if deep else "missing")
        store = Store.open(root)
        all_is_from_scratch(store, images=deep or packed)
        assert differences(store, restate(store)) == []
        assert (root / layout.INFO).read_bytes() == info
        assert all(path.read_bytes() == content for path, content in kept.items())


@pytest.fixture
def ours(tmp_path: Path) -> Store:
    return make_ours(tmp_path / "set", [6, 9], ["pick", "place"])


def test_verify_names_what_differs_and_by_how_much(ours: Store) -> None:
    assert differences(ours, restate(ours)) == []
    edit_json(ours.root / layout.STATS, lambda stats: stats["action"]["max"].__setitem__(2, 1234.5))
    (one,) = differences(ours, restate(ours))
    assert (one.feature, one.statistic, one.episode, one.stored) == ("action", "max", None, 1234.5)
    assert one.computed == pytest.approx(max(part[:, 2].max() for part in numbers(ours, "action")))


def test_rounding_is_no_difference_and_a_millionth_is_one(ours: Store) -> None:
    def move(by: float) -> int:
        edit_json(ours.root / layout.STATS, lambda stats: stats["timestamp"]["mean"].__setitem__(0, middle + by))
        return len(differences(ours, restate(ours)))

    middle = json.loads((ours.root / layout.STATS).read_text())["timestamp"]["mean"][0]
    assert (move(1e-12), move(1e-6)) == (0, 1)


def test_a_repair_of_what_is_right_writes_nothing(ours: Store) -> None:
    before = {path: path.stat().st_mtime_ns for path in ours.root.rglob("*") if path.is_file()}
    assert repair(ours) == []
    lock = ours.root / layout.COMMIT_LOCK
    assert {path: path.stat().st_mtime_ns for path in before} == {**before, lock: lock.stat().st_mtime_ns}


def test_decoding_agrees_with_what_was_counted_before_encoding(ours: Store) -> None:
    kept, decoded = restate(ours, "histograms"), restate(ours, "all")
    assert (kept.decoded, decoded.decoded) == (set(), set(CAMERAS))
    for camera in CAMERAS:
        for name in ("mean", "std"):
            assert np.abs(kept.whole[camera][name] - decoded.whole[camera][name]).max() < CODING


def test_lost_histograms_are_counted_again(ours: Store) -> None:
    shutil.rmtree(ours.root / layout.HISTOGRAMS)
    edit_json(ours.root / layout.STATS, lambda stats: stats.pop(CAMERAS[0]))
    assert repair(ours)
    assert len(list((ours.root / layout.HISTOGRAMS).iterdir())) == 2
    all_is_from_scratch(Store.open(ours.root), images=False)
    assert differences(ours, restate(ours, "histograms")) == []


DAMAGED = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "no archive": lambda path: path.write_bytes(b"x" * 300),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_a_damaged_histogram_is_none(ours: Store, tmp_path: Path, how: str) -> None:
    """What was counted before encoding is lost; all else goes on, counted in the video."""
    root, path = ours.root, ours.root / layout.histograms_path(ours.episodes[1].row.episode_id)
    DAMAGED[how](path)
    named = [one.episodes for one in check_folder(root) if "histograms of episode 1 are missing" in one.what]
    assert named == [(1,)]
    kept = apply(begin([ours]), tmp_path / "kept", tell=lambda *_: None).root
    assert set(kept_histograms(kept, Store.open(kept).episodes[1])) == set(CAMERAS)
    assert differences(Store.open(kept), restate(Store.open(kept))) == []
    append(Store.open(root, writing=True), tmp_path)
    assert set(kept_histograms(root, ours.episodes[1])) == set(CAMERAS)
    assert Store.open(root).total_episodes == 3


@pytest.mark.parametrize("how", DAMAGED)
@pytest.mark.parametrize("images", ["missing", "all"])
def test_a_repair_renews_a_damaged_histogram_though_nothing_differs(ours: Store, how: str, images: Images) -> None:
    paths = [ours.root / layout.histograms_path(episode.row.episode_id) for episode in ours.episodes]
    right = paths[0].read_bytes()
    DAMAGED[how](paths[1])
    repair(ours, "missing")  # from now on the stored statistics are those of what was decoded
    paths[1].write_bytes(b"")
    assert repair(ours, images) == []
    assert [set(kept_histograms(ours.root, episode)) for episode in ours.episodes] == [set(CAMERAS)] * 2
    assert paths[0].read_bytes() == right
    assert not [one for one in check_folder(ours.root) if "histograms" in one.what]


def test_nothing_is_written_where_the_data_cannot_be_read(ours: Store) -> None:
    set_column(ours.episodes[1].data, "action", lambda old: [[float("nan")] * 6, *old[1:]])
    stored = (ours.root / layout.STATS).read_bytes()
    with pytest.raises(DataError, match=r"Episode 1: action holds numbers that are not finite.*studio drop"):
        repair(ours)
    set_column(ours.episodes[1].data, "action", lambda old: [[0.0] * 6, *old[1:]])
    ours.episodes[0].videos[CAMERAS[0]].write_bytes(b"")
    with pytest.raises(DataError, match="cannot be read"):
        repair(ours, "all")
    assert (ours.root / layout.STATS).read_bytes() == stored


def append(recorder: Store, tmp_path: Path) -> None:
    """Save one more episode."""
    more = make_ours(tmp_path / "more", [5], ["pick"])
    episode = more.episodes[0]
    folder = tmp_path / "again"
    folder.mkdir()
    for camera, path in episode.videos.items():
        shutil.copy(path, folder / f"{camera}.mp4")
    images = read_histograms(more.root / layout.histograms_path(episode.row.episode_id))
    recorder.commit(stage(folder, row=episode.row, task="pick", numeric=more.numeric(0), images=images))


def test_a_recorder_goes_on_after_a_repair(tmp_path: Path) -> None:
    """Its running totals are its own: what it commits next is right again."""
    root = tmp_path / "set"
    make_ours(root, [6, 9], ["pick", "pick"])
    recorder, other = Store.open(root, writing=True), Store.open(root)
    edit_json(root / layout.STATS, lambda stats: stats.pop("action"))
    repair(other)
    append(recorder, tmp_path)
    store = Store.open(root)
    assert store.total_episodes == 3
    assert differences(store, restate(store)) == []


def test_many_processes_count_what_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from curation import histograms

    store = make_packed(tmp_path / "set", [[5, 3], [4]], ["pick"] * 3)
    alone = restate(store, "all", processes=1)
    monkeypatch.setattr(histograms, "_IN_ONE_PROCESS", 0)
    told: list[tuple[int, int]] = []
    together = restate(store, "all", processes=2, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (24, 24)
    for camera in CAMERAS:
        assert all(np.array_equal(alone.whole[camera][name], value) for name, value in together.whole[camera].items())
