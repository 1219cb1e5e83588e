"""Attempts in lockstep: the same ones however often they are killed, and a referee in the judge's place."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from curation.layout import ATTEMPTS
from curation.notes import masked, read_notes
from curation.store import Store
from curation.targets import Target
from curation.video import Encoding
from recorders.fleet import Order, fleet, save_made
from recorders.operators.named import Who
from recorders.placements import Placing
from recorders.referee import Rule
from recorders.schedule import Schedule, Turns
from recorders.session import Session
from recorders.take import Keep
from recorders.world.scene import Scene

SCENE = Scene(width=32, height=24)
TARGETS = tuple(Target(name, x, 0.0) for name, x in (("a", 0.28), ("b", 0.30), ("c", 0.32)))


@pytest.fixture(scope="module", autouse=True)
def parts() -> Iterator[None]:
    """Workers are other processes, which find what drives there by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent)
        yield


def lockstep() -> Any:
    return importlib.import_module("lockstep")


def order(**more: Any) -> Order:
    given = {
        "who": Who(name="together", make=lockstep().Together), "placing": Placing(targets=TARGETS, jitter=0.01),
        "seed": 3, "rule": Rule.of(Keep.ALL), "limit": 6, "worlds": 3, "most": 8, **more,
    }  # fmt: skip
    return Order(**given)


def made(root: Path, asked: Order, turns: bool = False, stop: int | None = None, hold: str = "") -> Path:
    """Generate into a dataset, new or begun; with `stop`, give up after so many attempts, as a kill would."""
    session = Session.resume(root) if root.exists() else Session.create(root, SCENE, Encoding())
    who = Turns(Schedule(TARGETS, 2), session.tried(), session.by_target) if turns else None
    attempts = fleet(session, asked, who, processes=1)
    try:
        for one in islice(attempts, stop):
            save_made(session, one, hold=hold)
    finally:
        attempts.close()
        session.close()
    return root


def log(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / ATTEMPTS).read_text().splitlines()]


def driven(root: Path) -> dict[int, bytes]:
    """The actions of each attempt that was kept."""
    store = Store.open(root)
    rows = store.rows()
    return {int(row.extra["attempt"]): store.numeric(index)["action"].tobytes() for index, row in enumerate(rows)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight attempts that nobody killed."""
    return made(tmp_path_factory.mktemp("fleet") / "whole", order())


@pytest.mark.parametrize("stops", [(4, None), pytest.param((1, 3, 1, None), marks=pytest.mark.slow)])
def test_what_is_made_together_is_the_same_after_kills_in_its_midst(
    whole: Path, tmp_path: Path, stops: Sequence[int | None]
) -> None:
    root = tmp_path / "killed"
    for stop in stops:
        made(root, order(), stop=stop)
    lines = log(root)
    assert [line["attempt"] for line in lines] == list(range(8))
    assert [line["batch"] for line in lines] == [[0, 3]] * 3 + [[3, 3]] * 3 + [[6, 2]] * 2
    assert [line["target"] for line in lines] == list("abcabcab")
    assert len({line["episode_id"] for line in lines}) == 8
    assert driven(root) == driven(whole)
    drew = list(driven(whole).values())
    assert len(set(drew)) == 8


@pytest.mark.slow
def test_turns_among_positions_make_the_same_batches_after_a_kill(tmp_path: Path) -> None:
    asked = order(worlds=2, most=None)
    one, killed = tmp_path / "one", tmp_path / "killed"
    made(one, asked, turns=True)
    for stop in (1, 2, None):
        made(killed, asked, turns=True, stop=stop)
    for root in (one, killed):
        assert [line["batch"] for line in log(root)] == [[0, 2]] * 2 + [[2, 1]] + [[3, 2]] * 2 + [[5, 1]]
    assert driven(one) == driven(killed)


def test_a_referee_decides_and_the_judges_word_stands_beside_its_own(tmp_path: Path) -> None:
    by = lockstep().EVEN
    rule = Rule(Keep.ALL, by, lockstep().EvenSeeds, audit=0.5)
    root = made(tmp_path / "set", order(rule=rule, most=12), hold="nobody yet")
    lines = log(root)
    assert {line["kept"] for line in lines} == {True, False}
    for line in lines:
        even = line["seed"] % 2 == 0
        assert (line["kept"], line["referee"]["accepts"], line["keep"]) == (even, even, by)
        assert line["why"] == ("" if even else f"{by}: 0.00, asked 0.5")
        assert line["outcome"] == "never_reached"
        assert line["audited"] == rule.audits(line["seed"])
    assert 2 <= sum(line["audited"] for line in lines) <= 10
    store = Store.open(root)
    assert {store.episode(index).length for index in range(store.total_episodes)} == {3}
    assert {row.extra["keep"] for row in store.rows()} == {by}
    assert masked(read_notes(root)) == {row.episode_id for row in store.rows()}


def test_the_share_of_attempts_that_is_audited_is_the_asked_one_and_the_seeds() -> None:
    rule = Rule(Keep.ALL, lockstep().EVEN, lockstep().EvenSeeds, audit=0.2)
    drawn: Iterator[bool] = (rule.audits(seed) for seed in range(5000))
    assert sum(drawn) / 5000 == pytest.approx(0.2, abs=0.02)
    assert not any(Rule(Keep.ALL, lockstep().EVEN, lockstep().EvenSeeds, audit=0.0).audits(seed) for seed in range(50))
    assert all(Rule.of(Keep.ALL).audits(seed) for seed in range(50))


@pytest.mark.parametrize(("ends", "lengths"), [("judge", False), ("nobody", True)])
def test_the_judge_ends_attempts_only_where_it_is_asked_to(tmp_path: Path, ends: str, lengths: bool) -> None:
    """The expert succeeds well within 8 s; what nobody ends lasts until the limit, and is judged all the same."""
    rule = replace(Rule.of(Keep.ALL), ends=ends)
    asked = order(who=Who(), placing=Placing(at=(0.3, 0.0), yaw=0.0), rule=rule, limit=240, worlds=1, most=1)
    (line,) = log(root := made(tmp_path / "set", asked))
    assert (Store.open(root).episode(0).length == 240) is lengths
    assert line["outcome"] == "success"
    assert line.get("ends", "judge") == ends


def test_a_referee_may_end_attempts_that_all_are_kept(tmp_path: Path) -> None:
    rule = Rule(Keep.ALL, "all", lockstep().EvenSeeds, ends="by even seeds")
    lines = log(root := made(tmp_path / "set", order(rule=rule)))
    assert all(line["kept"] and line["referee"]["by"] == line["ends"] == "by even seeds" for line in lines)
    assert {line["referee"]["accepts"] for line in lines} == {False, True}
    assert {episode.length for episode in Store.open(root).episodes} == {3}
    assert not any("audited" in line for line in lines)
