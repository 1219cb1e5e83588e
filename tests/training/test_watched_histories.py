"""A watched episode is stepped through, written, read and run again, and says what looked wrong."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from curation.errors import DataError, StudioError, TargetExists, UnknownChoice, UsageError
from studio.again import CannotRepeat
from studio.watching.files import read_history, write_history
from studio.watching.repeating import repeated
from tests.training.policies import tiny_act
from tests.training.thinkers import SETTINGS, amplified, same, session_of
from training.latency import Latency
from training.policy_model import PolicyModel

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It sees two cameras."""
    return tiny_act(tmp_path_factory.mktemp("act") / "policy")


@pytest.fixture(scope="module")
def model(act: Path) -> PolicyModel:
    return PolicyModel(act, device="cpu")


def test_stepping_jumping_and_refusals(act: Path, model: PolicyModel) -> None:
    session = session_of(act, model, SETTINGS["act"], frames=12)
    with closing(session.world):
        for does in (session.go_on, lambda: session.moment, lambda: session.change(blind=())):
            with pytest.raises(UsageError, match="Nothing was run yet"):
                does()
        assert [moment.frame for moment in session.run(until=5)] == [0, 1, 2, 3, 4, 5]
        assert (session.live, session.back().frame, session.live) == (True, 4, False)
        with pytest.raises(UsageError, match="Frame 6 is outside 0 to 5"):
            session.go(6)
        before = session.history
        with pytest.raises(UnknownChoice, match="Unknown setting 'blnd'"):
            session.change(blnd=("wrist_cam",))
        with pytest.raises(UsageError, match="no camera of this policy"):
            session.change(blind=("left_cam",))
        with pytest.raises(UsageError, match="nobody can repeat"):
            session.change(latency=Latency(None))
        assert session.history is before
        step = session.step()
        assert step is not None
        assert step.frame == 5, "still the frame that was"
        session.change(blind=("wrist_cam",))
        assert model.blinded == ("wrist_cam",)
        session.change(ensemble=0.01)
        assert (session.settings.ensemble, session.settings.blind) == (0.01, ("wrist_cam",))
        session.go(3)
        session.go_on()
        assert model.blinded == ()
        session.finish()
        assert session.step() is None
        assert session.jump("success") is None
        assert session.at == 11


def test_a_history_is_read_as_it_was_written_and_run_again_with_its_branches(
    act: Path, model: PolicyModel, tmp_path: Path
) -> None:
    session = session_of(act, model, SETTINGS["act"], frames=20, samples=1)
    with closing(session.world):
        for _ in session.run(until=14):
            pass
        session.go(6)
        session.change(blind=("overhead_cam",), latency=Latency(70.0))
        for _ in session.run(until=15):
            pass
        history = session.history
        write_history(tmp_path / "a", history)
        with pytest.raises(TargetExists, match="already exists"):
            write_history(tmp_path / "a", history)
    read = read_history(tmp_path / "a")
    assert same(read, history)
    assert read.told["branches"] == [{"frame": 6, "changed": {"blind": ["overhead_cam"], "latency": {"ms": 70.0}},
                                      "replaced": 9}]  # fmt: skip
    assert read.told["settings"]["blind"] == ["overhead_cam"]
    assert read.told["began"]["blind"] == []
    assert len(read.columns.state) == len(read) == 16, "it goes on: the state after the last action is not known yet"
    assert np.array_equal(read.votes(), history.votes(), equal_nan=True)
    assert [one.as_json() for one in read.tracked()] == [one.as_json() for one in history.tracked()]
    assert (read[-1].frame, read[3:5][1].frame, len(list(read))) == (15, 4, 16)
    again = repeated(read, model)
    with closing(again.world):
        assert same(again.history, history)
        again.finish()
        assert len(again.history) == 20
    other = tiny_act(tmp_path / "other", seed=9)
    weights = (other / "model.safetensors").read_bytes()
    folder = act
    mine = (folder / "model.safetensors").read_bytes()
    try:
        (folder / "model.safetensors").write_bytes(weights)
        with pytest.raises(CannotRepeat, match="is gone from here or has other weights"):
            repeated(read, model)
    finally:
        (folder / "model.safetensors").write_bytes(mine)


def test_a_damaged_history_is_named(act: Path, model: PolicyModel, tmp_path: Path) -> None:
    session = session_of(act, model, SETTINGS["act"], frames=4)
    with closing(session.world):
        session.finish()
    write_history(tmp_path / "a", session.history)
    with pytest.raises(UsageError, match=r"holds no watched episode"):
        read_history(tmp_path)
    path = tmp_path / "a" / "frames.npz"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match="is not what was written"):
        read_history(tmp_path / "a")
    told = json.loads((tmp_path / "a/watch.json").read_bytes())
    (tmp_path / "a/watch.json").write_text(json.dumps({name: told[name] for name in told if name != "ending"}))
    with pytest.raises(DataError, match=r"does not say ending"):
        read_history(tmp_path / "a")
    (tmp_path / "a/watch.json").write_text(json.dumps({**told, "version": 99}))
    with pytest.raises(DataError, match="Upgrade"):
        read_history(tmp_path / "a")


def without_postprocessor(source: Path, folder: Path) -> Path:
    """The checkpoint as it is when nobody brings its actions back to degrees."""
    shutil.copytree(source, folder)
    path = folder / "policy_postprocessor.json"
    told = json.loads(path.read_bytes())
    told["steps"] = [step for step in told["steps"] if "unnormalizer" not in step["registry_name"]]
    path.write_text(json.dumps(told))
    return folder


def alarms(folder: Path) -> list[str]:
    session = session_of(folder, PolicyModel(folder, device="cpu"), SETTINGS["act"], frames=61, whiskers=False)
    with closing(session.world):
        session.finish()
    return list(session.history.told["alarms"])


def test_a_policy_without_its_postprocessor_raises_the_alarm_and_a_healthy_one_does_not(
    tmp_path: Path,
) -> None:
    blind = tiny_act(tmp_path / "policy", cameras=(), privileged=True)
    healthy = amplified(blind, tmp_path / "healthy", 12)
    assert alarms(healthy) == []
    (said,) = alarms(without_postprocessor(healthy, tmp_path / "bare"))
    assert "denormalised?" in said


def test_a_policy_that_fails_leaves_what_it_did_before(act: Path, tmp_path: Path) -> None:
    model = PolicyModel(act, device="cpu")
    session = session_of(act, model, SETTINGS["act"])
    with closing(session.world):
        for _ in session.run(until=9):
            pass
        model._policy.model.decoder = None
        with pytest.raises(StudioError, match=r"The policy \(act\) failed"):
            session.step()
        assert (len(session.history), session.at) == (10, 9)
        write_history(tmp_path / "a", session.history)
    assert len(read_history(tmp_path / "a")) == 10
