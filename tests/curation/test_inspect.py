"""Inspection: its numbers are those computed by hand, on our datasets and on other people's."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from curation.atomic import write_aside
from curation.attempts import Attempts
from curation.episodes import StagedEpisode
from curation.inspect import EpisodeFacts, Grasp, inspect, table
from curation.layout import ATTEMPTS, TAKES, TRASH
from curation.library import put_to_trash
from curation.rates import wilson
from curation.store import Store
from curation.video import Encoding
from recorders.clock import Unpaced
from recorders.crew import draw_take
from recorders.journal import read_journal
from recorders.operators.named import Who, make_operator
from recorders.placements import Placing, start
from recorders.rescue import bring_back
from recorders.session import Session
from recorders.take import Keep, run_take
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld

FRAMES = 15


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short takes saved, and a third that was not kept."""
    root = tmp_path_factory.mktemp("inspect") / "tiny"
    scene = Scene(width=64, height=48)
    session = Session.create(root, scene, Encoding())
    world = SimWorld(scene)
    operator = make_operator(Who(), world)
    placing = Placing(at=(0.337, -0.015), jitter=0.02)
    for attempt, rule in enumerate((Keep.ALL, Keep.ALL, Keep.SUCCESS)):
        at = start(placing, scene, 5, attempt)
        journal = session.begin(at, "expert", attempt, None)
        _, kept = run_take(world, operator, at, journal, rule=rule, limit=FRAMES, clock=Unpaced())
        take = read_journal(journal.path)
        session.settle(take)
        if kept:
            folder = draw_take(take, root, scene, world.painter, session.store.encoding)
            session.save(StagedEpisode.load(folder))
    world.close()
    session.close()
    return root


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(root, tmp_path / "copy"))


def test_numbers_match_those_computed_by_hand(root: Path) -> None:
    store = Store.open(root)
    found = inspect(store)
    values = [store.numeric(index) for index in range(2)]
    action = np.concatenate([each["action"] for each in values])
    state = np.concatenate([each["observation.state"] for each in values])
    assert (found.total_episodes, found.total_frames, found.seconds) == (2, 2 * FRAMES, 1.0)
    assert found.outcomes == {"never_reached": 2}
    assert (found.success, found.success_of) == (wilson(0, 3), "attempts")
    for column, joint in enumerate(found.joints):
        want = [action.min(0), action.max(0), state.min(0), state.max(0), np.abs(state - action).max(0)]
        have = (joint.action_low, joint.action_high, joint.state_low, joint.state_high, joint.max_gap)
        assert have == pytest.approx([float(each[column]) for each in want], abs=1e-4)
    first, row = found.episodes[0], store.rows()[0]
    assert (first.x, first.y, first.yaw_deg, first.outcome) == (row.x, row.y, row.yaw_deg, row.outcome)
    assert (first.length, first.seconds, first.grasps, first.late) == (FRAMES, 0.5, (), 0)
    assert first.interval_p99_ms is None  # nothing paced it


def test_attempts_count_what_was_not_kept(root: Path) -> None:
    found = inspect(Store.open(root))
    assert found.attempts == Attempts(total=3, kept=2, success=0, unjudged={})
    text = table(found)
    assert "0 of 3 attempts, 95 % CI 0 to 56 %" in text
    assert "attempts    3, 2 kept" in text
    assert "kept        2 never_reached" in text


def test_without_the_log_attempts_are_unknown(copy: Path) -> None:
    (copy / ATTEMPTS).unlink()
    found = inspect(Store.open(copy))
    assert found.attempts is None
    assert "attempts    unknown" in table(found)


def test_what_was_selected_is_counted_and_not_rated(root: Path) -> None:
    found = replace(inspect(Store.open(root)), success=None, success_of="", attempts=None, outcomes={"success": 20})
    text = table(found)
    assert "not known: only what was kept is here" in text
    assert "kept        20 success\n" in text
    assert "CI" not in text


def test_attempts_that_stopped_early_are_shown_apart(root: Path) -> None:
    tried = Attempts(total=5, kept=3, success=1, unjudged={"discarded": 1, "interrupted": 2})
    assert "5, 3 kept, 1 discarded, 2 interrupted" in table(replace(inspect(Store.open(root)), attempts=tried))


