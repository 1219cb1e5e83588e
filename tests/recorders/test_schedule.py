"""Turns: every position once, failures again after the others, and the same order after a kill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from curation.targets import Target
from recorders.schedule import MAX_TRIES, Schedule, Turns

TARGETS = tuple(Target(name, 0.2, 0.1) for name in "abcd")


def played(turns: Turns, kept: Counter[str], fails: Mapping[str, int], most: int = 100) -> list[str]:
    """Take turns, settling each at once; a position fails as often as told."""
    left = Counter(fails)
    order = []
    while len(order) < most and (target := turns.next(settled=True)) is not None:
        order.append(target.id)
        if left[target.id] > 0:
            left[target.id] -= 1
        else:
            kept[target.id] += 1
    return order


def test_every_position_once_then_those_that_failed() -> None:
    kept: Counter[str] = Counter()
    turns = Turns(Schedule(TARGETS), {}, lambda: kept)
    assert played(turns, kept, {"b": 2, "d": 1}) == ["a", "b", "c", "d", "b", "d", "b"]
    assert turns.missing() == []


def test_so_many_episodes_each() -> None:
    kept: Counter[str] = Counter({"a": 1})
    turns = Turns(Schedule(TARGETS, 2), {"a": 1}, lambda: kept)
    order = played(turns, kept, {})
    assert Counter(order) == {"a": 1, "b": 2, "c": 2, "d": 2}
    assert order[:3] == ["b", "c", "d"]


def test_a_position_is_given_up_and_named_while_others_go_on() -> None:
    kept: Counter[str] = Counter()
    turns = Turns(Schedule(TARGETS), {}, lambda: kept)
    order = played(turns, kept, {"b": 99})
    assert Counter(order) == {"a": 1, "b": MAX_TRIES, "c": 1, "d": 1}
    assert [target.id for target in turns.missing()] == ["b"]


def test_a_kill_changes_nothing_in_the_order() -> None:
    fails = {"a": 1, "c": 2}
    whole_kept: Counter[str] = Counter()
    whole = played(Turns(Schedule(TARGETS), {}, lambda: whole_kept), whole_kept, fails)
    for cut in range(len(whole)):
        kept: Counter[str] = Counter()
        left = Counter(fails)
        first = played(Turns(Schedule(TARGETS), {}, lambda kept=kept: kept), kept, fails, cut)
        for name in first:
            left[name] -= left[name] > 0
        rest = played(Turns(Schedule(TARGETS), Counter(first), lambda kept=kept: kept), kept, left)
        assert first + rest == whole


def test_a_round_waits_until_the_last_one_is_settled() -> None:
    kept: Counter[str] = Counter()
    turns = Turns(Schedule(TARGETS[:2]), {}, lambda: kept)
    assert [turns.next(settled=index == 0) for index in range(3)] == [*TARGETS[:2], None]
    kept["a"] = 1
    assert turns.next(settled=True) == TARGETS[1]


def test_a_masked_episode_makes_its_position_pending_again_after_the_untried() -> None:
    kept = Counter({"a": 0, "b": 1})
    turns = Turns(Schedule(TARGETS), {"a": 1, "b": 1}, lambda: kept)
    assert played(turns, kept, {}) == ["c", "d", "a"]


def test_a_kill_grants_no_more_tries_and_going_on_later_grants_as_many_again() -> None:
    for cut in range(MAX_TRIES):
        kept: Counter[str] = Counter()
        first = played(Turns(Schedule(TARGETS[:1]), {}, lambda kept=kept: kept), kept, {"a": 99}, cut)
        rest = played(Turns(Schedule(TARGETS[:1]), Counter(first), lambda kept=kept: kept), kept, {"a": 99})
        assert len(first + rest) == MAX_TRIES
    assert len(played(Turns(Schedule(TARGETS[:1]), {"a": MAX_TRIES}, dict), kept, {"a": 99})) == MAX_TRIES


def test_what_is_left_does_not_count_surplus_or_strangers() -> None:
    assert Schedule(TARGETS, 2).left({"a": 5, "b": 1, "elsewhere": 9}) == 1 + 2 + 2
