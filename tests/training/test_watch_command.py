"""`studio watch`: the same episode as evaluated or recorded, kept as a history that can be gone on from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.frames import Frame, Placement
from recorders.rollout import Start, rollout
from recorders.world.scene import fingerprint
from recorders.world.sim import SimWorld, worlds_of
from studio.evaluating import Setup, pose_of
from studio.watching.files import read_history
from studio.watching.opening import Watched, opened
from tests.studio.conftest import Ended, Studio, studio
from tests.training.evaluations import write_run
from tests.training.policies import SMALL, tiny_act, tiny_diffusion
from training.policy import PolicyOperator, PolicySettings
from training.policy_model import PolicyModel

assert studio
QUICK = ("--limit", "1", "--device", "cpu")
AT = ("--at", "0.3", "0.0", "--jitter", "0.02")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs: one with a checkpoint that sees the block's pose and no image."""
    home = tmp_path_factory.mktemp("runs")
    write_run(home, "a")
    folder = tiny_act(home / "a/train/checkpoints/000100/pretrained_model", cameras=(), privileged=True)
    card: dict[str, Any] = {
        "version": 1, "run": "a", "group": "a", "step": 100, "policy": "act", "seed": 3, "fps": 30, "task": "Pick it",
        "scene": {"fingerprint": fingerprint(SMALL), "scene": asdict(SMALL)}, "cameras": {}, "privileged": True,
        "dataset": {"name": "pos2"},
    }  # fmt: skip
    (folder / "studio.json").write_text(json.dumps(card))
    return home