def test_takes_that_wait_are_named(copy: Path) -> None:
    for name, notes in (("a", "1 take waits"), ("b", "2 takes wait")):
        write_aside(copy / TAKES / f"{name}.jsonl", b"{}\n")
        assert f"{notes} on disk: studio recover {copy}" in inspect(Store.open(copy)).notes


def test_what_lies_in_the_trash_is_named(copy: Path) -> None:
    ids = [episode.episode_id for episode in inspect(Store.open(copy)).episodes]
    put_to_trash(copy, ids[1:], "person")
    found = inspect(Store.open(copy))
    assert [episode.masked for episode in found.episodes] == [False, True]
    assert any("in the trash" in note and note.endswith("episode 1") for note in found.notes)
    assert sum("in the trash" in line for line in table(found, 120).splitlines()) == 2


def test_a_take_brought_back_from_the_trash_counts_as_an_episode_not_as_kept(copy: Path) -> None:
    (away,) = (copy / TRASH).glob("*.jsonl")
    session = Session.resume(copy)
    try:
        assert bring_back(session, away.stem) == 2
    finally:
        session.close()
    found = inspect(Store.open(copy))
    assert (found.total_episodes, found.attempts) == (3, Attempts(total=3, kept=2, success=0, unjudged={}))
    assert not any("the log counts" in note for note in found.notes)
    assert Store.open(copy).rows()[2].extra["restored"] is True


def test_it_is_json(root: Path) -> None:
    text = json.dumps(asdict(inspect(Store.open(root))), allow_nan=False)
    assert json.loads(text)["success"]["n"] == 3


def test_a_torn_log_and_lost_physics_are_named(copy: Path) -> None:
    with (copy / ATTEMPTS).open("a") as log:
        log.write('{"attempt": 3, "ke')
    next((copy / "meta/studio/frames").iterdir()).unlink()
    notes = "\n".join(inspect(Store.open(copy)).notes)
    assert "1 damaged line" in notes
    assert "physics missing" in notes


def test_a_foreign_dataset_is_inspected_without_studio_columns(copy: Path) -> None:
    shutil.rmtree(copy / "meta/studio")
    for path in copy.glob("meta/episodes/*/*.parquet"):
        whole = pq.read_table(path)
        ours = [name for name in whole.column_names if name.startswith("studio/")]
        pq.write_table(whole.drop_columns(ours), path)
    found = inspect(Store.open(copy))
    assert (found.success, found.attempts, found.scene, found.outcomes) == (None, None, None, {})
    assert [episode.x for episode in found.episodes] == [None, None]
    assert len(found.joints) == 6
    assert "not known" in table(found, 80)


def test_lazy_grips_and_late_frames_are_listed_by_episode(root: Path) -> None:
    found = inspect(Store.open(root))
    lazy = _with_grasp(found.episodes[1])
    text = table(replace(found, lazy_grips=(1,), episodes=(found.episodes[0], lazy)), 120)
    assert "lazy grips  #1" in text
    assert "lazy grip, 2 fumbles" in text
    assert lazy.grip == lazy.grasps[0]


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_table_fits_its_width(root: Path, width: int) -> None:
    found = inspect(Store.open(root))
    wide = replace(found, name="a" * 200, tasks=("word " * 60, "another"), notes=("word " * 90,))
    for each in (found, wide):
        text = table(each, width)
        assert max(map(len, text.splitlines())) <= width
        assert "never_reached" in text


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (4, 4, 0.5101, 1.0), (0, 0, 0, 1)],
)
def test_wilson_intervals_are_the_published_ones(k: int, n: int, low: float, high: float) -> None:
    rate = wilson(k, n)
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=1e-4)


def _with_grasp(episode: EpisodeFacts) -> EpisodeFacts:
    grasps = (Grasp(1.0, 4.0, 1.0, 9.0, 60.0, True, True), Grasp(2.0, 12.0, 0.1, 0.1, 50.0, False, False))
    return replace(episode, grasps=grasps, lazy_grip=True, fumbles=2)
