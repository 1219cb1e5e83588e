"""Filters and control sets in general: nobody is lost, nobody is in twice, the order of filters does not matter."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.controls import control
from curation.duplicates import Track, copies, groups
from curation.filters import Selection, farther_than, fitting, in_view, near, saved, without_lazy
from curation.library import Entry
from curation.query import query, terms
from tests.curation.placed import TABLE, entry

few = settings(max_examples=40, deadline=None, database=None)
metre = st.floats(-0.1, 0.5).map(lambda value: round(value, 3))
place = st.one_of(st.just((None, None)), st.tuples(metre, metre))


@st.composite
def crowds(draw: st.DrawFn) -> list[Entry]:
    return [
        entry(
            f"e{i}",
            *draw(place),
            frames=draw(st.integers(1, 900)),
            score=draw(st.none() | st.floats(0, 1)),
            state=draw(st.sampled_from(["saved", "saved", "masked"])),
            lazy=draw(st.sampled_from([None, True, False])),
            outcome=draw(st.sampled_from(["success", "timeout", ""])),
        )
        for i in range(draw(st.integers(0, 12)))
    ]


FILTERS = {
    "saved": saved,
    "lazy": without_lazy,
    "near": lambda found: near(found, 0.25, 0.1, 0.15),
    "far": lambda found: farther_than(found, 0.1, {"a": np.array([[0.3, 0.0]])}),
    "view": lambda found: in_view(found, TABLE),
    "query": lambda found: fitting(found, terms("outcome:success score>=0.5")),
}


def through(names: Sequence[str], crowd: Sequence[Entry]) -> Selection:
    found = Selection(tuple(each.episode_id for each in crowd))
    for name in names:
        found = found.then(crowd, FILTERS[name])
    return found


@few
@given(crowds(), st.permutations(sorted(FILTERS)))
def test_filters_in_any_order_keep_the_same_and_name_the_rest(crowd: list[Entry], order: list[str]) -> None:
    found, other = through(order, crowd), through(sorted(FILTERS), crowd)
    assert found.kept == other.kept
    assert found.dropped.keys() == other.dropped.keys()
    assert sorted([*found.kept, *found.dropped]) == sorted(each.episode_id for each in crowd)
    assert all(found.dropped.values())


@few
@given(crowds(), st.sampled_from(["outcome:success", "score>0.3 -lazy", "frames<400 x>0.1", "masked", ""]))
def test_the_reasons_of_a_query_are_those_of_the_query(crowd: list[Entry], text: str) -> None:
    assert set(fitting(crowd, terms(text)).kept) == {each.episode_id for each in crowd if query(text)(each)}


@few
@given(crowds(), st.data())
def test_control_sets(crowd: list[Entry], data: st.DataObject) -> None:
    everyone = [(each.episode_id, each) for each in crowd]
    kept = [key for key, _ in everyone if data.draw(st.booleans())]
    seed = data.draw(st.integers(0, 99))
    random, matched = control(kept, everyone, "random", seed), control(kept, everyone, "matched", seed)
    assert len(set(random.keys)) == len(random.keys) == len(kept)
    assert len(set(matched.keys)) == len(matched.keys) == min(len(kept), len(everyone) - len(kept))
    assert not set(matched.keys) & set(kept)
    assert {other for _, other in matched.pairs} == set(matched.keys)
    assert random.words
    assert matched.words
    if matched.metres is not None:
        assert 0 <= matched.metres[0] <= matched.metres[1] < 1


@few
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-9, 9)), min_size=1, max_size=9), st.integers(0, 9))
def test_planted_copies_are_grouped_and_nothing_else(planted: list[tuple[int, int]], seed: int) -> None:
    """Each of a list is a stretch of one of four motions, at most a tenth of it cut off at one end."""
    rng = np.random.default_rng(seed)
    motions = np.cumsum(np.cumsum(rng.normal(size=(4, 100, 6)), axis=1), axis=1)
    tracks = [
        Track(i, motions[which][max(0, shift) : 100 + min(0, shift)] + rng.uniform(-0.04, 0.04, 6))
        for i, (which, shift) in enumerate(planted)
    ]
    found = groups(len(tracks), copies(tracks))
    expected = [[i for i, (which, _) in enumerate(planted) if which == motion] for motion in range(4)]
    assert sorted(found) == sorted(group for group in expected if len(group) > 1)
    for pair in copies(tracks):
        one, other = planted[pair.a], planted[pair.b]
        assert pair.shift == max(0, one[1]) - max(0, other[1])
        assert math.isclose(pair.frames, 100 - abs(one[1]) - abs(other[1]) if one[1] * other[1] < 0
                            else 100 - max(abs(one[1]), abs(other[1])))  # fmt: skip
