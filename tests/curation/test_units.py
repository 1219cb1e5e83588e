"""Units: of which nothing is guessed twice, half converted, or measured with another unit's yardstick."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.apply import apply
from curation.columns import (
    AddFeature,
    Change,
    Convert,
    DropFeature,
    Gripper,
    Rename,
    changed_features,
    changed_numbers,
)
from curation.errors import DataError, UsageError
from curation.frames import JOINTS, Feature
from curation.meaning import stated_of, units_of
from curation.phases import stillness, while_moving
from curation.plan import Columns, Cut, Plan, Trim, begin, edited
from curation.rows import Rows
from curation.store import Store
from curation.units import GRIPPER, Units, read_units
from studio.planned import Into
from studio.verbs.trim import Trim as TrimOptions
from studio.verbs.trim import planned
from tests.curation.making import make_ours, make_packed
from tests.curation.tiny import CAMERAS, FEATURES

Values = NDArray[np.float32]
BODY: dict[str, Callable[[Values], Values]] = {
    "degrees": lambda values: values,
    "radians": np.radians,
    "-100..100": lambda values: values,
}


def write(plan: Plan, to: Path) -> Store:
    apply(plan, to, tell=lambda *_: None)
    return Store.open(to)


def waits(body: str, gripper: str, *, only_gripper: bool) -> Callable[[Values], Values]:
    """Three frames of standing still at each end, in other units; in between all joints move, or the gripper slowly."""
    low, high = GRIPPER[gripper]

    def made(values: Values) -> Values:
        found = values.copy()
        found[:, 5] = 20 + 2.0 * np.arange(len(found))
        if only_gripper:
            found[:, :5] = found[0, :5]
        found[:3], found[-3:] = found[3], found[-4]
        found[:, :5] = BODY[body](found[:, :5])
        found[:, 5] = low + found[:, 5] / 100 * (high - low)
        return found

    return made


@pytest.mark.parametrize("only_gripper", [False, True])
@pytest.mark.parametrize("nameless", [(), ("action", "observation.state")], ids=["named", "nameless"])
@pytest.mark.parametrize("gripper", GRIPPER)
@pytest.mark.parametrize("body", BODY)
def test_standing_still_is_the_same_in_every_unit(
    tmp_path: Path, body: str, gripper: str, nameless: tuple[str, ...], only_gripper: bool
) -> None:
    convert = waits(body, gripper, only_gripper=only_gripper)
    store = make_packed(tmp_path / "one", [[14]], ["pick"], nameless=nameless, convert=convert)
    (store.root / "meta/studio").mkdir()
    (store.root / "meta/studio/units.json").write_text(json.dumps({"body": body, "gripper": gripper}))
    actions = Rows(store).numbers(store.episode(0))["action"]
    assert while_moving(actions, store.fps, 0.0, stillness(store)) == (3, 11)


def test_units_that_nobody_names_are_seen_where_the_arm_stands_still(tmp_path: Path) -> None:
    convert = waits("radians", "0..1", only_gripper=True)
    make_packed(tmp_path / "one", [[14, 14]], ["pick"] * 2, convert=convert)
    options = TrimOptions(dataset=str(tmp_path / "one"), idle=0.0, into=Into(to=str(tmp_path / "new")))
    assert [(clip.start, clip.stop) for clip in planned(options).plans[str(tmp_path / "new")].clips] == [(3, 11)] * 2


def with_names(**names: tuple[str, ...]) -> dict[str, Feature]:
    return {
        key: Feature("float32", (len(names.get(key, f.names)) or 6,), names.get(key, f.names))
        if key not in CAMERAS
        else f
        for key, f in FEATURES.items()
    }


@pytest.mark.parametrize("change", [Gripper("0..100", "0..1"), Convert("degrees", "radians")], ids=["gripper", "body"])
@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"observation.state": ()}, "observation.state has no position .*nameless"),
        ({"action": ()}, "action has no position .*nameless"),
        ({"observation.state": ("x", "y", "z")}, "observation.state has no position .*x, y, z"),
        ({"observation.state": tuple(f"{j}.vel" for j in JOINTS)}, "observation.state has no position"),
        (
            {key: tuple(f"{j}.vel" for j in JOINTS) for key in ("action", "observation.state")},
            "nothing can be converted",
        ),
    ],
)
def test_half_a_conversion_is_refused(change: Change, names: dict[str, tuple[str, ...]], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        changed_features(with_names(**names), (change,))
    alone = (DropFeature("observation.state"), change)
    if "action" not in names:
        assert "action" in changed_features(with_names(**names), alone)


def test_only_positions_are_converted() -> None:
    names = ("shoulder_pan.pos", "shoulder_pan.vel", "gripper.current", "gripper", "gripper.pos.raw", "elbow_flex")
    features = with_names(**dict.fromkeys(("action", "observation.state"), names))
    numbers = {key: np.full((2, 6), 90.0, np.float32) for key in ("action", "observation.state")}
    changes = (Gripper("0..100", "0..1"), Convert("degrees", "radians"))
    turned = changed_numbers(numbers, features, changes, success=False)
    for values in turned.values():
        assert values[0] == pytest.approx([math.pi / 2, 90, 90, 0.9, 90, math.pi / 2])


def test_what_was_guessed_is_not_said(tmp_path: Path) -> None:
    convert = waits("radians", "0..1", only_gripper=False)
    theirs = make_packed(tmp_path / "theirs", [[14]], ["pick"], convert=convert)
    assert units_of(theirs) == (Units("radians", "0..1"), False)
    copy = write(begin([theirs]), tmp_path / "copy")
    assert (units_of(copy), stated_of(copy)) == ((Units("radians", "0..1"), False), {})
    # Whoever converts says what it was; the other half stays a guess.
    half = write(edited(begin([theirs]), Columns(Gripper("0..1", "0..100"))), tmp_path / "half")
    assert json.loads((half.root / "meta/studio/units.json").read_text()) == {"gripper": "0..100"}
    assert units_of(half) == (Units("radians", "0..100"), False)
    both = write(edited(begin([half]), Columns(Convert("radians", "degrees"))), tmp_path / "both")
    assert units_of(both) == (Units(), True)
    # One that says nothing takes the word from all.
    ours = make_ours(tmp_path / "ours", [8], ["pick"])
    degrees = make_packed(tmp_path / "degrees", [[8]], ["pick"])
    assert stated_of(ours) == asdict(Units())
    assert stated_of(write(begin([ours, degrees]), tmp_path / "merged")) == {}
    assert stated_of(write(begin([ours]), tmp_path / "alone")) == asdict(Units())


def test_a_gripper_that_says_its_range_is_not_taken_for_another(tmp_path: Path) -> None:
    ours, theirs = make_ours(tmp_path / "ours", [8], ["pick"]), make_packed(tmp_path / "theirs", [[8]], ["pick"])
    with pytest.raises(UsageError, match=r"says that its gripper is in 0\.\.100, so .* from 0\.\.97.*units\.json"):
        write(edited(begin([ours]), Columns(Gripper("0..97", "0..1"))), tmp_path / "no")
    made = write(edited(begin([theirs]), Columns(Gripper("0..97", "0..1"))), tmp_path / "yes")
    assert read_units(made.root).gripper == "0..1"
    with pytest.raises(UsageError, match=r"as far as numbers tell, in degrees"):
        write(edited(begin([theirs]), Columns(Convert("radians", "degrees"))), tmp_path / "no")


def test_units_that_nobody_knows_are_refused(tmp_path: Path) -> None:
    store = make_packed(tmp_path / "one", [[4]], ["pick"])
    (store.root / "meta/studio").mkdir()
    path = store.root / "meta/studio/units.json"
    for text in ('{"body": "turns"}', '{"gripper": 3}', "[", "3"):
        path.write_text(text)
        with pytest.raises(DataError, match="units"):
            units_of(store)


def reward(store: Store) -> list[list[float]]:
    return [store.numeric(n)["next.reward"][:, 0].tolist() for n in range(store.total_episodes)]


def test_a_reward_stays_with_the_success_that_a_trim_kept(tmp_path: Path) -> None:
    store = make_ours(tmp_path / "one", [8, 8, 8], ["pick"] * 3)  # each succeeds at frame 6
    first, second, third = (row.episode_id for row in store.rows())
    plan = edited(begin([store]), Columns(AddFeature("next.reward", "success")))
    plan = edited(edited(plan, Trim((0, first), 2, 7)), Trim((0, second), 0, 5))
    plan = edited(plan, Cut((0, third), (4,)))
    result = write(plan, tmp_path / "result")
    assert reward(result) == [[0, 0, 0, 0, 1], [0] * 5, [0] * 4, [0, 0, 0, 1]]


def test_nobody_is_called_a_failure_for_being_unknown(tmp_path: Path) -> None:
    theirs = make_packed(tmp_path / "theirs", [[4, 4]], ["pick"] * 2)
    failed = make_ours(tmp_path / "failed", [4], ["pick"], outcome="timeout", success=False)
    plan = begin([failed, theirs])
    with pytest.raises(UsageError, match=r"whether 2 episodes of .*theirs succeeded.*: 0 1\. Leave them out"):
        write(edited(plan, Columns(AddFeature("next.reward", "success"))), tmp_path / "no")
    assert not (tmp_path / "no").exists()
    made = write(edited(begin([failed]), Columns(AddFeature("next.reward", "success"))), tmp_path / "yes")
    assert reward(made) == [[0] * 4]


def test_a_feature_that_replaces_one_of_its_name(tmp_path: Path) -> None:
    store = make_ours(tmp_path / "one", [4], ["pick"])
    plan = begin([store])
    camera = CAMERAS[0]
    for change in (
        DropFeature("observation.state"), AddFeature("observation.state", 2.5),
        DropFeature(camera), AddFeature(camera, 1.0),
        Rename(CAMERAS[1], "observation.images.hand"), AddFeature(CAMERAS[1], 3.0),
    ):  # fmt: skip
        plan = edited(plan, Columns(change))
    result = write(plan, tmp_path / "result")
    assert result.features["observation.state"] == Feature("float32", (1,), ("state",))
    assert set(result.numeric(0)["observation.state"].ravel()) == {2.5}
    assert [result.features[key].dtype for key in CAMERAS] == ["float32"] * 2
    assert list(result.episode(0).videos) == ["observation.images.hand"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="finite"):
        AddFeature("next.reward", value)
