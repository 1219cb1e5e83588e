"""`studio generate`: what it prints, and that resuming goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

from curation.inspect import ATTEMPTS
from tests.end_to_end.commands import Commands
from tests.end_to_end.conftest import SMALL, Made


def test_json_is_all_that_stdout_holds(plain: Made) -> None:
    first, second = (json.loads(said.out) for said in plain.said)
    assert (first["total_episodes"], second["total_episodes"]) == (4, 5)
    assert first["outcomes"] == {"success": 4}
    assert len(second["outcomes"]) == 2
    assert Path(second["dataset"]) == plain.root
    assert plain.said[0].err.count("saved episode") == 4


def test_resuming_goes_on_with_the_next_attempt(plain: Made) -> None:
    lines = [json.loads(line) for line in (plain.root / ATTEMPTS).read_text().splitlines()]
    assert [line["attempt"] for line in lines] == list(range(len(lines)))
    assert len({line["seed"] for line in lines}) == len(lines)
    rows = plain.store.rows()
    assert len({(row.x, row.y, row.yaw_deg) for row in rows}) == 5
    assert (rows[4].success, rows[4].extra["end"]) == (False, "timeout")


def test_resuming_refuses_another_scene_and_an_existing_target(commands: Commands, plain: Made) -> None:
    said = commands.studio("generate", "-n", "6", *SMALL, "--ground", "dark", "--to", "plain", "--resume", code=2)
    assert "ground is checker, asked dark" in said.err
    said = commands.studio("generate", "-n", "6", *SMALL, "--to", "plain", code=2)
    assert "already exists and is never overwritten" in said.err
    assert plain.store.total_episodes == 5


def test_the_same_seed_gives_the_same_episodes(plain: Made, distracted: Made) -> None:
    """Where both scenes place their blocks alike, the expert does alike: what differs is the other block only."""
    for index in range(2):
        one, two = plain.store.rows()[index], distracted.store.rows()[index]
        assert (one.seed, one.x, one.y, one.yaw_deg) == (two.seed, two.x, two.y, two.yaw_deg)
        assert one.episode_id != two.episode_id
