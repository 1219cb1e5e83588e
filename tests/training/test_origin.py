"""A checkpoint says of the episodes it was trained on where they are from, and of no others."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from curation.errors import DataError, UsageError
from curation.store import Store
from curation.video import read_video
from recorders.world.scene import Scene, fingerprint
from studio.evaluation_world import World
from tests.curation.checks import arm
from tests.training.policies import SMALL, tiny_act
from tests.training.runs import asked, begun
from training.camera_means import IMAGENET
from training.checkpoint_card import Card, card, new_card
from training.policy_fit import Unfit, require_fit, unknown
from training.policy_model import PolicyModel
from training.preflight import Asked, preflight
from training.preflight import World as There

DARK = replace(SMALL, ground="dark", servo="hardware")
CHECKER_MARK, DARK_MARK = fingerprint(SMALL), fingerprint(DARK)
PUSH, PICK = "Push the block away", "Pick the block up"


def scene_card(scene: Scene) -> dict[str, Any]:
    return {"fingerprint": fingerprint(scene), "scene": asdict(scene)}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Four episodes as a merge leaves them: two of one scene and task, then two of another."""
    root = tmp_path / "mixed"
    store = arm.record(root, task=lambda episode: PICK if episode < 2 else PUSH)
    ids = [row.episode_id for row in store.rows()]
    marks = [CHECKER_MARK, CHECKER_MARK, DARK_MARK, DARK_MARK]
    told = {"scenes": [scene_card(SMALL), scene_card(DARK)], "episodes": dict(zip(ids, marks, strict=True))}
    (root / "meta/studio/scene.json").write_text(json.dumps(told))
    (root / "meta/studio/units.json").write_text('{"body": "degrees", "gripper": "0..100"}')
    return root


def carded(root: Path, tmp_path: Path, where: str = "") -> Card:
    """The card of a training's checkpoints, read as evaluation reads it."""
    run = begun(tmp_path / f"run{len(where)}", root, asked(steps=1, where=where))
    folder = tmp_path / f"weights{len(where)}"
    folder.mkdir()
    (folder / "config.json").write_text('{"type": "act"}')
    (folder / "studio.json").write_text(json.dumps({**new_card(run.read(), Store.open(root)), "step": 1}))
    assert card(folder).scene == run.read()["scene"]
    return card(folder)


def test_a_card_names_scene_and_instruction_of_the_chosen_episodes_only(mixed: Path, tmp_path: Path) -> None:
    known = carded(mixed, tmp_path, 'task:"push the block"')
    assert (known.tasks, known.fingerprint) == ((PUSH,), DARK_MARK)
    assert known.instruction() == PUSH
    assert World().scene(known) == DARK
    assert unknown(known) == []


def test_of_several_scenes_and_instructions_one_has_to_be_named(mixed: Path, tmp_path: Path) -> None:
    known = carded(mixed, tmp_path)
    assert known.fingerprints == (CHECKER_MARK, DARK_MARK)
    with pytest.raises(UsageError, match=f"trained in 2 scenes.*{DARK_MARK} .ground dark, servo hardware"):
        World().scene(known)
    with pytest.raises(UsageError, match="Name it: --of-scene"):
        World(other_scene=True).scene(known)
    assert World(of_scene=DARK_MARK[:6]).scene(known) == World(ground="dark").scene(known) == DARK
    with pytest.raises(UsageError, match="scene of the checkpoint 'feed'"):
        World(of_scene="feed").scene(known)
    with pytest.raises(UsageError, match=f'2 instructions: "{PICK}", "{PUSH}".*--task'):
        known.instruction()
    assert known.instruction(PUSH) == PUSH


def test_episodes_whose_scene_nobody_knows_are_said(mixed: Path, tmp_path: Path) -> None:
    path = mixed / "meta/studio/scene.json"
    told = json.loads(path.read_text())
    told["episodes"] = {name: mark for name, mark in told["episodes"].items() if mark == CHECKER_MARK}
    path.write_text(json.dumps(told))
    known = carded(mixed, tmp_path)
    assert known.fingerprint == CHECKER_MARK
    assert unknown(known) == ["the scene of 2 of its episodes"]
    assert unknown(replace(known, scene={"scenes": []}))[0] == "its scene", "a list of none is nothing known"


