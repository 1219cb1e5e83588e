"""The yield of a position: what counts as known, and from when on a bound is reached."""

from __future__ import annotations

from typing import Any

import pytest

from curation.rates import wilson
from curation.yields import Place, least, place_of, total, yields

LINE = {
    "attempt": 0, "x": 0.337, "y": -0.015, "yaw_deg": 0.0, "target": "near", "asked": [0.33, -0.02, None],
    "keep": "classifier:done@1f2e3d", "audited": True, "status": "ended", "outcome": "success", "kept": True,
}  # fmt: skip


def line(name: str, **more: Any) -> dict[str, Any]:
    return {**LINE, "episode_id": name, **more}


def failed(name: str, **more: Any) -> dict[str, Any]:
    return line(name, outcome="missed_goal", **more)


def test_only_audited_attempts_count_in_a_rate_whatever_became_of_them() -> None:
    lines = [
        line("a"), failed("b"), line("c", kept=False), failed("d", kept=False),
        line("e", audited=False), failed("f", audited=False), failed("g", audited=False, kept=False),
    ]  # fmt: skip
    (one,) = yields(lines, {}, {"a", "b", "e"})
    assert (one.attempts, one.accepted, one.kept) == (7, 4, 3)
    assert one.base == wilson(2, 4)
    assert one.precision == wilson(1, 2)


def test_a_persons_word_goes_before_the_judges_and_stands_where_there_is_none() -> None:
    lines = [line("a"), failed("b"), line("c", outcome="", status="ended"), line("d", outcome="")]
    (one,) = yields(lines, {"a": 0.2, "b": 0.9, "c": 0.5}, set())
    assert one.base == wilson(2, 3)
    assert one.precision == wilson(2, 3)


@pytest.mark.parametrize("end", ["discarded", "interrupted"])
def test_what_stopped_before_its_end_is_an_attempt_that_nobody_judged(end: str) -> None:
    (one,) = yields([line("a"), line("b", status=end, kept=False)], {}, set())
    assert (one.attempts, one.base) == (2, wilson(1, 1))


def test_the_judges_own_choice_has_no_precision_to_measure() -> None:
    lines = [line("a", keep="success"), failed("b", keep="success", kept=False)]
    (one,) = yields(lines, {}, {"a"})
    assert one.precision is None
    assert one.base == wilson(1, 2)
    assert one.proves(0.99)
    (all_,) = yields([line("a", keep="all"), failed("b", keep="all")], {}, set())
    assert all_.precision == wilson(1, 2)


def test_attempts_are_counted_where_they_were_asked_for() -> None:
    elsewhere = line("b", target="far", asked=[0.2, 0.2, 90.0])
    here = line("c", x=0.325, y=-0.03)
    del here["target"], here["asked"]
    found = yields([line("a"), elsewhere, here, line("d")], {}, set())
    assert [(one.place, one.attempts) for one in found] == [
        (Place("near", 0.33, -0.02), 2), (Place("far", 0.2, 0.2), 1), (Place("0.325, -0.025", 0.325, -0.025), 1),
    ]  # fmt: skip
    assert place_of(line("e", asked=[0.25, 0.1, None], target=None)).name == "0.25, 0.1"
    assert total([line("a"), elsewhere], {}, {"a"}).attempts == 2


@pytest.mark.parametrize("precision", [0.3, 0.5, 0.75, 0.9, 0.95])
def test_the_least_number_is_the_first_that_reaches_the_bound_without_a_failure(precision: float) -> None:
    n = least(precision)
    assert wilson(n, n).low >= precision > wilson(n - 1, n - 1).low
    lines = [line(str(number)) for number in range(n)]
    assert yields(lines, {}, set())[0].proves(precision)
    assert not yields(lines[1:], {}, set())[0].proves(precision)
