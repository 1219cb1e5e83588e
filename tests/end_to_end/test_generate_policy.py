"""A policy that succeeds now and then makes attempts at many positions, is killed twice, and its successes are data."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from curation.layout import ATTEMPTS, TAKES, YIELD
from curation.rates import wilson
from curation.store import Store
from tests.end_to_end.commands import Commands
from tests.faults.harness import Run

AREA = ("--box", "0.22", "0.36", "-0.08", "0.12")
SIZE = ("--width", "128", "--height", "96", "--privileged")
STEPS = 130
"""Of a training that learns the task by halves."""
ATTEMPTED, POSITIONS = 100, 20

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def generator(commands: Commands) -> str:
    """An ACT trained on 100 demonstrations of the expert, spread over the area."""
    commands.studio("generate", "-n", "100", *AREA, "--yaw", "0", *SIZE, "--to", "demos")
    cameras = ("overhead_cam", "wrist_cam")
    commands.studio("merge", "demos", "--drop-feature", *cameras, "--to", "demos-state", "--yes")
    commands.studio("train", "demos-state", "--preset", "cpu-state", "--steps", str(STEPS), "--to", "runs/half")
    return "runs/half"


def lines(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / ATTEMPTS).read_text().splitlines()]


def test_what_a_policy_keeps_of_its_attempts_is_accounted_for_checked_merged_and_trained_on(
    commands: Commands, generator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in commands.surroundings.items():
        monkeypatch.setenv(name, value)
    root = commands.home / "tries"
    commands.studio("targets", "make", "next.json", "--grid", "5", "4", *AREA)
    command = (
        "generate", "--operator", f"policy:{generator}", "--targets", "next.json", "--jitter", "0.01", "--yaw", "0",
        *SIZE, "--attempts", str(ATTEMPTED), "--to", "tries",
    )  # fmt: skip
    for take in (13, 57):
        run = Run(*command, cwd=commands.home)
        run.until(lambda take=take: run.said(f"^take {take}: "), limit=900)
        run.kill()
    told = json.loads(commands.studio(*command, "--json").out)

    found = lines(root)
    assert [line["attempt"] for line in found] == list(range(ATTEMPTED))
    assert Counter(line["target"] for line in found) == Counter(dict.fromkeys({line["target"] for line in found}, 5))
    assert len({line["target"] for line in found}) == POSITIONS
    assert all(line["kept"] == (line["outcome"] == "success") for line in found)
    assert all(line["why"] == ("" if line["kept"] else f"judge: {line['outcome']}") for line in found)
    kept = {line["episode_id"] for line in found if line["kept"]}
    assert {row.episode_id for row in Store.open(root).rows()} == kept
    assert not list((root / TAKES).glob("*"))
    assert 30 <= len(kept) <= 70
    assert told["yield"] == json.loads((root / YIELD).read_text())
    assert sum(one["accepted"] for one in told["yield"]["positions"]) == len(kept)
    assert told["yield"]["total"]["base"]["low"] == pytest.approx(wilson(len(kept), ATTEMPTED).low)

    commands.studio("check", "tries")
    commands.studio("merge", "demos", "tries", "--to", "both", "--yes")
    assert Store.open(commands.home / "both").total_episodes == 100 + len(kept)
    cameras = ("overhead_cam", "wrist_cam")
    commands.studio("merge", "both", "--drop-feature", *cameras, "--to", "both-state", "--yes")
    done = commands.studio(
        "train", "both-state", "--preset", "cpu-state", "--steps", "20", "--to", "runs/more", "--json"
    )
    assert json.loads(done.out)["state"] == "done"


@pytest.fixture(scope="module")
def classifier(commands: Commands) -> str:
    """One that learned from the fumbler, with its card."""
    attempts = ("generate", "--operator", "fumbler", "--keep", "all", "-n", "100", *AREA)
    commands.studio(*attempts, "--width", "128", "--height", "96", "--seed", "9", "--to", "fumbled")
    commands.studio("classifier", "fumbled", "--no-controls", "--to", "runs/done")
    return "runs/done"


def test_a_classifier_ends_and_keeps_takes_in_the_judges_place(
    commands: Commands, generator: str, classifier: str
) -> None:
    commands.studio("targets", "make", "four.json", "--grid", "2", "2", *AREA)
    command = (
        "generate", "--operator", f"policy:{generator}", "--targets", "four.json", "--jitter", "0.02", "--yaw", "0",
        "--width", "128", "--height", "96", "--seed", "21", "--attempts", "40", "--keep", f"classifier:{classifier}",
        "--audit", "0.5", "--to", "judged",
    )  # fmt: skip
    card = commands.home / classifier / "card.json"
    told = card.read_bytes()
    card.unlink()
    assert "studio card" in commands.studio(*command, code=3).err
    assert not (commands.home / "judged").exists()
    card.write_bytes(told)
    done = json.loads(commands.studio(*command, "--json").out)

    found = lines(commands.home / "judged")
    assert len(found) == 40
    by = done["yield"]["asked"]["keep"]
    assert by.startswith("classifier:done@")
    assert {line["keep"] for line in found} == {line["referee"]["by"] for line in found} == {by}
    assert all(line["kept"] == line["referee"]["accepts"] for line in found)
    assert all(line["kept"] == (line["referee"]["probability"] >= line["referee"]["threshold"]) for line in found)
    assert {line["status"] for line in found} <= {"ended", "timeout"}, "the judge ends no take"
    audited = [line for line in found if line["audited"]]
    assert 10 <= len(audited) <= 30
    right = [line["outcome"] == "success" for line in audited if line["kept"]]
    precision = done["yield"]["total"]["precision"]
    assert (precision["k"], precision["n"]) == (sum(right), len(right))
    agree = sum(line["kept"] == (line["outcome"] == "success") for line in found)
    assert agree >= 32
