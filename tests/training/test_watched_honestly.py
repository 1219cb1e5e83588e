"""Watching does not say more than it knows: what was as recorded, which alarms still hold, what could be kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import CannotWrite, StudioError, TargetExists, UsageError
from curation.frames import Ending, Outcome, Placement, Status
from recorders.rollout import Start
from studio.console import Console
from studio.evaluating import Setup
from studio.verbs.watch import Watch, _kept
from studio.watching.compared import with_episode, with_row
from studio.watching.files import read_history, require_new, require_writable
from studio.watching.history import History
from studio.watching.opening import Watched, opened
from studio.watching.repeating import repeated
from studio.watching.session import Session
from tests.training.policies import SMALL, tiny_act
from tests.training.thinkers import amplified
from training.evaluated import Row
from training.policy import PolicySettings
from training.policy_model import PolicyModel
from training.rows import facts

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

START = Start(3, Placement(0.3, 0.0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_act(tmp_path_factory.mktemp("honest") / "act", cameras=(), privileged=True)


@pytest.fixture
def model(folder: Path) -> PolicyModel:
    return PolicyModel(folder, device="cpu")


def session_of(folder: Path, model: PolicyModel, frames: int, **more: Any) -> Session:
    settings = PolicySettings(n_action_steps=10).resolved(model)
    setup = Setup(folder, SMALL, settings, "cpu", 1, "Pick it", "policy:tiny", frames)
    return opened(Watched(setup, START, str(folder), whiskers=False, **more), model)


@pytest.fixture
def session(folder: Path, model: PolicyModel) -> Iterator[Session]:
    """One that has ended after 20 frames."""
    made = session_of(folder, model, 20)
    with closing(made.world):
        made.finish()
        yield made


@pytest.fixture
def history(session: Session) -> History:
    return session.history


def test_an_alarm_of_frames_that_are_gone_is_gone_and_comes_again_with_them(folder: Path, tmp_path: Path) -> None:
    still = amplified(folder, tmp_path / "still", 0)
    session = session_of(still, PolicyModel(still, device="cpu"), 61)
    with closing(session.world):
        session.finish()
        (said,) = session.history.told["alarms"]
        assert "it has learnt to stand still" in said
        session.go(5)
        session.go_on()
        assert session.history.told["alarms"] == [], "nobody could say so in frame 5"
        session.finish()
        assert session.history.told["alarms"] == [said]
        session.go(0)
        session.change(n_action_steps=7)
        assert session.history.told["alarms"] == []


def row_of(history: History) -> Row:
    told = history.told["ending"]
    ending = Ending(Status(told["status"]), Outcome(told["outcome"]), told["report"])
    phases = {mark.phase for mark in history.columns.marks}
    row = facts(ending, phases, len(history), history.fps)
    return Row(5, 3, 0.3, 0.0, 0.0, True, row["outcome"], row["success"], row["clean"], row)


def test_a_failure_of_the_same_kind_and_length_is_not_the_same_episode(history: History) -> None:
    row = row_of(history)
    found = with_row(history, row)
    assert found["equal"]
    assert found["words"].startswith(f"as row 5 says: {row.outcome} after 20 frames, ")
    other = with_row(history, replace(row, told={**row.told, "closest_m": row.told["closest_m"] + 1e-5}))
    assert not other["equal"]
    assert "NOT as row 5 says: closest_m" in other["words"]


def test_bit_for_bit_is_said_of_an_episode_whose_physics_is_the_same(history: History) -> None:
    columns = history.columns
    recorded = {"action": columns.action, "state": columns.state[:20], "physics": columns.physics[:20]}
    assert with_episode(history, recorded, same_policy=True)["words"] == "bit for bit as recorded"
    moved = recorded["physics"].copy()
    moved[7, 5] += 1e-12
    found = with_episode(history, {**recorded, "physics": moved}, same_policy=True)
    assert (found["equal"], found["from_frame"], found["apart"]) == (False, 7, 0)
    assert "otherwise from frame 7 on" in found["words"]
    stored = {name: recorded[name].astype(np.float32) for name in ("action", "state")}
    found = with_episode(history, stored, same_policy=True)
    assert (found["equal"], found["words"]) == (True, "actions and joints as recorded (its physics is not stored)")
    short = {name: column[:15] for name, column in recorded.items()}
    found = with_episode(history, short, same_policy=True)
    assert (found["equal"], found["from_frame"]) == (False, 15)
    assert found["words"] == "bit for bit as recorded for 15 frames, but it has 20 here and 15 there; see --limit"


def test_samples_are_refused_of_a_policy_whose_memory_they_would_change(folder: Path, model: PolicyModel) -> None:
    model.kind = "fastwam"
    with pytest.raises(UsageError, match="--samples asks again from the same memory"):
        session_of(folder, model, 20, samples=2)
    session_of(folder, model, 20).world.close()


def test_an_episode_that_failed_is_run_again_to_where_it_failed(
    folder: Path, model: PolicyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk, seeds = model.chunk, list[int]()

    def fails_at_the_second(seen: dict[str, Any], seed: int) -> Any:
        seeds.append(seed)
        if seed != seeds[0]:
            raise StudioError("it cannot go on")
        return chunk(seen, seed)

    monkeypatch.setattr(model, "chunk", fails_at_the_second)
    failed = session_of(folder, model, 20)
    with closing(failed.world):
        with pytest.raises(StudioError, match="cannot go on"):
            failed.finish()
        history = failed.history
    assert (len(history), history.told["ending"]["status"]) == (10, "failed")
    again = repeated(history, model)
    monkeypatch.undo()
    with closing(again.world):
        assert len(again.history) == 10
        again.go(8)
        again.change(gripper_bias=1.0)
        again.finish()
        assert len(again.history) == 20


def test_what_was_seen_is_kept_elsewhere_where_its_folder_was_taken_meanwhile(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(TargetExists, match="already exists"):
        _kept(Watch(checkpoint="a", to=taken), session, Console())
    (kept,) = (tmp_path / "watched").iterdir()
    assert len(read_history(kept)) == 20
    assert list(taken.iterdir()) == []


def test_where_nothing_can_be_written_is_said_before_anything_is_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for check in (require_new, require_writable):
        with pytest.raises(CannotWrite):
            check(tmp_path / "file/a/b")
    require_new(tmp_path / "new/a/b")
    assert [path.name for path in tmp_path.iterdir()] == ["file"], "looking leaves nothing"
