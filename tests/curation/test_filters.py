"""Filters: what stays, and that every other one has its reason with the numbers in it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from curation.duplicates import Copy
from curation.errors import UsageError
from curation.filters import (
    Selection,
    distinct,
    farther_than,
    fitting,
    in_view,
    near,
    saved,
    without_lazy,
)
from curation.query import terms
from tests.curation.placed import TABLE, entry

POS1 = np.array([[0.217, 0.225]])
POS2 = np.array([[0.337, -0.015]])


def test_the_gap_filter_finds_the_redundant_positions_of_the_earlier_work() -> None:
    """Five of its twenty gap positions lay within 7 cm of its two training positions, four of them as its notes say."""
    redundant = {"a": (0.22, 0.20), "b": (0.32, 0.00), "c": (0.24, 0.28), "d": (0.33, 0.05)}
    useful = {"e": (0.22, 0.10), "f": (0.40, 0.10), "g": (0.28, 0.10)}
    asked = [entry(name, *place) for name, place in (redundant | useful).items()]
    found = farther_than(asked, 0.07, {"pos1": POS1, "pos2": POS2})
    assert found.kept == tuple(useful)
    assert found.dropped == {
        "a": "0.025 m from (0.217, 0.225) in pos1, nearer than 0.07",
        "b": "0.023 m from (0.337, -0.015) in pos2, nearer than 0.07",
        "c": "0.060 m from (0.217, 0.225) in pos1, nearer than 0.07",
        "d": "0.065 m from (0.337, -0.015) in pos2, nearer than 0.07",
    }


def test_the_gap_filter_at_its_edge_and_without_a_place() -> None:
    around = [entry("at", 0.37, 0.0), entry("in", 0.3699, 0.0), entry("lost", None, None)]
    found = farther_than(around, 0.07, {"one": np.array([[0.3, 0.0]])})
    assert found.kept == ("at",)
    assert found.dropped["lost"] == "its placement is unknown"
    assert farther_than(around[:2], 0.07, {}).kept == ("at", "in")
    with pytest.raises(UsageError, match="positive"):
        farther_than(around, 0.0, {})


def test_the_gap_filter_keeps_exactly_what_brute_force_keeps() -> None:
    rng = np.random.default_rng(3)
    places, data = rng.uniform(0.1, 0.4, (200, 2)), rng.uniform(0.1, 0.4, (30, 2))
    asked = [entry(str(i), float(x), float(y)) for i, (x, y) in enumerate(places)]
    found = farther_than(asked, 0.03, {"a": data[:10], "empty": np.zeros((0, 2)), "b": data[10:]})
    by_hand = [str(i) for i, p in enumerate(places) if min(math.dist(p, d) for d in data) >= 0.03]
    assert 20 < len(by_hand) < 180
    assert list(found.kept) == by_hand
    assert set(found.kept) | set(found.dropped) == {e.episode_id for e in asked}


def test_near_is_a_disc() -> None:
    found = near([entry("in", 0.31, 0.01), entry("out", 0.36, 0.0), entry("lost", None, None)], 0.3, 0.0, 0.05)
    assert found.kept == ("in",)
    assert found.dropped["out"] == "0.060 m from (0.3, 0), farther than 0.05"
    for words in ((0.3, math.nan, 0.1), (0.3, 0.0, -1.0)):
        with pytest.raises(UsageError):
            near([], *words)


def test_in_view_asks_for_the_whole_block() -> None:
    x_low, _, _, y_high = TABLE.views[0]
    half = TABLE.margin
    found = in_view(
        [entry("in", x_low + half + 0.001, 0.1), entry("cut", x_low + half - 0.001, 0.1), entry("far", 0.3, y_high)],
        TABLE,
    )
    assert found.kept == ("in",)
    assert "not wholly" in found.dropped["cut"]
    assert "far" in found.dropped


def test_masked_episodes_and_takes_are_left_out_by_name() -> None:
    found = saved([entry("a"), entry("b", state="masked"), entry("c", state="discarded", index=None)])
    assert found == Selection(("a",), {"b": "it is masked", "c": "it is discarded"})


def test_a_query_names_its_first_term_that_does_not_hold() -> None:
    asked = [entry("a", score=0.9), entry("b", score=0.25), entry("c"), entry("d", outcome="timeout", score=1.0)]
    found = fitting(asked, terms("outcome:success score>=0.5"))
    assert found.kept == ("a",)
    assert found.dropped == {
        "b": "score is 0.25, asked score>=0.5",
        "c": "score is unknown, asked score>=0.5",
        "d": "outcome is timeout, asked outcome:success",
    }


def test_one_filter_follows_another() -> None:
    asked = [entry("a"), entry("b", lazy=True), entry("c", 0.2, 0.2, lazy=True), entry("d", lazy=False)]
    found = without_lazy(asked).then(asked, lambda inside: near(inside, 0.3, 0.0, 0.01))
    assert found.kept == ("a", "d")
    assert set(found.dropped) == {"b", "c"}
    assert "lazy" in found.dropped["c"]


def test_of_copies_the_best_stays_and_is_named() -> None:
    asked = [entry("a", outcome="timeout", success=False), entry("b"), entry("c", score=0.5), entry("d")]
    pairs = [Copy(0, 1, 2, 140, 0.01), Copy(1, 2, 0, 150, 0.02)]
    named = [(entry.episode_id, f"episode {i}", entry) for i, entry in enumerate(asked)]
    assert distinct(named, pairs) == {
        "a": "the same motion as episode 2, which is kept",
        "b": "the same motion as episode 2, which is kept (150 frames within 0.020 deg)",
    }
    assert distinct(named[:2], [Copy(0, 1, 2, 140, 0.01)]) == {
        "a": "the same motion as episode 1, which is kept (140 frames within 0.010 deg, 2 frames later there)"
    }
