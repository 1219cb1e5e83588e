"""Motion quality: the numbers of the meter, from actions alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curation.frames import Command, Frame, Observation, Phase, Placement
from curation.library import entries
from curation.motion import JUMP_DEG_PER_S, MEASURED, Joints, joints_of, motion_of, with_motion
from curation.query import asks_motion, query
from curation.units import MODEL, spans
from recorders.meter import JUMP_SHARE, Meter
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.units import HIGH, LOW
from tests.curation.placed import placed

JOINTS = Joints((0, 1, 2, 3, 4), np.ones(6), tuple(spans(MODEL).values()))


def walk(seed: int, frames: int = 200) -> np.ndarray:
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.normal(size=(frames, 6)) * rng.uniform(0, 4, (frames, 1)), axis=0)
    path[frames // 5 : frames * 2 // 5] = path[frames // 5]
    path[frames * 3 // 5 :, 0] += 12.0
    return path.clip(LOW, HIGH).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_numbers_as_the_meter(seed: int) -> None:
    actions = walk(seed)
    meter = Meter(30, None, Placement(0.3, 0.0))
    for index, action in enumerate(actions):
        seen = Observation(action, index / 30, dict)
        meter.see(Frame(index, seen, Command(action, "x"), action, Phase.REACH, 0.0, False), 0.0, None)
    told = {name: gauge["value"] for name, gauge in meter.summary().items()}
    found = motion_of(actions, 30, JOINTS)
    for name in ("jerk", "idle", "jumps", "limits"):
        assert found[name] == pytest.approx(told[name], abs=2e-3), name
    assert found["idle"] > 10
    assert found["jumps"] >= 1
    assert JUMP_DEG_PER_S == JUMP_SHARE * STEP_LIMIT_DEG_PER_S


def test_what_is_known_by_hand() -> None:
    still = np.zeros((120, 6))
    assert motion_of(still, 30, JOINTS) == {
        "jerk": 0.0, "idle": 99.167, "jumps": 0.0, "path": 0.0, "limits": 95.0, "saturated": 0.0,
    }  # fmt: skip
    even = still.copy()
    even[:, 1] = np.arange(120) * 0.5
    found = motion_of(even, 30, JOINTS)
    assert (found["jerk"], found["idle"]) == (0.0, 0.0)
    assert found["path"] == pytest.approx(0.5 * 119)
    against = still.copy()
    against[30:90, 3] = 95.0
    found = motion_of(against, 30, JOINTS)
    assert (found["saturated"], found["limits"], found["jumps"]) == (50.0, 0.0, 2.0)
    assert found["path"] == pytest.approx(190.0)
    # The gripper's own limits are no fault.
    assert motion_of(np.eye(6)[5] * np.full((50, 1), 100.0), 30, JOINTS)["saturated"] == 0.0


def test_short_episodes_have_motion_too() -> None:
    for frames in (1, 2, 3):
        assert motion_of(np.ones((frames, 6)), 30, JOINTS)["jerk"] == 0.0
    # A second of idling is a third of the three seconds that it takes to tell.
    assert motion_of(np.ones((31, 6)), 30, JOINTS)["idle"] == pytest.approx(100 / 3, abs=0.01)


def test_queries_measure_what_no_meter_told(tmp_path: Path) -> None:
    shaky, calm = walk(1, 40), np.zeros((40, 6))
    meter = {"jerk": {"value": 3.25, "level": "good"}, "late": {"value": 2.0, "level": "fair"}}
    store = placed(
        tmp_path / "set", [(0.3, 0.0)] * 3, actions={0: shaky, 1: calm, 2: calm}, extra={2: {"meter": meter}}
    )
    plain = entries(store.root)
    assert [entry.motion for entry in plain] == [{}, {}, {"jerk": 3.25, "late": 2.0}]
    assert not any(query("jerk<10000")(entry) for entry in plain[:2])
    told = with_motion(store, plain)
    assert set(MEASURED) <= set(told[0].motion)
    assert [query("jerk<4")(entry) for entry in told] == [False, True, True]
    assert [query("jerk>3")(entry) for entry in told] == [True, False, True]
    assert [query("late>1")(entry) for entry in told] == [False, False, True]
    assert [query("path=0 saturated=0 idle>40")(entry) for entry in told] == [False, True, True]
    joints = joints_of(store)
    assert joints is not None
    # Seen through float32 and files, the numbers stay.
    assert told[0].motion == motion_of(shaky.astype(np.float32), 30, joints)
    assert asks_motion("x<1 jerk>2")
    assert not asks_motion("x<1 note:jerk")


def test_radians_and_shares_of_a_range(tmp_path: Path) -> None:
    path = walk(2, 40)
    store = placed(tmp_path / "set", [(0.3, 0.0)], actions={0: np.radians(path)})
    (tmp_path / "set/meta/studio/units.json").write_text('{"body": "radians", "gripper": "radians"}')
    (entry,) = with_motion(store, entries(store.root))
    degrees = motion_of(path, 30, JOINTS)
    assert entry.motion["jerk"] == pytest.approx(degrees["jerk"], rel=1e-3)
    assert entry.motion["limits"] == pytest.approx(degrees["limits"], abs=1e-3)
    (tmp_path / "set/meta/studio/units.json").write_text('{"body": "-100..100", "gripper": "0..100"}')
    joints = joints_of(store)
    assert joints is not None
    assert joints.limits == ((-100.0, 100.0),) * 5
