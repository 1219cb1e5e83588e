"""`studio replay`: the stored action column alone brings every episode back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.frames import JOINTS
from tests.end_to_end.commands import Commands
from tests.end_to_end.conftest import Made

OPEN_GRIPPER = 60.0


def change_actions(made: Made, to: Path, episode: int, rows: slice, joint: str, by: float | None, value: float) -> Path:
    """A copy of a dataset with one joint's action set to `value`, or moved by `by`, in some frames of an episode."""
    root = Path(shutil.copytree(made.root, to))
    path = root / made.store.episode(episode).data.relative_to(made.root)
    table = pq.read_table(path)
    column = table.schema.get_field_index("action")
    actions = np.array(table["action"].to_pylist(), np.float32)
    chosen = actions[rows, JOINTS.index(joint)]
    actions[rows, JOINTS.index(joint)] = value if by is None else chosen + by
    kind = table.schema.field("action").type
    table = table.set_column(column, table.schema.field("action"), pa.array(list(actions), kind))
    pq.write_table(table, path)
    return root


def test_all_are_equal_bit_for_bit(commands: Commands, plain: Made, distracted: Made) -> None:
    said = commands.studio("replay", str(plain.root))
    assert said.out.count("equal bit for bit,") == 5
    assert "5 of 5 episodes hold, 5 are equal bit for bit." in said.out
    told = json.loads(commands.studio("replay", str(distracted.root), "--json").out)
    assert [row["equal"] for row in told["episodes"]] == [True, True]
    assert {row["joint_deg"] + row["block_mm"] for row in told["episodes"]} == {0.0}


def test_an_action_that_changes_the_outcome_is_found(commands: Commands, plain: Made, tmp_path: Path) -> None:
    root = change_actions(plain, tmp_path / "open", 1, slice(None), "gripper", None, OPEN_GRIPPER)
    said = commands.studio("replay", str(root), code=3)
    assert "episode 1: joints drift" in said.out
    assert "success became never_picked_up" in said.out
    assert "4 of 5 episodes hold, 4 are equal bit for bit." in said.out
    told = json.loads(commands.studio("replay", str(root), "--episode", "1", "--json", code=3).out)
    assert [(row["episode"], row["same_outcome"], row["equal"]) for row in told["episodes"]] == [(1, False, False)]
    assert "4 are equal" not in commands.studio("replay", str(root), "--episode", "0", "2").out


def test_a_small_change_is_told_as_drift(commands: Commands, plain: Made, tmp_path: Path) -> None:
    root = change_actions(plain, tmp_path / "nudged", 0, slice(5, 8), "wrist_roll", 0.5, 0.0)
    told = json.loads(commands.studio("replay", str(root), "--episode", "0", "--json", code=3).out)["episodes"][0]
    assert told["same_outcome"] is True
    assert told["faults"] == ["the actions do not lead to what was recorded"]
    assert told["equal"] is False
    assert 0.1 < told["joint_deg"] < 2.0


def test_an_episode_that_is_not_there_is_named(commands: Commands, plain: Made) -> None:
    assert (
        "Unknown episode '7'. Valid: 0 to 4."
        in commands.studio("replay", str(plain.root), "--episode", "7", code=2).err
    )
