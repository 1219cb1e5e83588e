"""A classifier trained on 200 attempts of the fumbler is right about others' attempts at places it has not seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.apply import apply
from curation.columns import DropFeature
from curation.frames import Outcome
from curation.plan import Columns, begin, edited
from curation.store import Store
from recorders.sidecar import read_sidecar
from recorders.world.scene import Scene
from tests.classifiers.clumsy import record_clumsy
from tests.end_to_end.commands import Commands

pytestmark = [pytest.mark.slow, pytest.mark.timeout(9000)]

SIZE = ("--width", "320", "--height", "240")
LEARNED_BOX, HELD_BOX = (0.20, 0.29, -0.10, 0.25), (0.315, 0.36, -0.10, 0.20)
"""Places learned from, and others at least a block away from all of them [m]."""
LEARNED, HELD_EACH = 200, 100
NEAR_MISS_M = 0.075
"""A failure with the block this close to the bowl's axis is a near miss [m]: held over it, on its rim, half let go."""
LONG = 3600.0
UNENDED = ("--done-by", "nobody")
"""What the judge ended tells its outcome by its length."""


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return Commands(tmp_path_factory.mktemp("classified"))


@pytest.fixture(scope="module")
def attempts(commands: Commands) -> Store:
    box = map(str, LEARNED_BOX)
    commands.studio(
        "generate", "--operator", "fumbler", "--keep", "all", "-n", str(LEARNED), "--seed", "5", "--box", *box,
        *SIZE, "--to", "attempts", timeout=LONG,
    )  # fmt: skip
    return Store.open(commands.home / "attempts")


@pytest.fixture(scope="module")
def others(commands: Commands) -> list[str]:
    """Attempts of the noisy expert, of somebody clumsy and of a policy that has learnt the task half."""
    box = tuple(map(str, HELD_BOX))
    commands.studio(
        "generate", "--operator", "expert", "--noise", "2", "--keep", "all", *UNENDED,
        "-n", str(HELD_EACH), "--seed", "71",
        "--box", *box, *SIZE, "--to", "noisy", timeout=LONG,
    )  # fmt: skip
    record_clumsy(commands.home / "clumsy", Scene(width=320, height=240), HELD_EACH, HELD_BOX, 72)
    near = ("--at", "0.337", "-0.015", "--yaw", "0")
    commands.studio(
        "generate", *near, "--jitter", "0.02", "--privileged", "-n", "40", *SIZE,
        "--to", "demonstrations",
    )  # fmt: skip
    plan = begin([Store.open(commands.home / "demonstrations")])
    for camera in Scene().cameras:
        plan = edited(plan, Columns(DropFeature(f"observation.images.{camera}")))
    apply(plan, commands.home / "states", tell=lambda *told: None)
    train = ("train", "states", "--preset", "cpu-state", "--steps", "300", "--seed", "1", "--to", "half")
    commands.studio(*train, "--device", "cpu", timeout=LONG)
    commands.studio(
        "generate", "--operator", "policy:half", "--keep", "all", *UNENDED, "-n", str(HELD_EACH), "--seed", "73", *near,
        "--jitter", "0.022", "--limit", "7", *SIZE, "--to", "half", timeout=LONG,
    )  # fmt: skip
    return ["noisy", "clumsy", "half"]


@pytest.fixture(scope="module")
def card(commands: Commands, attempts: Store, others: list[str]) -> dict[str, Any]:
    said = commands.studio("classifier", "attempts", "--on", *others, "--to", "done", "--json", timeout=LONG)
    return dict(json.loads(said.out))


def is_near_miss(store: Store, index: int) -> bool:
    """Whether an episode failed with the block at the bowl."""
    episode, bowl = store.episodes[index], store.scene["table"]["bowl"]
    first, _ = store.scene["physics"]["layout"]["block"]
    x, y = read_sidecar(episode.frames).physics[-1, 1 + first : 3 + first]
    return not episode.row.success and float(np.hypot(x - bowl["x"], y - bowl["y"])) < NEAR_MISS_M


def test_the_fumbler_succeeds_about_every_other_time_and_often_nearly(attempts: Store) -> None:
    good = sum(episode.row.success for episode in attempts.episodes)
    near = sum(is_near_miss(attempts, episode.index) for episode in attempts.episodes)
    assert 0.4 * LEARNED <= good <= 0.6 * LEARNED
    assert near >= 0.15 * (LEARNED - good)
    outcomes = {episode.row.outcome for episode in attempts.episodes}
    assert outcomes >= {*Outcome} - {Outcome.TIMEOUT, Outcome.KNOCKED_AWAY}


def test_it_is_right_about_others_at_other_places(card: dict[str, Any]) -> None:
    assert (len(card["tested"]), card["passed_over"]) == (3 * HELD_EACH, 0)
    assert all(part["n"] == 3 * HELD_EACH for part in card["new"].values()), "new places, sessions and policies"
    assert card["auroc"]["value"] >= 0.98
    assert card["precision_at_recall_90"][0] >= 0.97
    assert len(card["by_policy"]) == 3
    assert all(part["auroc"]["value"] >= 0.95 for part in card["by_policy"].values())


def test_it_looks_at_the_block_and_at_nothing_else(card: dict[str, Any]) -> None:
    assert set(card["pairs"]) == {"moved out of the bowl", "on the rim", "still held"}
    assert all(pair["k"] >= 0.95 * pair["n"] and pair["n"] >= 50 for pair in card["pairs"].values())
    assert set(card["controls"]) >= {"length only", "joints only", "block and bowl painted out"}
    shuffled = card["controls"]["shuffled labels"]
    assert 0.35 <= shuffled["value"] <= 0.65
    assert card["looks"]["as recorded"]["value"] >= 0.98


def test_it_took_less_than_ten_minutes(commands: Commands, card: dict[str, Any]) -> None:
    told = json.loads((commands.home / "runs/done/classifier.json").read_bytes())
    assert told["seconds"] < 600
    assert Path(commands.home / "runs/done/card.png").stat().st_size > 10_000
