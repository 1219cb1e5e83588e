"""coverage: what it prints, proposes, draws and writes; proposals are recordable and far from all data."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curation import layout
from curation.frames import Placement
from curation.library import put_to_trash
from curation.targets import read_targets
from recorders.session import scene_card
from recorders.world import reach
from recorders.world.scene import Scene
from tests.curation.placed import TABLE, placed
from tests.studio.conftest import Studio

DATA = np.array([[0.217, 0.225], [0.337, -0.015]])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("coverage")
    placed(home / "pos1", [(0.217, 0.225), (0.22, 0.23)], length=2)
    placed(home / "pos2", [(0.337, -0.015), (0.15, 0.0)], length=2)
    put_to_trash(home / "pos2", ["pos2-1"], "person")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluation(path: Path, count: int = 160, top: float = 0.95) -> None:
    rng = np.random.default_rng(0)
    points = TABLE.lattice[rng.choice(len(TABLE.lattice), count)]
    data = np.array([[0.217, 0.225], [0.22, 0.23], [0.337, -0.015]])
    away = np.linalg.norm(points[:, None] - data[None], axis=2).min(axis=1)
    success = rng.random(count) < top / (1 + np.exp((away - 0.09) / 0.01))
    rows = [f"{x},{y},{int(good)}" for (x, y), good in zip(points, success)]
    path.write_text("\n".join(["x,y,success", *rows, ""]))


def test_the_next_positions_are_recordable_and_far_from_all_data(studio: Studio, home: Path) -> None:
    said = studio("coverage", "pos1", "pos2", "--next", "6", "--to", "next.json", "--picture", "map.png", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert (told["episodes"], told["without_placement"], told["estimate"]) == (3, 1, None)
    assert 0.05 < told["share"] < 0.4
    positions = read_targets(home / "next.json")
    assert [(p["x"], p["y"]) for p in told["proposals"]] == [(t.x, t.y) for t in positions]
    assert len(positions) == 6
    for target, proposal in zip(positions, told["proposals"]):
        assert reach.problems(Scene(), Placement(target.x, target.y)) == []
        away = min(math.dist((target.x, target.y), place) for place in [*DATA, (0.22, 0.23)])
        assert away == pytest.approx(proposal["nearest"], abs=1e-4)
        assert away >= 0.07
    # The masked episode counts for nothing: the gap around it is offered.
    with Image.open(home / "map.png") as drawn:
        assert drawn.format == "PNG"
        assert drawn.width == 1200
    assert studio("targets", "check", "next.json", "--from", "pos1", "pos2").code == 0
    assert studio("coverage", "pos1", "--next", "1", "--to", "next.json").code == 2


def test_the_text_has_a_map_and_the_numbers(studio: Studio, home: Path) -> None:
    said = studio("coverage", "pos1", "pos2", "--next", "2", "--box", "0.15", "0.4", "-0.1", "0.28")
    assert said.code == 0, said.err
    assert "3 episodes with a known placement, 1 masked or without one" in said.out
    assert "an --evaluation would tell" in said.out
    assert "x m |" in said.out
    assert "A-B proposed" in said.out
    few = studio("coverage", "pos1", "--next", "90", "--farther-than", "0.2")
    assert few.code == 0
    assert "of 90 positions are 0.2 m apart and from data" in few.err


def test_an_evaluation_tells_the_radius_and_where_to_go(studio: Studio, home: Path) -> None:
    evaluation(home / "eval.csv")
    said = studio("coverage", "pos1", "pos2", "--evaluation", "eval.csv", "--next", "4", "--json", "--seed", "1")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    whole = told["estimate"]["whole"]
    assert whole["low"] < 0.089 < whole["high"]
    assert told["radius"] == whole["metres"] == pytest.approx(0.089, abs=0.02)
    assert set(told["estimate"]["directions"]) == {"away", "left", "towards", "right"}
    assert told["estimate"]["seed"] == 1
    assert all(proposal["nearest"] > 0.09 for proposal in told["proposals"])
    assert all("fails up to" in proposal["why"] for proposal in told["proposals"])
    text = studio("coverage", "pos1", "pos2", "--evaluation", "eval.csv", "--next", "2", "--by", "gaps")
    assert "radius, where success crosses 50 %: " in text.out
    assert "cm from data" in text.out


def test_an_evaluation_that_cannot_tell_is_called_inconclusive(studio: Studio, home: Path) -> None:
    evaluation(home / "eval.csv", top=0.02)
    said = studio("coverage", "pos1", "--evaluation", "eval.csv")
    assert said.code == 0, said.err
    assert "inconclusive: " in said.out
    assert "7 cm is taken instead" in said.out


def test_other_tables_and_none(studio: Studio, home: Path) -> None:
    (home / "pos2" / layout.SCENE).write_text(json.dumps(scene_card(Scene(overhead_fov=30.0))))
    narrow = studio("coverage", "pos1", "pos2", "--next", "20", "--json")
    assert "different tables" in narrow.err
    assert all(reach.in_view(Scene(overhead_fov=30.0), Placement(p["x"], p["y"]))
               for p in json.loads(narrow.out)["proposals"])  # fmt: skip
    (home / "pos2" / layout.SCENE).write_text("{}")
    alone = studio("coverage", "pos2")
    assert alone.code == 0
    assert "standard scene's table" in alone.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "at least one dataset"),
        (("pos1", "--next", "-1"), "0 or more"),
        (("pos1", "--to", "t.json"), "needs --next"),
        (("pos1", "--by", "evaluation"), "needs --evaluation"),
        (("pos1", "--evaluation", "none.csv"), "cannot be read"),
        (("pos1", "--box", "0.8", "0.9", "0", "0.1"), "Nothing can be recorded in the box"),
        (("pos1", "--farther-than", "0"), "positive number"),
        (("pos1", "--next", "3", "--farther-than", "2", "--to", "t.json"), "No position is left"),
    ],
)
def test_refusals(studio: Studio, home: Path, words: tuple[str, ...], says: str) -> None:
    said = studio("coverage", *words)
    assert said.code == 2
    assert says in said.err
    assert not (home / "t.json").exists()
