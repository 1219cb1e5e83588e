"""Control sets: their size, their seed, and that matching matches."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from curation.controls import control
from curation.errors import UsageError
from curation.library import Entry
from tests.curation.placed import entry

Candidates = list[tuple[str, Entry]]


def crowd(count: int, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    return [
        (f"e{i}", entry(f"e{i}", float(x), float(y), frames=int(n)))
        for i, (x, y, n) in enumerate(zip(*rng.uniform([[0.15], [-0.1], [90]], [[0.4], [0.3], [300]], (3, count))))
    ]


def test_random_controls_have_the_size_and_come_again_with_their_seed() -> None:
    everyone = crowd(30)
    kept = [key for key, _ in everyone[:8]]
    first = control(kept, everyone, "random", 5)
    assert len(set(first.keys)) == 8
    assert first == control(kept, everyone, "random", 5)
    assert first.keys != control(kept, everyone, "random", 6).keys
    assert control([], everyone, "random", 0).keys == ()
    assert set(control([key for key, _ in everyone], everyone, "random", 0).keys) == dict(everyone).keys()


def test_random_controls_favour_nobody() -> None:
    everyone = crowd(10)
    kept = ["e0", "e1", "e2"]
    counts = Counter(key for seed in range(2000) for key in control(kept, everyone, "random", seed).keys)
    # Each is drawn with probability 0.3; five standard deviations of 2000 draws are 102.
    assert set(counts) == dict(everyone).keys()
    assert max(abs(count - 600) for count in counts.values()) < 102


def test_a_twin_is_found_for_everyone() -> None:
    """Where each of the selection has a twin elsewhere in the crowd, matching finds it in whatever order it goes."""
    kept = crowd(20)
    twins = [(f"t{key}", entry(f"t{key}", (e.x or 0) + 0.001, e.y, frames=e.frames + 1)) for key, e in kept]
    strangers = [(f"s{i}", entry(f"s{i}", 0.9, 0.9, frames=2000)) for i in range(20)]
    for seed in range(5):
        found = control([key for key, _ in kept], [*strangers, *kept, *twins], "matched", seed)
        assert dict(found.pairs) == {key: f"t{key}" for key, _ in kept}
        assert found.metres == pytest.approx((0.001, 0.001))
        assert found.length_ratio is not None
        assert found.length_ratio[1] < 1.02
        assert found.shift[0] == pytest.approx(0.001)
        assert found.shift[2] == pytest.approx(1.0)


def test_matched_controls_are_nearer_than_random_ones_and_disjoint() -> None:
    everyone = crowd(300, seed=4)
    corner = [key for key, e in everyone if (e.x or 0) > 0.3 and e.frames > 150][:40]
    matched = control(corner, everyone, "matched", 1)
    random = control(corner, everyone, "random", 1)
    assert len(matched.keys) == len(set(matched.keys)) == 40
    assert not set(matched.keys) & set(corner)
    assert abs(matched.shift[0] or 0) < 0.02 < abs(random.shift[0] or 0)
    assert matched.metres is not None
    assert matched.metres[0] < 0.05
    assert "placements" in matched.words
    assert "seed 1" in matched.words


def test_length_alone_decides_where_nothing_else_differs() -> None:
    everyone = [("k", entry("k", frames=100)), ("long", entry("long", frames=200)), ("same", entry("same", frames=103))]
    assert control(["k"], everyone, "matched", 0).keys == ("same",)


def test_unknown_places_match_each_other() -> None:
    everyone = [("k", entry("k", None, None)), ("far", entry("far")), ("lost", entry("lost", None, None, frames=170))]
    found = control(["k"], everyone, "matched", 0)
    assert found.keys == ("lost",)
    assert found.metres is None
    assert found.length_ratio == pytest.approx((1.7 / 1.5, 1.7 / 1.5))
    assert found.shift[:2] == (None, None)
    known = control(["far"], everyone, "matched", 0)
    assert len(known.keys) == 1


def test_too_few_are_said() -> None:
    everyone = crowd(10)
    kept = [key for key, _ in everyone[:7]]
    found = control(kept, everyone, "matched", 0)
    assert (len(found.keys), found.asked) == (3, 7)
    assert "3 of 7" in found.words
    assert control(kept, everyone[:7], "matched", 0).keys == ()


def test_what_is_senseless() -> None:
    with pytest.raises(UsageError, match="seed"):
        control([], crowd(2), "random", -1)
    with pytest.raises(UsageError, match="not among"):
        control(["nobody"], crowd(2), "random", 0)


def test_ratio_of_lengths_is_symmetric() -> None:
    everyone = [("a", entry("a", frames=100)), ("b", entry("b", frames=200))]
    assert control(["a"], everyone, "matched", 0).length_ratio == control(["b"], everyone, "matched", 0).length_ratio
    assert control(["a"], everyone, "matched", 0).length_ratio == pytest.approx((2.0, 2.0))
    assert math.isclose(control(["a"], everyone, "matched", 0).shift[2] or 0, 100.0)
