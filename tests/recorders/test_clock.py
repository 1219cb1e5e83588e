"""Pacing, on a clock that only moves when told to."""

from __future__ import annotations

import itertools

import pytest

from recorders import clock as module
from recorders.clock import RealTime, Unpaced
from tests.fakes import FakeTime

PERIOD = 1 / 30


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(module, "time", fake)
    return fake


def paced(time: FakeTime, work: list[float]) -> tuple[list[float], list[bool]]:
    """When each frame begins and whether it is late, if each then takes so long."""
    clock = RealTime(30)
    clock.start()
    waited = []
    for index, seconds in enumerate(work):
        waited.append(clock.wait(index))
        time.pass_(seconds)
    return [wall for wall, _ in waited], [late for _, late in waited]


def test_frames_come_at_their_time_and_errors_do_not_add_up(time: FakeTime) -> None:
    walls, late = paced(time, [0.010] * 300)
    for index, wall in enumerate(walls):
        assert wall == pytest.approx(index * PERIOD, abs=1e-3)
    assert not any(late)


def test_a_short_delay_is_made_up_for(time: FakeTime) -> None:
    work = [0.010] * 10
    work[3] = PERIOD + 0.010
    walls, late = paced(time, work)
    assert [index for index, missed in enumerate(late) if missed] == [4]
    assert walls[5] == pytest.approx(5 * PERIOD, abs=1e-3)


@pytest.mark.parametrize("stall", [0.1, 1.0, 10.0])
def test_a_stall_is_not_followed_by_a_burst(time: FakeTime, stall: float) -> None:
    work = [0.001] * 12
    work[3] = stall
    walls, late = paced(time, work)
    gaps = [b - a for a, b in itertools.pairwise(walls)]
    assert gaps[3] == pytest.approx(stall, abs=1e-3)
    for gap in gaps[:3] + gaps[4:]:
        assert gap == pytest.approx(PERIOD, abs=1e-3)
    assert [index for index, missed in enumerate(late) if missed] == [4]


def test_a_machine_that_is_always_too_slow_is_always_late_and_never_bursts(time: FakeTime) -> None:
    walls, late = paced(time, [0.050] * 20)
    gaps = [b - a for a, b in itertools.pairwise(walls)]
    assert min(gaps) > PERIOD - 1e-3
    assert sum(late) >= 9


def test_a_clock_starts_anew_for_every_take(time: FakeTime) -> None:
    clock = RealTime(30)
    for _ in range(2):
        clock.start()
        assert clock.wait(0)[0] == pytest.approx(0, abs=1e-3)
        time.pass_(2.0)
        assert clock.wait(1)[1]
        time.pass_(5.0)
    clock.start()
    assert clock.wait(0) == (pytest.approx(0, abs=1e-3), False)


def test_unpaced_is_never_late(time: FakeTime) -> None:
    clock = Unpaced()
    clock.start()
    time.pass_(9.0)
    wall, late = clock.wait(1)
    assert wall == pytest.approx(9.0, abs=1e-3)
    assert not late
