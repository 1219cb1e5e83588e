"""The twenty gap positions of the earlier work, through the targeted flow: checked beforehand, killed, resumed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from curation.errors import UsageError
from curation.store import Store
from recorders.schedule import MAX_TRIES
from recorders.session import Session
from tests.end_to_end.commands import Commands
from tests.faults.harness import SMALL, Run, attempts, check_with_store, counted
from tests.faults.harness import studio as run_studio
from tests.studio.conftest import Studio, studio

__all__ = ["studio"]
NOISE = 1.5
"""Degrees; enough that some attempts fail."""

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


COMMANDS = [(("generate", "--processes", "2"), 20, 7), (("record",), 3, 1)]
"""Unpaced all of them, killed after seven; in real time the first three, killed after one."""


def written(path: Path, positions: Sequence[tuple[float, float, float]]) -> Path:
    entries = [{"x": x, "y": y, "rotation": turn, "note": f"number {at}"} for at, (x, y, turn) in enumerate(positions)]
    path.write_text(json.dumps({"positions": entries}))
    return path


def flagged(out: str) -> set[tuple[float, float]]:
    return {(line["x"], line["y"]) for line in json.loads(out) if line["problems"]}


def test_the_seven_close_to_the_centres_are_flagged(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gaps = str(written(tmp_path / "gaps.json", GAPS))
    check = ("targets", "check", gaps, "--farther-than", "0.07")
    named = studio(*check, "--near", *CENTRES, "--json")
    assert named.code == 3
    assert flagged(named.out) == CLOSE

    commands = Commands(tmp_path)
    for name, centre in (("one", CENTRES[:2]), ("two", CENTRES[2:])):
        commands.studio("generate", "--to", name, "--at", *centre, "--jitter", "0.02", "-n", "2", *SMALL)
    recorded = studio(*check, "--from", "one", "two", "--json")
    assert recorded.code == 3
    assert flagged(recorded.out) >= CLOSE
    there = [(row.x, row.y) for name in ("one", "two") for row in Store.open(tmp_path / name).rows()]
    assert flagged(recorded.out) == {(x, y) for x, y, _ in GAPS if min(math.dist((x, y), at) for at in there) < 0.07}
    first = json.loads(recorded.out)[0]
    assert (first["nearest"]["x"], first["nearest"]["y"]) in there

    better = str(tmp_path / "better.json")
    said = studio(*check, "--near", *CENTRES, "--write", better)
    assert said.out.rstrip().endswith("7 of 20 flagged")
    assert sum(line.startswith("!") for line in said.out.splitlines()) == 7
    assert studio("targets", "check", better, "--near", *CENTRES).out.rstrip().endswith("0 of 13 flagged")

    # A recording says so too, before it makes anything.
    monkeypatch.setattr("studio.verbs.asked.Asked.open", refuse)
    beforehand = studio("generate", "--to", "new", "--targets", gaps, "--from", "one", "two")
    assert f"{len(flagged(recorded.out))} of 20 positions lie within 0.07 m: (0.25, 0.18) 0.0" in beforehand.err


def refuse(asked: object) -> Session:
    raise UsageError("That is all.")


@pytest.mark.parametrize(("command", "count", "after"), COMMANDS, ids=["generate", "record"])
def test_killed_and_resumed_each_is_there_once(
    tmp_path: Path, command: tuple[str, ...], count: int, after: int
) -> None:
    wanted, listed, root = GAPS[:count], tmp_path / "list.json", tmp_path / "set"
    options = (*command, "--to", root, "--targets", written(listed, wanted), *SMALL)
    run = Run(*options)
    assert run.until(lambda: counted(root) >= after), "\n".join(run.err)
    run.kill()
    assert after <= counted(root) < count

    # Between the runs somebody sorts the file the other way round: a position is known by its id.
    written(listed, wanted[::-1])
    said = run_studio(*options, "--resume")
    assert said.code == 0, "\n".join(said.err)
    check_with_store(root)
    rows = Store.open(root).rows()
    assert sorted((row.x, row.y, row.yaw_deg) for row in rows) == sorted(wanted)
    assert len({row.extra["target"] for row in rows}) == count
    assert all(tuple(row.extra["asked"]) == (row.x, row.y, row.yaw_deg) for row in rows)
    assert all(row.extra["note"].startswith("number ") for row in rows)
    assert {line["target"] for line in attempts(root)} == {row.extra["target"] for row in rows}
    again = run_studio(*options, "--resume")
    assert again.code == 0
    assert any(f"already holds {count} episodes" in line for line in again.err)


def test_what_a_kill_interrupts_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    """With failures and retries; nor does it matter how many processes there are."""
    listed, killed, whole = written(tmp_path / "list.json", GAPS[:3]), tmp_path / "killed", tmp_path / "whole"
    options = ("generate", "--targets", listed, "--noise", NOISE, "--limit", 5, *SMALL)
    run = Run(*options, "--to", killed, "--processes", 2)
    assert run.until(lambda: counted(killed) >= 1), "\n".join(run.err)
    run.kill()
    assert 1 <= counted(killed) < 3
    for root, more in ((killed, "--resume"), (whole, "--processes=1")):
        said = run_studio(*options, "--to", root, more)
        assert said.code == 0, "\n".join(said.err)
    log = attempts(whole)
    facts = ("attempt", "target", "seed", "outcome", "x", "y", "yaw_deg")
    assert [[line[name] for name in facts] for line in log] == [
        [line[name] for name in facts] for line in attempts(killed)
    ]
    failed = [line["target"] for line in log[:3] if not line["kept"]]
    assert len(failed) >= 1
    assert [line["target"] for line in log[3 : 3 + len(failed)]] == failed
    one, two = Store.open(whole), Store.open(killed)
    for a, b in zip(one.episodes, two.episodes, strict=True):
        assert (a.row.seed, a.row.extra["target"]) == (b.row.seed, b.row.extra["target"])
        assert np.array_equal(one.numeric(a.index)["action"], two.numeric(b.index)["action"])


def test_a_list_is_filled_whatever_else_is_there_and_the_trash_is_not(tmp_path: Path) -> None:
    listed = written(tmp_path / "list.json", GAPS[:2])
    commands = Commands(tmp_path)
    commands.studio("generate", "--to", "set", "--at", "0.25", "0.1", "-n", "1", *SMALL)
    options = ("generate", "--to", "set", "--targets", str(listed), "--resume", *SMALL)
    said = commands.studio(*options)
    assert "(3/3" in said.err
    lost = Store.open(tmp_path / "set").rows()[2]
    commands.studio("trash", "set", "--put", "2")
    written(listed, GAPS[:3])
    commands.studio(*options)
    rows = Store.open(tmp_path / "set").rows()
    targets = [row.extra["target"] for row in rows[1:]]
    assert len(targets) == 4
    assert targets.count(lost.extra["target"]) == 2
    assert len(set(targets)) == 3


def test_positions_that_nobody_manages_are_given_up_in_turn_and_named(tmp_path: Path) -> None:
    """Half a second is too short for any."""
    commands = Commands(tmp_path)
    listed = written(tmp_path / "list.json", GAPS[:2])
    said = commands.studio("generate", "--to", "set", "--targets", str(listed), "--limit", "0.5", *SMALL, code=1)
    assert f"2 of 2 positions want episodes after {MAX_TRIES} tries" in said.err
    assert "0.27_0.12_0 (0.27, 0.12)" in said.err
    tried = [line["target"] for line in attempts(tmp_path / "set")]
    assert tried == ["0.27_0.12_0", "0.27_0.05_45"] * MAX_TRIES
