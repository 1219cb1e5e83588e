"""A policy records: its rollouts become episodes that say which checkpoint drove."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from curation.frames import Placement, Vector
from curation.store import Store
from recorders.journal import Take
from recorders.sidecar import read_sidecar
from recorders.world.sim import SimWorld
from tests.studio.conftest import Studio, studio
from tests.training.policies import SMALL, tiny_act
from training.checkpoint_card import digest
from training.policy import PolicyOperator, PolicySettings
from training.policy_model import PolicyModel

assert studio
SHORT = ("--width", "64", "--height", "48", "--limit", "0.5", "--keep", "all", "--n-action-steps", "7")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_act(tmp_path_factory.mktemp("policy") / "mine")


def test_what_a_policy_did_is_recorded_with_its_name(
    checkpoint: Path, studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(checkpoint.parent)
    done = studio("record", "--operator", f"policy:{checkpoint}", *SHORT, "-n", "1", "--to", "rollouts")
    assert done.code == 0, done.err
    assert "does not say its scene, its control rate, its cameras' sizes, its units" in done.err
    store = Store.open(tmp_path / "rollouts")
    (row,) = store.rows()
    assert row.operator.startswith("policy:")
    assert row.extra["policy"] == {
        "checkpoint": str(checkpoint), "digest": digest(checkpoint), "run": None, "step": None, "policy": "act",
        "n_action_steps": 7,
    }  # fmt: skip
    take = read_sidecar(store.episode(0).frames)
    assert set(take.by) == {"policy"}
    assert np.array_equal(take.action[:7], chunk_of(checkpoint, take)[:7])


def chunk_of(checkpoint: Path, take: Take) -> Vector:
    """The actions that the policy chooses at the take's start, as far as the arm follows at once."""
    world = SimWorld(SMALL)
    at = take.header["placement"]
    observation = world.reset(int(take.header["seed"]), Placement(at["x"], at["y"], at["yaw_deg"]))
    drives = PolicyOperator(
        PolicyModel(checkpoint, device="cpu"), PolicySettings(n_action_steps=7), fps=30, task=take.header["task"]
    )
    drives.begin([observation], [int(take.header["seed"])])
    actions = []
    for _ in range(7):
        (command,) = drives.act([observation])
        assert command is not None
        actions.append(world.admit(command.action))
        observation = world.step(actions[-1])
    return np.array(actions)


def test_a_policy_that_does_not_fit_or_is_not_there_does_not_record(checkpoint: Path, studio: Studio) -> None:
    wide = [option if option != "64" else "128" for option in SHORT]
    refused = studio("record", "--operator", f"policy:{checkpoint}", *wide, "-n", "1", "--to", "wide")
    assert refused.code == 2
    assert "64x48 in training and is 128x48 here" in refused.err
    absent = studio("record", "--operator", "policy:nobody", "-n", "1", "--to", "none")
    assert absent.code == 2
    assert "Unknown training or checkpoint 'nobody'" in absent.err
    steps = studio("record", "--operator", "expert", "--n-action-steps", "3", "-n", "1", "--to", "none")
    assert "--n-action-steps is for --operator policy:CHECKPOINT" in steps.err


@pytest.mark.parametrize("verb", ["record", "generate"])
def test_actions_without_statistics_are_said_before_a_dataset_is_made_of_them(
    checkpoint: Path, studio: Studio, tmp_path: Path, verb: str
) -> None:
    shutil.copytree(checkpoint, tmp_path / "stripped")
    (stored,) = (tmp_path / "stripped").glob("policy_postprocessor*.safetensors")
    save_file({key: value for key, value in load_file(stored).items() if not key.startswith("action")}, stored)
    done = studio(
        verb, "--operator", f"policy:{tmp_path / 'stripped'}", *SHORT, "-n", "1", "--to", str(tmp_path / verb)
    )
    assert done.code == 0, done.err
    assert done.err.count("holds no statistics of the actions") >= 1


@pytest.mark.slow
def test_processes_generate_what_one_policy_does(checkpoint: Path, studio: Studio, tmp_path: Path) -> None:
    for count in ("1", "2"):
        done = studio(
            "generate", "--operator", f"policy:{checkpoint}", *SHORT, "-n", "3", "--processes", count, "--to", count
        )
        assert done.code == 0, done.err
    one, two = (Store.open(tmp_path / count) for count in ("1", "2"))
    for index in range(3):
        assert (one.numeric(index)["action"] == two.numeric(index)["action"]).all()
