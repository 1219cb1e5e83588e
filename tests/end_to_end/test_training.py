"""From nothing to a policy that does the task, by the command line alone; and to one that cannot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.end_to_end.commands import Commands

AT = ("--at", "0.337", "-0.015", "--jitter", "0.02", "--yaw", "0")
STEPS = 300
"""About half a minute of one core; 60 of 60 fresh placements succeeded."""
FEWER = 250
"""With good actions enough for most episodes."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def data(commands: Commands) -> Path:
    """60 expert episodes; cameras are dropped by an edit, the block's pose stays."""
    commands.studio("generate", "-n", "60", *AT, "--width", "32", "--height", "24", "--privileged", "--to", "near")
    cameras = ("overhead_cam", "wrist_cam")
    commands.studio("merge", "near", "--drop-feature", *cameras, "--to", "near-state", "--yes")
    return commands.home / "near-state"


def successes(commands: Commands, run: str) -> tuple[int, int]:
    told = json.loads(commands.studio("evaluate", run, "-n", "20", *AT, "--json").out)
    rows = told["rows"]
    return sum(row["success"] for row in rows), len(rows)


def test_act_learns_the_task_from_the_blocks_pose(commands: Commands, data: Path) -> None:
    train = ("--preset", "cpu-state", "--steps", str(STEPS))
    told = json.loads(commands.studio("train", str(data), *train, "--to", "runs/good", "--json").out)
    assert (told["state"], told["policy"], told["dataset"]["episodes"]) == ("done", "act", 60)
    good, of = successes(commands, "runs/good")
    assert of == 20
    assert good >= 15


def test_shuffled_actions_teach_nothing_and_preflight_says_so(commands: Commands, data: Path) -> None:
    shuffle(data)
    commands.studio("stats", str(data), "--repair")
    train = ("--preset", "cpu-state", "--steps", str(FEWER), "--to", "runs/shuffled")
    refused = commands.studio("train", str(data), *train, code=3)
    assert "does not follow the action" in refused.err
    told = json.loads(commands.studio("train", str(data), *train, "--force", "--json").out)
    assert told["forced"]
    good, _ = successes(commands, "runs/shuffled")
    assert good <= 1


def shuffle(root: Path) -> None:
    """Deal the actions of all frames out anew."""
    rng = np.random.default_rng(0)
    for path in root.glob("data/*/*.parquet"):
        table = pq.read_table(path)
        place = table.column_names.index("action")
        dealt = table["action"].combine_chunks().take(pa.array(rng.permutation(len(table))))
        pq.write_table(table.set_column(place, table.schema.field("action"), dealt), path)
