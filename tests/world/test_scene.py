"""Scenes are plain data: refused when wrong, named by a fingerprint that misses nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, fields, replace
from typing import Any

import pytest

from curation.errors import UsageError
from recorders.world.scene import STEPS_PER_SECOND, TIMESTEP, Scene, fingerprint, scene_from

OTHER: dict[str, Any] = {
    "block": "duplo",
    "bowl": "tray",
    "ground": "dark",
    "camera": "thesis",
    "overhead_fov": 58.0,
    "distractors": 1,
    "block_scale": 1.1,
    "look": "nice",
    "servo": "hardware",
    "friction": 0.3,
    "width": 320,
    "height": 240,
    "depth": True,
    "fps": 25,
}
"""For every field a valid value that is not its default."""


@pytest.mark.parametrize("fps", [7, 29, 31, 59])
def test_a_control_period_that_is_not_whole_steps_is_refused_with_both_numbers_and_the_valid_rates(fps: int) -> None:
    with pytest.raises(UsageError) as refusal:
        Scene(fps=fps)
    message = str(refusal.value)
    assert f"1/{fps} s" in message
    assert f"1/{STEPS_PER_SECOND} s" in message
    valid = [int(word) for word in message.split("Valid fps: ")[1].rstrip(".").split(", ")]
    assert 30 in valid
    assert fps not in valid
    for rate in valid:
        assert Scene(fps=rate).steps_per_frame * TIMESTEP == pytest.approx(1 / rate, abs=1e-12)


def test_equal_scenes_have_equal_fingerprints() -> None:
    assert fingerprint(Scene()) == fingerprint(Scene())
    assert fingerprint(Scene(**OTHER)) == fingerprint(scene_from(OTHER))


def test_the_fingerprint_is_the_same_in_another_process() -> None:
    code = "from recorders.world.scene import Scene, fingerprint; print(fingerprint(Scene()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint(Scene())


@pytest.mark.parametrize("name", [field.name for field in fields(Scene)])
def test_any_single_field_changes_the_fingerprint(name: str) -> None:
    changed = replace(Scene(), **{name: OTHER[name]})
    assert changed != Scene()
    assert fingerprint(changed) != fingerprint(Scene())


BAD = [
    ("friction", 0.29), ("friction", 0.81), ("friction", float("nan")),
    ("distractors", -1), ("distractors", 5),
    ("block_scale", 0.5), ("block_scale", 1.5), ("overhead_fov", 19.0), ("overhead_fov", 91.0),
    ("width", 641), ("width", 8), ("height", 481), ("height", 2000), ("fps", 0), ("fps", -30),
    ("block", "sphere"), ("bowl", "vase"), ("ground", "grass"),
    ("camera", "phone"), ("look", "nicer"), ("servo", "soft"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_and_named(name: str, value: object) -> None:
    with pytest.raises(UsageError) as refusal:
        Scene(**{name: value})  # type: ignore[arg-type]
    assert str(value) in str(refusal.value)


def test_a_bad_choice_is_answered_with_the_valid_ones() -> None:
    with pytest.raises(UsageError, match="cube, duplo"):
        scene_from({"block": "cubes"})


def test_a_scene_comes_back_from_json() -> None:
    scene = Scene(**OTHER)
    assert scene_from(json.loads(json.dumps(asdict(scene)))) == scene


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="gravity, wind"):
        scene_from({"block": "cube", "wind": 3, "gravity": 1.6})
