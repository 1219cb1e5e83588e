"""Queries: each kind of term, and words for what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curation.errors import UsageError
from curation.library import Entry
from curation.query import query, terms

ONE = Entry(
    episode_id="a1b2c3", index=4, state="saved", frames=150, seconds=5.0, outcome="success", success=True, x=0.3, y=0.1,
    yaw_deg=20.0, operator="keyboard", started="2026-05-01T10:00:00", score=0.5, comments=("slow grasp",), target="p1",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("outcome:success", True),
        ("outcome:succ operator:KEY", True),
        ("outcome:timeout", False),
        ("x<0.31 x>=0.3 y=0.1", True),
        ("x<0.3", False),
        ("index:4", True),
        ("score>0.5", False),
        ("score>=0.5 seconds<6 frames>100 yaw>0", True),
        ("saved success", True),
        ("masked", False),
        ("-masked -outcome:timeout", True),
        ("-saved", False),
        ('note:"slow grasp"', True),
        ("grasp p1 a1b2", True),
        ("elephant", False),
        ("date:2026-05", True),
    ],
)
def test_terms(text: str, holds: bool) -> None:
    assert query(text)(ONE) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [("task:grasp", True), ("task:REACH", True), ("-task:grasp", False), ("bowl", True), ("task:throw", False),
     ('task:"bowl; grasp"', False)],
)  # fmt: skip
def test_of_several_instructions_any_fits(text: str, holds: bool) -> None:
    assert query(text)(replace(ONE, tasks=("reach over the bowl", "grasp it"))) is holds


def test_all_instructions_are_told_where_none_fits() -> None:
    (term,) = terms("task:throw")
    assert term.reason(replace(ONE, tasks=("reach", "grasp"))) == "task is reach; grasp, asked task:throw"


def test_an_unknown_number_never_fits() -> None:
    nowhere = replace(ONE, x=None, score=None)
    assert not query("x<1")(nowhere)
    assert not query("score>=0")(nowhere)
    assert query("-x<1")(nowhere)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour:red", "Unknown field 'colour'"),
        ("x<far", "compares with no number"),
        ("outcome<3", "is text"),
        ('"a', "not closed"),
    ],
)
def test_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        query(text)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("date>2026-04-30", True),
        ("date>2026-05-01", False),
        ("date>=2026-05-01 date<2026-05-02", True),
        ("date=2026-05", True),
        ("date<2026-05", False),
        ("date>2026-05-01T09:59", True),
        ('date>"2026-05-01 10:00"', False),
        ("-date=2026", False),
        ("lazy", False),
        ("-lazy", True),
        ("clean", True),
        ("-cut", True),
        ("task:duplo", True),
        ("keep:verdict", True),
        ("jerk<6 idle>10", True),
        ("jerk>6", False),
        ("late=0", False),
        ("length>=150", True),
    ],
)
def test_terms_of_origin_and_motion(text: str, holds: bool) -> None:
    more = replace(ONE, clean=True, tasks=("Pick up the Duplo",), keep="verdict", motion={"jerk": 5.0, "idle": 12.5})
    assert query(text)(more) is holds


def test_a_date_that_is_unknown_never_fits() -> None:
    assert not query("date>2000")(replace(ONE, started=""))


@pytest.mark.parametrize("text", ["date>yesterday", "date<2026-13", "date>2026-02-30", "date>=2026-1-1", "date<1/2/26"])
def test_dates_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="compares with no date"):
        query(text)