def test_a_card_tells_what_each_camera_showed_on_average_in_the_chosen_episodes(mixed: Path, tmp_path: Path) -> None:
    known = carded(mixed, tmp_path, 'task:"push the block"')
    store = Store.open(mixed)
    for camera, told in known.means.items():
        key = f"observation.images.{camera}"
        shown = [
            image
            for episode in (store.episode(2), store.episode(3))
            for image in read_video(episode.videos[key], episode.video_starts[key], episode.length)
        ]
        assert np.allclose(told, np.mean(shown, axis=(0, 1, 2)) / 255, atol=0.02)
    assert set(known.means) == {"overhead_cam", "wrist_cam"}
    assert known.means != carded(mixed, tmp_path).means, "of the others too"


def test_a_blind_camera_shows_its_own_mean_where_the_statistics_are_imagenets(tmp_path: Path) -> None:
    folder = tiny_act(tmp_path / "weights")
    (path,) = folder.glob("policy_preprocessor*.safetensors")
    stored = load_file(path)
    key = "observation.images.wrist_cam.mean"
    save_file({**stored, key: np.array(IMAGENET, np.float32).reshape(stored[key].shape)}, path)
    model = PolicyModel(folder, device="cpu")
    model.blind(["wrist_cam", "overhead_cam"])
    assert model.greyed == ("wrist_cam",)
    (folder / "studio.json").write_text(json.dumps({"version": 1, "means": {"wrist_cam": [0.1, 0.2, 0.3]}}))
    model = PolicyModel(folder, device="cpu")
    model.blind(["wrist_cam"])
    assert model.greyed == ()
    images = {camera: np.zeros((1, 48, 64, 3), np.uint8) for camera in SMALL.cameras}
    blind = model.see(images, np.zeros((1, 6), np.float32), None, "pick")["observation.images.wrist_cam"]
    images["wrist_cam"] = np.broadcast_to(np.array([25.5, 51, 76.5]).round().astype(np.uint8), (1, 48, 64, 3)).copy()
    model.blind([])
    seen = model.see(images, np.zeros((1, 6), np.float32), None, "pick")["observation.images.wrist_cam"]
    assert np.allclose(blind.numpy(), seen.numpy(), atol=0.02)


@pytest.fixture
def radians(tmp_path: Path) -> Path:
    root = tmp_path / "radians"
    arm.record(root)
    (root / "meta/studio/units.json").write_text('{"body": "radians", "gripper": "0..1"}')
    return root


def test_units_that_the_world_does_not_speak_are_refused_before_training(radians: Path, tmp_path: Path) -> None:
    store = Store.open(radians)
    asking = asked(steps=1)
    world = There("the world", "0123456789abcdef", {"overhead_cam": (48, 64), "wrist_cam": (48, 64)}, 30)
    found = preflight(
        Asked(chosen=asking.chosen(store), recipe=asking.recipe(store), folder=tmp_path, world=world, free_bytes=10**12)
    )
    (units,) = [one for one in found if one.check == "world units"]
    assert units.level == "error"
    assert "body in radians, the world of the evaluation speaks degrees" in units.what
    assert f"studio merge {radians} --units radians:degrees --to NEW" in units.mend
    assert f"studio gripper {radians} 0..1:0..100 --to NEW" in units.mend


def test_units_that_the_world_does_not_speak_are_refused_in_evaluation(
    radians: Path, tmp_path: Path, policy: PolicyModel
) -> None:
    known = replace(carded(radians, tmp_path), fps=30)
    assert known.units == {"body": "radians", "gripper": "0..1"}
    world = {"cameras": dict.fromkeys(SMALL.cameras, (48, 64)), "joints": 6, "fps": 30}
    with pytest.raises(Unfit, match=r"body in radians, the world in degrees.*--units radians:degrees"):
        require_fit(policy, known, **world, fingerprint=str(known.fingerprint))
    require_fit(policy, replace(known, units={"body": "degrees"}), **world, fingerprint=str(known.fingerprint))


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> PolicyModel:
    return PolicyModel(tiny_act(tmp_path_factory.mktemp("policy")), device="cpu")


@pytest.mark.parametrize(
    "damage",
    [{"cameras": {"a": None}}, {"scene": {"scenes": None}}, {"scene": ["x"]}, {"fps": "30"}, {"units": "degrees"}],
)
def test_a_damaged_card_is_named_and_breaks_nothing(tmp_path: Path, damage: dict[str, Any]) -> None:
    (tmp_path / "config.json").write_text('{"type": "act"}')
    (tmp_path / "studio.json").write_text(json.dumps({"version": 1, "run": "a", **damage}))
    with pytest.raises(DataError, match=r"studio\.json is damaged"):
        card(tmp_path)
