"""episodes with filters: what stays of several datasets, why the rest does not, and control sets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from curation import layout
from curation.fingerprint import fingerprint
from curation.library import entries, put_to_trash
from recorders.session import scene_card
from recorders.world.scene import Scene
from studio.verbs.choose import Choose, choose
from tests.curation.placed import placed
from tests.studio.conftest import Studio

GAPS = [(0.22, 0.20), (0.32, 0.00), (0.22, 0.10), (0.40, 0.10), (0.02, 0.10), (0.22, 0.10)]
"""Near pos1, near pos2, two that are far from both, one at the edge of the view, and a copy of the third."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("choose")
    rng = np.random.default_rng(0)
    motions = {i: np.cumsum(rng.normal(size=(12, 6)), axis=0) for i in range(5)}
    motions[5] = motions[2]
    placed(home / "gap", GAPS, actions=motions, extra={3: {"lazy_grip": True}})
    placed(home / "pos1", [(0.217, 0.225)] * 2, length=12)
    placed(home / "pos2", [(0.337, -0.015)], failures=[0], actions={0: motions[0]})
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_the_gap_filter_of_the_issue(studio: Studio, home: Path) -> None:
    before = fingerprint(home / "gap")
    said = studio("episodes", "gap", "--farther-than", "0.07", "--from", "pos1", "pos2", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["kept"] == {"gap": ["gap-2", "gap-3", "gap-4", "gap-5"]}
    assert told["dropped"]["gap"]["gap-0"] == "0.025 m from (0.217, 0.225) in pos1, nearer than 0.07"
    assert told["dropped"]["gap"]["gap-1"] == "0.023 m from (0.337, -0.015) in pos2, nearer than 0.07"
    text = studio("episodes", "gap", "--from", "pos1", "pos2").out
    assert "gap: 4 of 6" in text
    assert "0.025 m from" in text
    assert fingerprint(home / "gap") == before


def test_every_filter_at_once_over_several_datasets(studio: Studio, home: Path) -> None:
    put_to_trash(home / "pos1", ["pos1-1"], "person")
    filters = (
        "--where",
        "outcome:success",
        "--in-view",
        "--no-duplicates",
        "--no-lazy",
        "--near",
        "0.25",
        "0.15",
        "0.25",
    )
    said = studio("episodes", "gap", "pos1", "pos2", *filters, "--controls", "both", "--seed", "3", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["kept"] == {"gap": ["gap-0", "gap-1", "gap-2"], "pos1": ["pos1-0"], "pos2": []}
    dropped = told["dropped"]
    assert "lazy" in dropped["gap"]["gap-3"]
    assert "every camera's view" in dropped["gap"]["gap-4"]
    assert dropped["gap"]["gap-5"].startswith("the same motion as episode 2 of gap, which is kept (12 frames")
    assert dropped["pos1"] == {"pos1-1": "it is masked"}
    assert dropped["pos2"] == {"pos2-0": "outcome is timeout, asked outcome:success"}
    random, matched = told["controls"]
    assert (random["kind"], random["seed"], len(random["keys"])) == ("random", 3, 4)
    # Candidates are those that fit the query: not the masked one, not the failure.
    assert {tuple(key) for key in random["keys"]} <= {*(("gap", f"gap-{i}") for i in range(6)), ("pos1", "pos1-0")}
    assert sorted(map(tuple, matched["keys"])) == [("gap", "gap-3"), ("gap", "gap-4"), ("gap", "gap-5")]
    assert matched["asked"] == 4


def test_a_copy_in_another_dataset_is_found(home: Path) -> None:
    found = choose(Choose(no_duplicates=True), [home / "gap", home / "pos2"])
    assert found.parts[1].selection.dropped["pos2-0"].startswith("the same motion as episode 0 of gap, which is kept")
    assert found.why == "no duplicates"


def test_controls_of_a_query_are_drawn_from_all(home: Path) -> None:
    found = choose(Choose(where="x>0.3", controls="matched"), [home / "gap"])
    assert found.parts[0].selection.kept == ("gap-1", "gap-3")
    assert len(found.controls[0].keys) == 2
    assert not set(found.controls[0].keys) & {("gap", "gap-1"), ("gap", "gap-3")}
    assert "2 episodes" in found.controls[0].words


def test_datasets_of_one_folder_name_are_told_apart(home: Path) -> None:
    other = home / "elsewhere"
    other.mkdir()
    placed(other / "gap", GAPS[:1], ids=["gap-0"])
    found = choose(Choose(near=(0.3, 0.0, 0.05)), [home / "gap", other / "gap"])
    assert [part.name for part in found.parts] == [str(home / "gap"), str(other / "gap")]
    assert [part.selection.kept for part in found.parts] == [("gap-1",), ()]


def test_a_dataset_of_before_tables_were_stored(home: Path) -> None:
    """Its table is worked out from its scene."""
    card = scene_card(Scene())
    del card["table"]
    (home / "gap" / layout.SCENE).write_text(json.dumps(card))
    found = choose(Choose(in_view=True), [home / "gap"])
    assert set(found.parts[0].selection.dropped) == {"gap-4"}


def test_the_plain_list_stays_a_list(studio: Studio, home: Path) -> None:
    told = json.loads(studio("episodes", "gap", "pos1", "--where", "y>0.15", "--json").out)
    assert [(entry["dataset"], entry["episode_id"]) for entry in told] == [
        ("gap", "gap-0"), ("pos1", "pos1-0"), ("pos1", "pos1-1"),
    ]  # fmt: skip
    slow = json.loads(studio("episodes", "gap", "--where", "path>0 jumps=0", "--json").out)
    assert len(slow) == 6
    assert all(entry["motion"]["path"] > 0 for entry in slow)
    assert len(entries(home / "gap")) == 6


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gap", "--farther-than", "0.05"), "from what? Name datasets with --from"),
        (("gap", "gap", "--in-view"), "named twice"),
        (("gap", "--controls", "random", "--seed", "-1"), "at least 0"),
        (("gap", "--from", "pos1", "--farther-than", "-1"), "positive number"),
        (("gap", "--from", "nowhere"), "not a LeRobot v3 dataset"),
        (("gap", "--near", "0.3", "0", "nan"), "positive number"),
        (("gap", "--where", "jork<3"), "Did you mean jerk?"),
    ],
)
def test_refusals(studio: Studio, home: Path, words: tuple[str, ...], says: str) -> None:
    said = studio("episodes", *words)
    assert said.code == 2
    assert says in said.err


def test_no_scene_no_view(studio: Studio, home: Path) -> None:
    (home / "gap" / layout.SCENE).write_text('{"block": "cube"}')
    said = studio("episodes", "gap", "--in-view")
    assert said.code == 2
    assert "stores no reach and no view" in said.err


def test_a_dataset_that_tells_no_placement_is_refused_and_silent_episodes_are_counted(
    studio: Studio, home: Path
) -> None:
    put_to_trash(home / "pos1", ["pos1-0"], "person")
    told = json.loads(studio("episodes", "gap", "--from", "pos1", "pos2", "--json").out)
    assert told["from"] == {
        "pos1": {"placements": 1, "unknown": 0, "masked": 1}, "pos2": {"placements": 1, "unknown": 0, "masked": 0},
    }  # fmt: skip
    assert "pos1 tells 1 placements, 1 masked left out" in studio("episodes", "gap", "--from", "pos1", "pos2").out
    put_to_trash(home / "pos1", ["pos1-1"], "person")
    said = studio("episodes", "gap", "--from", "pos1")
    assert (said.code, "--from pos1 tells no placement (2 masked)" in said.err) == (2, True)