@pytest.fixture
def home(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in; evaluations go to the shared runs."""
    monkeypatch.setenv("STUDIO_RUNS", str(trained))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for rows in trained.glob("a/evaluations/*/*"):
        rows.unlink()


def run(studio: Studio, *options: str) -> Ended:
    done = studio(*options)
    assert done.code == 0, done.err
    return done


def test_an_episode_is_the_first_of_an_evaluation_and_its_history_says_all(home: Path, studio: Studio) -> None:
    told = json.loads(run(studio, "watch", "a", *AT, *QUICK, "--samples", "2", "--json").out)
    assert told["folder"] == "watched/a@000100-1"
    rated = json.loads(run(studio, "evaluate", "a", *AT, *QUICK, "-n", "1", "--batch", "1", "--json").out)
    (row,) = rated["rows"]
    history = read_history(home / told["folder"])
    ending = history.told["ending"]
    assert (ending["outcome"], len(history)) == (row["outcome"], row["frames"])
    assert (history.told["seed"], history.told["placement"]["x"]) == (row["seed"], row["x"])
    assert len(history.asked) == row["calls"] == 3
    assert history.told["checkpoint"]["run"] == "a"
    assert history.told["scene"]["fingerprint"] == fingerprint(SMALL)
    assert {"mujoco", "torch", "lerobot", "loop"} <= history.told["versions"].keys()
    assert told["joints"][0]["joint"] == "shoulder_pan"
    again = run(studio, "watch", "a", *AT, *QUICK, "--no-whiskers")
    assert "watched/a@000100-2" in again.out, "nothing is overwritten"
    assert "seed" in again.out.splitlines()[0]
    said = run(studio, "watch", "a", *AT, *QUICK, "--samples", "1").out
    assert "this policy draws nothing" in said
    assert read_history(home / "watched/a@000100-2")[3].whisker is None
    far = run(studio, "watch", "a", "--at", "0.6", "0", *QUICK, "--no-whiskers")
    assert "the arm cannot do it there: out of the arm's reach" in far.out


def test_an_evaluated_episode_is_watched_again_as_its_row_says(home: Path, trained: Path, studio: Studio) -> None:
    run(studio, "evaluate", "a", *AT, *QUICK, "-n", "6", "--batch", "4", "--gripper-bias", "5")
    done = run(studio, "watch", "--row", "a:5", "--to", "five")
    assert "as row 5 says" in done.out
    assert "NOT" not in done.out
    told = read_history(home / "five").told
    assert (told["compared"]["equal"], told["settings"]["gripper_bias"], len(told["seat"])) == (True, 5, 2)
    refused = studio("watch", "--row", "a:9", "--to", "nine")
    assert (refused.code, "It has 0 to 5" in refused.err) == (2, True)
    run(studio, "evaluate", "a", *AT, *QUICK, "-n", "1", "--batch", "1")
    refused = studio("watch", "--row", "a:0", "--to", "nine")
    assert (refused.code, "2 evaluations with a row 0. Name one: --row " in refused.err) == (2, True), refused.err
    for rows in trained.glob("a/evaluations/*/rows.jsonl"):
        rows.write_text("")
    refused = studio("watch", "--row", "a:0")
    assert (refused.code, "No episode of a was evaluated yet" in refused.err) == (2, True), refused.err


def test_a_recorded_episode_of_the_policy_is_watched_bit_for_bit(home: Path, trained: Path, studio: Studio) -> None:
    run(studio, "generate", "--operator", "policy:a", "--at", "0.3", "0.0", "--jitter", "0.02", "--width", "64",
        "--height", "48", "--limit", "0.8", "--keep", "all", "-n", "2", "--privileged", "--n-action-steps", "7",
        "--to", str(home / "rollouts"))  # fmt: skip
    done = run(studio, "watch", "a", "--episode", f"{home / 'rollouts'}:1", "--to", "w")
    assert "bit for bit as recorded" in done.out, done.out
    history = read_history(home / "w")
    assert (history.told["settings"]["n_action_steps"], history.told["source"]["episode"]) == (7, 1)
    done = run(studio, "watch", "a", "--episode", f"{home / 'rollouts'}:1", "--n-action-steps", "2")
    assert "NOT as recorded (24 frames): otherwise from frame 2 on" in done.out, done.out


def test_a_history_is_gone_on_with_otherwise(home: Path, studio: Studio) -> None:
    run(studio, "watch", "a", *AT, *QUICK, "--to", "w")
    done = run(studio, "watch", "--again", "w", "--from-frame", "14", "--n-action-steps", "3", "--to", "v")
    assert "from frame 14 on: n_action_steps 3" in done.out
    one, other = read_history(home / "w"), read_history(home / "v")
    assert np.array_equal(one.columns.physics[:15], other.columns.physics[:15])
    assert other.asked == (0, 10, *range(14, 30, 3))
    refused = studio("watch", "--again", "w", "--from-frame", "30", "--n-action-steps", "3")
    assert (refused.code, "--from-frame 30 is outside 0 to 29, the frames of w" in refused.err) == (2, True)
    run(studio, "watch", "--again", "v", "--no-whiskers", "--to", "u")
    assert read_history(home / "u")[3].whisker is None
    assert np.array_equal(read_history(home / "u").columns.physics, other.columns.physics)


def test_what_was_changed_is_taken_back(home: Path, studio: Studio) -> None:
    run(studio, "watch", "a", *AT, *QUICK, "--no-whiskers", "--gripper-bias", "5", "--to", "w")
    done = run(studio, "watch", "--again", "w", "--from-frame", "14", "--usual", "gripper_bias", "blind", "--to", "v")
    assert "from frame 14 on: gripper_bias 0.0, blind none" in done.out, done.out
    told = read_history(home / "v").told
    assert (told["began"]["gripper_bias"], told["settings"]["gripper_bias"]) == (5, 0)
    done = run(studio, "watch", "--again", "v", "--no-whiskers", "--to", "u")
    refused = studio("watch", "--again", "w", "--from-frame", "3", "--usual", "gripper_bias", "--gripper-bias", "3")
    assert (refused.code, "takes back what --gripper-bias asks for" in refused.err) == (2, True), refused.err


def test_a_history_that_was_carried_elsewhere_goes_on_with_its_checkpoint_named_anew(
    home: Path, trained: Path, studio: Studio
) -> None:
    run(studio, "watch", "a", *AT, *QUICK, "--no-whiskers", "--to", "w")
    told = json.loads((home / "w/watch.json").read_text())
    told["checkpoint"] |= {"name": "gone", "folder": "/gone"}
    (home / "w/watch.json").write_text(json.dumps(told))
    assert "30 frames" in run(studio, "watch", "--history", "w").out, "looking needs no policy"
    go_on = ("--again", "w", "--from-frame", "20", "--n-action-steps", "3", "--no-whiskers")
    refused = studio("watch", *go_on)
    assert refused.code != 0
    assert "name it: studio watch CHECKPOINT --again FOLDER" in refused.err
    other = tiny_act(home / "other", cameras=(), privileged=True, seed=1)
    (other / "studio.json").write_text((card := next(trained.rglob("studio.json"))).read_text())
    refused = studio("watch", str(other), *go_on)
    assert (refused.code != 0, "has other weights than gone" in refused.err) == (True, True), refused.err
    run(studio, "watch", str(card.parent), *go_on, "--to", "v")
    assert read_history(home / "v").told["checkpoint"]["name"] == str(card.parent)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "studio watch --at X Y needs a checkpoint"),
        (("a", "--row", "a:1"), "is of the checkpoint that drove then"),
        (("a", "--episode", "x:1", "--at", "0.3", "0"), "begins in one way"),
        (("--again", "w", "--n-action-steps", "3"), "goes on otherwise with --from-frame"),
        (("a", "--from-frame", "3"), "goes on otherwise with --from-frame"),
        (("a", "--samples", "101"), "outside 0 to 100"),
        (("a", "--to", "."), "already exists"),
        (("a", "--latency", "real", *QUICK), "nobody can repeat that"),
        (("--row", "a"), "must be RUN:N"),
        (("--row", "a:1", "--limit", "3"), "--limit says nothing with --row"),
        (("--row", "a:1", "--gripper-bias", "3"), "watched as it was evaluated"),
        (("a", "--episode", "x:1", "--seed", "3"), "--seed says nothing with --episode"),
        (("a", "--episode", "x"), "must be DATASET:INDEX"),
    ],
)
def test_what_does_not_go_together_is_refused(home: Path, studio: Studio, options: tuple[str, ...], why: str) -> None:
    refused = studio("watch", *options)
    assert (refused.code, why in refused.err) == (2, True), refused.err
    assert not (home / "watched").exists()


def test_who_sat_in_a_batch_is_watched_in_the_same_seat(tmp_path: Path) -> None:
    """A policy that draws: its noise depends on the batch's first seed and on where in the batch a world is."""
    folder = tiny_diffusion(tmp_path / "diffusion")
    model = PolicyModel(folder, device="cpu")
    settings = PolicySettings(batch=3).resolved(model)
    starts = [Start(20 + number, Placement(0.25 + 0.03 * number, 0.05)) for number in range(3)]
    worlds = worlds_of(SMALL, 3)
    operator = PolicyOperator(model, settings, fps=30, task="Pick", poses=[pose_of(world) for world in worlds])
    driven: list[list[Frame]] = [[] for _ in worlds]
    for number, event in rollout(worlds, operator, starts, limit=20):
        if isinstance(event, Frame):
            driven[number].append(event)
    setup = Setup(folder, SMALL, settings, "cpu", 1, "Pick", "x", 20)
    for seat, alike in (((20, 21), True), (None, False)):
        session = opened(Watched(setup, starts[1], "x", seat=seat), model)
        with closing(session.world):
            session.finish()
        same = np.array_equal([frame.physics for frame in driven[1]], session.history.columns.physics[:-1])
        assert same is alike
    assert isinstance(worlds[0], SimWorld)
    worlds[0].close()
