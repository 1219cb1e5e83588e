"""The arms of a filter experiment: equally many attempts, nothing of the expert's, and no question changed after."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curation.errors import DataError, UsageError
from curation.library import Entry
from curation.store import Store
from studio.arms import Arms, arms_of, require_sound
from studio.preregistered import FILE, below, read, register
from tests.curation.placed import entry, placed
from tests.studio.conftest import Studio, studio

__all__ = ["studio"]

QUERIES = {"oracle": "success", "classifier": "score>=0.6", "stress": "success survival>=0.8"}


def attempts(count: int = 60, share: float = 0.4) -> list[Entry]:
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        good = bool(rng.random() < share)
        found.append(
            entry(
                f"try-{number}", float(rng.uniform(0.2, 0.36)), float(rng.uniform(-0.1, 0.2)), success=good,
                outcome="success" if good else "timeout", operator="policy:x@1", frames=int(rng.integers(120, 300)),
                score=float(0.7 * good + 0.25 * rng.random()), survival=float(rng.random()),
            )
        )  # fmt: skip
    return found


EXPERT = [
    entry(f"expert-{one.episode_id}", one.x, one.y, success=True, outcome="success", operator="expert")
    for one in attempts()
]
"""At the same placements."""


@pytest.mark.parametrize("tested", ["oracle", "classifier"])
def test_the_tested_filter_and_its_controls_are_of_one_size(tested: str) -> None:
    tried = attempts()
    found = arms_of(tried, EXPERT, QUERIES, tested, 0)
    ids = {one.episode_id: one for one in tried}
    assert found.choosing == ["oracle", "classifier", "stress", "random", "matched"]
    assert {len(set(found.chosen[name])) for name in (tested, "random", "matched")} == {found.size}
    assert found.size == found.found[tested] > found.found["stress"]
    assert len(found.chosen["stress"]) == found.wanted("stress") == found.smaller["stress"] == found.found["stress"]
    assert found.chosen["demonstrations"] == ()
    assert found.chosen["unfiltered"] == tuple(ids)
    assert all(ids[one].success for one in found.chosen["oracle"])
    assert all(ids[one].survival >= 0.8 for one in found.chosen["stress"])
    assert all(one in ids for name in (*found.choosing, "unfiltered") for one in found.chosen[name])
    assert set(found.chosen["expert"]) == {f"expert-{one}" for one in found.chosen[tested]}
    assert Arms.from_json(json.loads(json.dumps(found.as_json()))) == found
    assert arms_of(tried, EXPERT, QUERIES, tested, 0) == found
    assert arms_of(tried, EXPERT, QUERIES, tested, 1).chosen != found.chosen


def test_the_matched_control_is_of_all_attempts_whatever_became_of_them() -> None:
    """Of those that nobody ended early, as many succeed as of all; if the oracle's were left out, none would."""
    tried = [replace(one, frames=300) for one in attempts(200)]
    ids = {one.episode_id: one for one in tried}
    shares = []
    for seed in range(10):
        matched = arms_of(tried, [], {"oracle": "success"}, "oracle", seed).chosen["matched"]
        shares.append(np.mean([ids[one].success for one in matched]))
    assert np.mean(shares) == pytest.approx(np.mean([one.success for one in tried]), abs=0.1)


def test_the_expert_decides_nothing_of_the_other_arms() -> None:
    found = arms_of(attempts(), EXPERT, QUERIES, "oracle", 0)
    for theirs in ([], EXPERT[:2], [replace(one, success=False, outcome="timeout") for one in EXPERT]):
        other = arms_of(attempts(), theirs, QUERIES, "oracle", 0)
        assert other.size == found.size
        assert other.found["oracle"] == found.found["oracle"]
        assert {n: ids for n, ids in other.chosen.items() if n != "expert"} == {
            n: ids for n, ids in found.chosen.items() if n != "expert"
        }


def test_random_takes_every_attempt_as_often_as_another() -> None:
    tried = attempts(20, 0.5)
    counts = np.zeros(20)
    for seed in range(400):
        chosen = set(arms_of(tried, [], {"oracle": "success"}, "oracle", seed).chosen["random"])
        counts += [one.episode_id in chosen for one in tried]
    share = counts / 400
    assert abs(share - share.mean()).max() < 0.12


def test_a_filter_that_passes_all_leaves_half_for_its_control_and_one_that_passes_none_is_refused() -> None:
    good = attempts(30, 1.0)
    assert arms_of(good, [], {"oracle": "success"}, "oracle", 0).size == 15
    none = {"oracle": "success", "stress": "survival>=2"}
    assert arms_of(good, [], none, "oracle", 0).smaller == {"stress": 0}
    with pytest.raises(UsageError, match="stress passes 0 of 30 attempts"):
        arms_of(good, [], none, "stress", 0)


def test_an_expert_s_episode_in_an_arm_is_found(studio: Studio, tmp_path: Path) -> None:
    places = [(0.3, 0.0), (0.25, 0.1)]
    stores = {name: placed(tmp_path / name, places, length=3) for name in ("base", "tries", "expert")}
    for words in (("base", "tries"), ("base", "expert")):
        assert studio("merge", *words, "-y", "--to", "-".join(words)).code == 0
    base, expert, good, leaked = (Store.open(tmp_path / n) for n in ("base", "expert", "base-tries", "base-expert"))
    found = Arms(
        2, {}, {"demonstrations": (), "oracle": ("tries-0", "tries-1"), "expert": ("expert-0", "expert-1")}, ""
    )
    data = {"demonstrations": base, "oracle": good, "expert": leaked}
    with pytest.raises(DataError, match="tries-0, which the policy did not drive"):
        require_sound(found, data, base, stores["tries"], expert)  # they were driven by "expert"
    driven = placed(tmp_path / "policy", places, ids=["tries-0", "tries-1"], operator="policy:run@1", length=3)
    require_sound(found, data, base, driven, expert)
    with pytest.raises(DataError, match="Arm oracle holds episode expert-0 of the expert"):
        require_sound(found, data | {"oracle": leaked}, base, driven, expert)
    with pytest.raises(DataError, match="holds 0 episodes that were not chosen for it and lacks 2"):
        require_sound(found, data | {"oracle": base}, base, driven, expert)
    with pytest.raises(DataError, match="holds 1 attempts and not 2"):
        require_sound(replace(found, chosen={**found.chosen, "oracle": ("tries-0",)}), data, base, driven, expert)


def test_what_was_preregistered_is_never_changed(tmp_path: Path) -> None:
    asked = {"primary": {"metric": "success"}, "n": {"trainings": 3}}
    first = register(tmp_path, asked, looked=False)
    assert register(tmp_path, asked, looked=True) == first == read(tmp_path)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(UsageError, match=r"says otherwise of n: \{'trainings': 3\} there, \{'trainings': 5\} here"):
        register(tmp_path, {**asked, "n": {"trainings": 5}}, looked=True)
    assert (tmp_path / FILE).read_bytes() == before
    (tmp_path / FILE).write_bytes(before.replace(b"success", b"looks good"))
    with pytest.raises(DataError, match="was changed after it was written"):
        register(tmp_path, {**asked, "primary": {"metric": "looks good"}}, looked=True)
    (tmp_path / FILE).unlink()
    with pytest.raises(DataError, match="it counts no longer"):
        register(tmp_path, asked, looked=True)


def test_below_its_sizes_an_experiment_is_plumbing() -> None:
    assert below(3, 200, 40, privileged=False) == []
    assert "2 trainings of each arm, 3 are the least" in below(2, 200, 40, privileged=False)
    assert len(below(1, 20, 5, privileged=True)) == 4
