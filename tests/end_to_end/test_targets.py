"""The twenty gap positions of the earlier work, through the targeted flow: checked beforehand, killed, resumed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.store import Store
from tests.end_to_end.commands import Commands
from tests.faults.harness import SMALL, Run, attempts, check_with_store, counted, studio

pytestmark = pytest.mark.filterwarnings("ignore")

GAPS = (
    (0.27, 0.12, 0), (0.27, 0.05, 45), (0.25, 0.18, -30), (0.30, 0.08, 60), (0.22, 0.10, 90), (0.32, 0.15, -45),
    (0.28, -0.02, 120), (0.24, 0.28, -90), (0.35, 0.10, 30), (0.19, 0.15, -60), (0.30, 0.20, 0), (0.25, 0.00, 180),
    (0.32, 0.00, -120), (0.22, 0.20, 45), (0.28, 0.25, 90), (0.33, 0.05, -15), (0.20, 0.05, 135), (0.26, 0.15, -75),
    (0.29, 0.10, 15), (0.23, 0.12, -135),
)  # fmt: skip
"""x, y [m] and rotation [deg]."""
CENTRES = ("0.217", "0.225", "0.337", "-0.015")
CLOSE = {(0.25, 0.18), (0.22, 0.20), (0.28, -0.02), (0.24, 0.28), (0.28, 0.25), (0.32, 0.00), (0.33, 0.05)}
"""Those within 7 cm of a centre."""


@pytest.fixture
def gaps(tmp_path: Path) -> Path:
    path = tmp_path / "gaps.json"
    path.write_text(json.dumps({"positions": [{"x": x, "y": y, "rotation": turn} for x, y, turn in GAPS]}))
    return path


def flagged(out: str) -> set[tuple[float, float]]:
    return {(line["x"], line["y"]) for line in json.loads(out) if line["problems"]}


def test_the_seven_close_to_the_centres_are_flagged(gaps: Path, tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    check = ("targets", "check", str(gaps), "--farther-than", "0.07", "--json")
    assert flagged(commands.studio(*check, "--near", *CENTRES, code=3).out) == CLOSE
    commands.studio("generate", "--to", "one", "--at", *CENTRES[:2], "--jitter", "0.02", "-n", "4", *SMALL)
    commands.studio("generate", "--to", "two", "--at", *CENTRES[2:], "--jitter", "0.02", "-n", "4", *SMALL)
    recorded = placements(tmp_path / "one", tmp_path / "two")
    found = flagged(commands.studio(*check, "--from", "one", "two", code=3).out)
    nearest = {(x, y): min(((x - a) ** 2 + (y - b) ** 2) ** 0.5 for a, b in recorded) for x, y, _ in GAPS}
    assert found == {position for position, metres in nearest.items() if metres < 0.07}
    better = tmp_path / "better.json"
    said = commands.studio(*check, "--near", *CENTRES, "--from", "one", "two", "--write", str(better), code=3)
    assert flagged(said.out) >= CLOSE | found
    assert commands.studio("targets", "check", str(better), "--near", *CENTRES).out.endswith("0 of 13 flagged\n") or (
        len(json.loads(better.read_text())["positions"]) < 13
    )


def placements(*roots: Path) -> list[tuple[float, float]]:
    return [(row.x, row.y) for root in roots for row in Store.open(root).rows()]


@pytest.mark.parametrize("command", [("generate", "--processes", "2"), ("record",)], ids=["generate", "record"])
def test_killed_after_seven_and_resumed_each_is_there_once(
    gaps: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    listed = gaps
    wanted = set(GAPS)
    if command[0] == "record":
        # In real time: four positions, killed after two.
        listed = tmp_path / "few.json"
        listed.write_text(json.dumps({"positions": json.loads(gaps.read_text())["positions"][:4]}))
        wanted = set(GAPS[:4])
    root = tmp_path / "set"
    after = 7 if len(wanted) == 20 else 2
    options = (*command, "--to", root, "--targets", listed, *SMALL)
    run = Run(*options)
    assert run.until(lambda: counted(root) >= after), "\n".join(run.err)
    run.kill()
    assert after <= counted(root) < len(wanted)

    # Between the runs somebody sorts the file the other way round: a position is known by its id.
    entries = json.loads(listed.read_text())["positions"]
    listed.write_text(json.dumps({"positions": entries[::-1]}))
    said = studio(*options, "--resume")
    assert said.code == 0, "\n".join(said.err)
    check_with_store(root)
    rows = Store.open(root).rows()
    assert sorted((row.x, row.y, row.yaw_deg) for row in rows) == sorted(wanted)
    assert len({row.extra["target"] for row in rows}) == len(wanted)
    assert all(tuple(row.extra["asked"]) == (row.x, row.y, row.yaw_deg) for row in rows)
    assert {line["target"] for line in attempts(root)} == {row.extra["target"] for row in rows}
    again = studio(*options, "--resume")
    assert again.code == 0
    assert len(Store.open(root).rows()) == len(wanted)


def test_an_episode_in_the_trash_makes_its_position_pending_again(gaps: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.json"
    few.write_text(json.dumps({"positions": json.loads(gaps.read_text())["positions"][:3]}))
    commands = Commands(tmp_path)
    options = ("generate", "--to", "set", "--targets", str(few), *SMALL)
    commands.studio(*options)
    lost = Store.open(tmp_path / "set").rows()[1]
    commands.studio("trash", "set", "--put", "1")
    commands.studio(*options, "--resume")
    rows = Store.open(tmp_path / "set").rows()
    assert len(rows) == 4
    assert rows[3].extra["target"] == lost.extra["target"]
