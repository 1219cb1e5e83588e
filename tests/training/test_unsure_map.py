"""Where a policy was unsure: maps, places proposed by it, and what a report says of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curation.coverage import grid
from curation.errors import UsageError
from curation.targets import read_targets
from curation.trials import Trials, read_trials
from tests.curation.placed import TABLE, placed
from tests.studio.conftest import Studio, studio
from tests.training.evaluations import unsure_row, write_evaluation
from training.evaluated import read_evaluation
from training.map_picture import DOUBTS
from training.maps import trials_of
from training.proposals import propose
from training.unsure_map import unsure_cells

__all__ = ["studio"]
pytestmark = pytest.mark.filterwarnings("ignore")

MIDDLE = (0.3, 0.15)


def unsure_in_the_middle(home: Path, run: str = "a", times: float = 1.0, **carried: Any) -> Path:
    """A grid of evaluated places; where the policy is unsure lies elsewhere than where it fails."""
    rng = np.random.default_rng(1)
    places = [place for place in grid((0.2, 0.4, -0.05, 0.25), 5, 7) for _ in range(3)]
    places = [(round(x + rng.uniform(-0.005, 0.005), 5), round(y, 5)) for x, y in places]
    folder = write_evaluation(home, run, [x > 0.3 for x, _ in places], places=places, **carried)
    told = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    for number, one in enumerate(told):
        deg = times + times * 8.0 * math.exp(-((math.dist((one["x"], one["y"]), MIDDLE) / 0.05) ** 2))
        said = unsure_row(one["success"], [deg] * 7, one["frames"])
        one |= {name: said[name] for name in ("disagreement_deg", "disagreement")}
        if number % 10 == 0:
            one |= {"disagreement_deg": None, "disagreement": {"times": 0, "why_not": "it ended before a second chunk"}}
    (folder / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    return folder


def test_a_map_shows_where_a_policy_is_unsure(studio: Studio, home: Path, tmp_path: Path) -> None:
    unsure_in_the_middle(home)
    said = studio("map", "a", "--show", "disagreement", "--picture", "a.png", "--json")
    assert said.code == 0, said.err
    (told,) = json.loads(said.out)["maps"]
    assert sum(cell["n"] for cell in told["unsure_cells"]) == told["unsure"]["n"] == 94
    most = max(told["unsure_cells"], key=lambda cell: cell["middle"])
    assert math.dist((most["cell"]["x"], most["cell"]["y"]), MIDDLE) < 0.04
    assert most["least"] <= most["middle"] <= most["most"]
    with Image.open(tmp_path / "a.png") as picture:
        colours = {colour for _, colour in picture.getcolors(1 << 24)}
    assert DOUBTS[-1] in colours
    text = studio("map", "a", "--show", "disagreement").out
    assert "deg (" in text
    assert "within the 150 frames that all of them lasted: AUROC" in text
    assert "(94 episodes, " in text
    write_evaluation(home, "old", [True, False] * 5)
    for words, says in (
        (("old", "--show", "disagreement"), "these rows do not say it"),
        (("a", "--show", "spread"), "studio evaluate --samples 8"),
        (("a", "--show", "disagreement", "--smooth"), "leave --smooth"),
    ):
        refused = studio("map", *words)
        assert (refused.code, says in refused.err) == (2, True), refused.err


def test_where_it_is_unsure_is_proposed_to_try_and_to_record(studio: Studio, home: Path, tmp_path: Path) -> None:
    folder = unsure_in_the_middle(home)
    said = studio("map", "a", "--propose", "4", "--aim", "unsure", "--to", "next.json", "--json")
    assert said.code == 0, said.err
    made = read_targets(tmp_path / "next.json")
    assert all(math.dist((place.x, place.y), MIDDLE) < 0.05 for place in made)
    assert len({(place.x, place.y) for place in made}) == 4
    assert "unsure by" in json.loads(said.out)["proposals"][0]["why"]
    placed(tmp_path / "data", [(0.337, -0.015)], length=2)
    table = str(folder / "rows.jsonl")
    said = studio("coverage", "data", "--evaluation", table, "--by", "unsure", "--next", "2", "--json")
    assert said.code == 0, said.err
    first, second = json.loads(said.out)["proposals"]
    assert math.dist((first["x"], first["y"]), MIDDLE) < 0.03
    assert math.dist((first["x"], first["y"]), (second["x"], second["y"])) > 0.02
    assert "unsure by" in first["why"]
    refused = studio("coverage", "data", "--by", "unsure", "--next", "2")
    assert (refused.code, "--by unsure needs --evaluation" in refused.err) == (2, True)
    trials = read_trials(folder / "rows.jsonl")
    assert trials.unsure is not None
    assert np.isnan(trials.unsure).sum() == 11
    ours = trials_of(read_evaluation(folder).rows).unsure
    assert ours is not None
    assert np.array_equal(trials.unsure, ours, equal_nan=True)


def test_policies_that_were_carried_out_differently_are_not_compared_by_it(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    """With fewer actions of each chunk carried out, less has changed when the next one comes."""
    unsure_in_the_middle(home)
    trained = {"trained": {"chunk_size": 40}}
    unsure_in_the_middle(home, "twice", 2.0)
    unsure_in_the_middle(home, "often", 0.1, settings={"n_action_steps": 5, "ensemble": None, "batch": 8}, **trained)
    said = studio("map", "a", "twice", "--show", "disagreement", "--propose", "3", "--aim", "unsure", "--json")
    assert said.code == 0, said.err
    tops = [{cell["top"] for cell in one["unsure_cells"] if cell["n"]} for one in json.loads(said.out)["maps"]]
    assert tops[0] == tops[1], "carried out alike: one scale"
    assert "different ways" not in studio("map", "a", "twice", "--show", "disagreement").out
    both = ("map", "a", "often", "--show", "disagreement")
    said = studio(*both, "--json")
    tops = [{cell["top"] for cell in one["unsure_cells"] if cell["n"]} for one in json.loads(said.out)["maps"]]
    assert tops[1].pop() < 1.0 < tops[0].pop(), "each has its own"
    text = studio(*both).out
    assert "They were carried out in different ways" in text
    assert "a@000100: act, 20 of unknown actions, 30 fps; often@000100: act, 5 of 40 actions, 30 fps" in text
    refused = studio(*both, "--propose", "3", "--aim", "unsure")
    assert (refused.code, "Name one of them" in refused.err) == (2, True)
    assert studio("report", "a", "often", "--no-films", "--to", "two.html").code == 0
    assert "compare episodes of one, not one with the other" in (tmp_path / "two.html").read_text()
    assert studio("report", "a", "twice", "--no-films", "--to", "alike.html").code == 0
    assert "compare episodes of one" not in (tmp_path / "alike.html").read_text()


def test_a_trial_that_broke_off_says_nothing_of_it(home: Path) -> None:
    folder = unsure_in_the_middle(home)
    told = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    told[5] |= {"disagreement_deg": 400.0, "error": "The physics broke.", "success": False}
    (folder / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told))
    rows = read_evaluation(folder).rows
    for trials in (read_trials(folder / "rows.jsonl"), trials_of(rows)):
        assert trials.unsure is not None
        assert (len(trials), np.isnan(trials.unsure).sum()) == (105, 12)
        assert np.nanmax(trials.unsure) < 10
    assert max(cell.most for cell in unsure_cells(rows, "disagreement", 0.05)) < 10


def test_one_unsure_trial_far_from_all_others_does_not_outweigh_many() -> None:
    crowd = np.repeat([[0.3, 0.1]], 12, axis=0) + np.random.default_rng(0).uniform(-0.005, 0.005, (12, 2))
    points = np.concatenate([crowd, [[0.2, -0.05]], np.repeat([[0.4, 0.2]], 12, axis=0)])
    unsure = np.array([5.0] * 12 + [6.0] + [1.0] * 12)
    trials = Trials(points, np.ones(25, bool), unsure=unsure)
    first = propose(TABLE.lattice, trials, 1, "unsure")[0]
    assert math.dist((first.x, first.y), (0.3, 0.1)) < 0.02
    with pytest.raises(UsageError, match="how unsure the policy was"):
        propose(TABLE.lattice, Trials(points, np.ones(25, bool)), 1, "unsure")


def test_the_report_says_what_it_is_worth(studio: Studio, home: Path, tmp_path: Path) -> None:
    folder = unsure_in_the_middle(home)
    known = [one for one in read_evaluation(folder).rows if one.told["disagreement_deg"] is not None]
    write_evaluation(home, "old", [True, False] * 5)
    said = studio("report", "a", "--no-films", "--to", "a.html")
    assert said.code == 0, said.err
    text = (tmp_path / "a.html").read_text()
    for words in ("How unsure it was", "each chunk contradicts the one before by", "length alone", "0.5 is a coin",
                  f"94 episodes, {sum(not one.success for one in known)} failed"):  # fmt: skip
        assert words in text, words
    assert studio("report", "old", "--no-films", "--to", "old.html").code == 0
    assert "disagreement: these rows do not say it" in (tmp_path / "old.html").read_text()
