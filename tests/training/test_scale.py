"""studio scale: nested subsets, every checkpoint evaluated, taken up again where it was interrupted."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curation.errors import UsageError
from curation.fingerprint import fingerprint
from curation.store import Store
from studio.training_options import Training
from tests.studio.conftest import Studio, studio
from tests.training.policies import tiny_act
from tests.training.runs import TINY_ACT
from training.bootstrap import group_rate
from training.scale import Point, nested, picture, usual_counts
from training.subset import Subset
from training.task import prepared

__all__ = ["studio"]


def test_subsets_are_nested_random_and_repeat_by_seed() -> None:
    found = nested(range(100, 160), (1, 2, 5, 20, 60), seed=3)
    sets = [set(found[count]) for count in sorted(found)]
    assert [len(each) for each in sets] == [1, 2, 5, 20, 60]
    assert all(small < large for small, large in pairwise(sets))
    assert found == nested(range(100, 160), (60, 20, 5, 2, 1), seed=3)
    assert found[20] != nested(range(100, 160), (20,), seed=4)[20]
    # Not the first ones: the mean place of many draws is the middle.
    places = [np.mean(nested(range(60), (5,), seed)[5]) for seed in range(400)]
    assert np.mean(places) == pytest.approx(29.5, abs=1.5)
    for counts in ((0,), (61,), (2, 2), ()):
        with pytest.raises(UsageError, match="different numbers from 1 to 60"):
            nested(range(60), counts, 0)
    assert usual_counts(60) == (1, 2, 5, 10, 20, 50, 60)
    assert usual_counts(1) == (1,)
    assert usual_counts(100) == (1, 2, 5, 10, 20, 50, 100)


def test_the_curve_is_drawn_with_its_intervals() -> None:
    rng = np.random.default_rng(0)
    points = [
        Point(count, step, step == 200, group_rate([rng.random(20) < count / 60 for _ in range(3)]))
        for count in (1, 5, 20, 50)
        for step in (100, 200)
    ]
    drawn = picture(points, "pos2: success by number of episodes", "at 0.337 -0.015")
    assert isinstance(drawn, Image.Image)
    assert len(drawn.getcolors(1 << 24)) > 50


def test_what_was_trained_before_is_evaluated_at_every_checkpoint(
    studio: Studio, home: Path, arm: Path, lerobot: None
) -> None:
    store = Store.open(arm)
    recipe = Training(device="cpu").recipe(store)
    for count, steps in ((1, (10,)), (3, (10,)), (4, (10, 20))):
        name = f"grow-n{count:04d}"
        chosen = Subset(store, nested(range(4), (count,), 0)[count])
        run = prepared(home / name, name, chosen, recipe, fingerprint(store), where="", forced=())
        run.update(state="stopped" if count == 3 else "done")
        for step in steps:
            folder = home / name / f"train/checkpoints/{step:06d}/pretrained_model"
            tiny_act(folder, cameras=(), privileged=True, seed=step)
            card = {"version": 1, "run": name, "group": name, "step": step, "policy": "act", "seed": 0}
            (folder / "studio.json").write_text(json.dumps(card))
    words = ("scale", str(arm), "--to", "grow", "--counts", "1", "2", "3", "4", "--eval-only", "-n", "2", "--limit",
             "0.5", "--at", "0.337", "-0.015", "--device", "cpu")  # fmt: skip
    said = studio(*words, "--picture", "curve.png", "--json")
    assert said.code == 0, said.err
    assert "grow-n0002 was not trained and is left out" in said.err
    assert "grow-n0003 is not trained to its end and is left out" in said.err
    told = json.loads(said.out)["points"]
    assert [(point["episodes"], point["step"], point["last"]) for point in told] == [
        (1, 10, True),
        (4, 10, False),
        (4, 20, True),
    ]
    assert all(point["rate"]["episodes"] == [2] for point in told)
    assert (home.parent / "curve.png").is_file()
    text = studio(*words[:5], "1", *words[9:], "--last-only")  # of one amount
    assert text.code == 0
    assert "one training: says nothing about the recipe" in text.out
    assert "2 of 2 episodes are there already" in text.err
    assert "not the last" not in text.out
    # What is of the name only is no point of this curve.
    for other in (("--seed", "3"), ("--batch-size", "3"), ("--steps", "7")):
        refused = studio(*words, *other)
        assert refused.code == 2, other
        assert "is a training of other episodes or settings" in refused.err


@pytest.mark.slow
def test_amounts_are_trained_evaluated_and_gone_on_with(studio: Studio, home: Path, arm: Path, lerobot: None) -> None:
    data = Path(shutil.copytree(arm, home.parent / "arm"))
    words = ("scale", str(data), "--to", "grow", "--counts", "1", "3", "--steps", "4", "--batch-size", "4", "--set",
             *TINY_ACT, "save_freq=2", "--device", "cpu", "-n", "2", "--limit", "1", "--at", "0.337", "-0.015",
             "--width", "64", "--height", "48", "--other-scene", "--force")  # fmt: skip
    said = studio(*words, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)["points"]
    assert [(point["episodes"], point["step"]) for point in told] == [(1, 2), (1, 4), (3, 2), (3, 4)]
    ids = [json.loads((home / f"grow-n000{count}/run.json").read_text())["dataset"]["episode_ids"] for count in (1, 3)]
    assert set(ids[0]) < set(ids[1])
    # As a kill in the second training's second half would leave it.
    run = home / "grow-n0003"
    shutil.rmtree(run / "train/checkpoints/000004")
    told_run = json.loads((run / "run.json").read_text()) | {"state": "stopped"}
    (run / "run.json").write_text(json.dumps(told_run))
    shutil.rmtree(run / "evaluations")
    again = studio(*words, "--json")
    assert again.code == 0, again.err
    assert "grow-n0001 is trained already" in again.err
    assert "resuming grow-n0003 from step 2" in again.err
    assert [point["rate"] for point in json.loads(again.out)["points"]] == [point["rate"] for point in told]
    other = studio(*words[:6], "2", *words[6:], "--seed", "9")
    assert other.code == 2
    assert "is a training of other episodes or settings" in other.err
