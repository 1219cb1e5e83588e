"""One take: what is kept, and what stays on disk when it does not end by itself."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from curation.errors import StudioError
from curation.frames import Ending, Outcome, Placement, Status, Verdict
from recorders.journal import Journal, read_journal
from recorders.operators import each
from recorders.rollout import Start
from recorders.take import Ended, Keep, TakeFailed, Unwritten, keeps, run_take, run_takes
from tests.fakes import LineWorld, Unplugged, Walker

START = Start(3, Placement(0.25, 0.0))


def take(path: Path, driver, *, rule: Keep = Keep.ALL, goal: float = 1e9, limit: int = 10, **more):
    journal = Journal(path / "t.jsonl", {"episode_id": "t", "attempt": 0})
    return run_take(LineWorld(goal=goal), each(lambda _: driver), START, journal, rule=rule, limit=limit, **more)


@pytest.mark.parametrize("verdict", [None, *Verdict])
@pytest.mark.parametrize(
    ("status", "outcome"), list(itertools.product([Status.SUCCESS, Status.TIMEOUT, Status.ENDED], Outcome))
)
def test_keep_rules(status: Status, outcome: Outcome, verdict: Verdict | None) -> None:
    ending = Ending(status, outcome, {"verdict": verdict.value} if verdict else {})
    assert keeps(Keep.ALL, ending)
    assert keeps(Keep.SUCCESS, ending) == (outcome is Outcome.SUCCESS)
    assert keeps(Keep.VERDICT, ending) == (verdict is Verdict.SAVE)


@pytest.mark.parametrize("rule", Keep)
def test_what_a_person_discards_is_never_kept(rule: Keep) -> None:
    ending = Ending(Status.DISCARDED, Outcome.SUCCESS, {"verdict": "discard"})
    assert not keeps(rule, ending)


def test_a_take_that_ends_has_a_footer(tmp_path: Path) -> None:
    seen = []
    ending, kept = take(tmp_path, Walker(at=-1), watch=seen.append, measured=lambda: {"tick": 1.5})
    stored = read_journal(tmp_path / "t.jsonl")
    assert kept
    assert len(seen) == len(stored) == 10
    assert ending.report == {"steps": 10, "tick": 1.5}
    assert stored.footer["kept"]
    assert stored.footer["report"] == ending.report
    assert stored.footer["end"] == "timeout"


def test_a_take_that_is_not_kept_is_stored_as_such(tmp_path: Path) -> None:
    _, kept = take(tmp_path, Walker(at=-1), rule=Keep.SUCCESS)
    stored = read_journal(tmp_path / "t.jsonl")
    assert not kept
    assert stored.footer["kept"] is False
    assert len(stored) == 10


def test_a_take_without_frames_is_not_kept(tmp_path: Path) -> None:
    ending, kept = take(tmp_path, Walker(verdict=Verdict.SAVE, at=0))
    assert ending.status is Status.ENDED
    assert not kept
    assert read_journal(tmp_path / "t.jsonl").footer["kept"] is False


@pytest.mark.parametrize(
    ("driver", "frames"),
    [(Walker(error=StudioError("cable out."), at=6), 6), (Walker(nan=True, at=6), 6), (Unplugged(), 0)],
)
def test_a_failing_operator_leaves_its_frames_as_an_unfinished_take(tmp_path: Path, driver, frames: int) -> None:
    with pytest.raises(TakeFailed, match=f"failed after {frames} frames: .*studio recover"):
        take(tmp_path, driver)
    stored = read_journal(tmp_path / "t.jsonl")
    assert stored.footer is None
    assert len(stored) == frames


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("port vanished"), RuntimeError("bug")])
def test_whatever_else_happens_the_frames_stay(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        take(tmp_path, Walker(error=error, at=6))
    stored = read_journal(tmp_path / "t.jsonl")
    assert stored.footer is None
    assert len(stored) == 6


def journals(path: Path, count: int) -> list[Journal]:
    return [Journal(path / f"{number}.jsonl", {"episode_id": str(number)}) for number in range(count)]


def settled(number: int, ending: Ending) -> tuple[Ending, bool]:
    return replace(ending, report={**ending.report, "world": number}), number != 1


def test_takes_in_lockstep_end_one_by_one_each_in_its_own_journal(tmp_path: Path) -> None:
    drivers = [Walker(at=-1), Walker(verdict=Verdict.STOP, at=4), Walker(nan=True, at=6), Walker(at=-1)]
    logs = [*journals(tmp_path, 3), Unwritten()]
    ended = list(
        run_takes(
            [LineWorld() for _ in drivers], each(lambda number: drivers[number]), [START] * 4, logs,
            settle=settled, limit=9, until_success=True,
        )
    )  # fmt: skip
    assert [(one.number, one.kept, one.frames, bool(one.failed)) for one in ended] == [
        (1, False, 4, False), (2, False, 6, True), (0, True, 9, False), (3, True, 9, False),
    ]  # fmt: skip
    stored = [read_journal(tmp_path / f"{number}.jsonl") for number in range(3)]
    assert [len(take) for take in stored] == [9, 4, 6]
    assert [take.footer and take.footer["kept"] for take in stored] == [True, False, None]
    assert stored[0].footer["report"]["world"] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.jsonl", "1.jsonl", "2.jsonl"]


def test_takes_that_are_left_stay_unfinished(tmp_path: Path) -> None:
    drivers = [Walker(verdict=Verdict.SAVE, at=2), Walker(at=-1)]
    takes = run_takes(
        [LineWorld(), LineWorld()], each(lambda number: drivers[number]), [START] * 2, journals(tmp_path, 2),
        settle=settled, limit=9, until_success=True,
    )  # fmt: skip
    first: Ended = next(takes)
    assert (first.number, first.kept) == (0, True)
    takes.close()  # type: ignore[attr-defined]
    assert [read_journal(tmp_path / f"{number}.jsonl").footer is None for number in range(2)] == [False, True]
