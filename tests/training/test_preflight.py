"""Every fault that can be seen before training is planted and refused, by its name and with its mend."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.checks import Finding
from curation.frames import Feature
from curation.store import Store
from studio import cli
from tests.curation.checks import plants
from tests.curation.checks.arm import LENGTH, Numbers, driven, record
from tests.curation.tiny import FEATURES
from tests.screens.trainings import keep
from tests.training.runs import TINY_ACT, begun
from tests.training.runs import asked as options
from training.checkpoints import MODEL, STATE
from training.normalisation import MAPPING
from training.preflight import Asked, World, names, preflight
from training.preflight.machine import checkpoint_bytes, file_system, memory_bytes
from training.recipe import Recipe
from training.weights import hub_answers

WORLD = World("the world", "0123456789abcdef", {"overhead_cam": (48, 64), "wrist_cam": (48, 64)}, 30)
PLENTY = 10**12


@pytest.fixture
def data(arm: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(arm, tmp_path / "data"))


def asked(data: Path, *, world: World | None = WORLD, where: str = "", **changes: Any) -> Asked:
    store = Store.open(data)
    of_recipe = {name: changes.pop(name) for name in list(changes) if name in Recipe.__dataclass_fields__}
    training = options(steps=100, where=where, set_=tuple(changes.pop("set_", ())))
    recipe = replace(training.recipe(store), **of_recipe)
    given = {"free_bytes": PLENTY, "gpu_bytes": PLENTY, "hub": False} | changes
    return Asked(chosen=training.chosen(store), recipe=recipe, folder=data.parent, world=world, **given)


def refused(found: list[Finding], name: str, what: str, mend: str) -> None:
    """Exactly one rule refuses, with these words."""
    assert names(found) == [name], [(one.check, one.level, one.what) for one in found]
    (first, *_) = [one for one in found if one.level == "error"]
    assert what in first.what
    assert mend in first.mend


def test_a_clean_training_is_not_refused(data: Path) -> None:
    found = preflight(asked(data))
    assert [one for one in found if one.level != "note" and one.check != "disk kind"] == []


PLANTED: list[tuple[str, Callable[[Path], None], str, str, str]] = [
    ("overflowed image std", plants.stats(plants.overflow), "statistics", "std", "studio stats"),
    ("placeholder stats", plants.stats(plants.placeholder), "statistics", "placeholder", "studio stats"),
    (
        "no image stats",
        plants.stats(lambda s: s.pop("observation.images.overhead_cam")),
        "statistics",
        "no statistics",
        "studio stats",
    ),
    ("a damaged video", plants.truncate(plants.video), "video", "", ""),
]


@pytest.mark.parametrize(("plant", "name", "what", "mend"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED])
def test_faults_of_the_data_are_refused(
    data: Path, plant: Callable[[Path], None], name: str, what: str, mend: str
) -> None:
    plant(data)
    found = [one for one in preflight(asked(data)) if one.level == "error"]
    assert found
    assert any(one.check.startswith(name) for one in found), [one.check for one in found]
    assert any(mend in one.mend for one in found)


def test_faults_of_episodes_that_are_not_trained_on_do_not_count(data: Path) -> None:
    plants.truncate(plants.video)(data)  # episode 1
    assert names(preflight(asked(data))) != []
    assert names(preflight(asked(data, where="x<0.21"))) == []


def test_a_leaked_block_pose_is_refused(tmp_path: Path) -> None:
    def leak(episode: int, numbers: Numbers, block: np.ndarray) -> Numbers:
        return numbers | {"observation.state": block[:, :6].astype(np.float32)}

    record(tmp_path / "leaked", twist=leak)
    found = preflight(asked(tmp_path / "leaked"))
    assert "state" in names(found)
    assert any("block" in one.what for one in found if one.check == "state")


def test_shifted_actions_are_refused(tmp_path: Path) -> None:
    def shift(episode: int, numbers: Numbers, block: np.ndarray) -> Numbers:
        longer = driven(episode, LENGTH + 40)
        late = {"action": longer["action"][: len(block)], "observation.state": longer["observation.state"]}
        return {"action": late["action"], "observation.state": late["observation.state"][1 : 1 + len(block)]}

    record(tmp_path / "shifted", twist=shift)
    refused(preflight(asked(tmp_path / "shifted")), "lag", "same moment", "")


def test_a_chunk_longer_than_episodes_is_refused(data: Path) -> None:
    found = preflight(asked(data, set_=("policy.chunk_size=100",)))
    refused(found, "chunk", "100 frames, 4 of 4 episodes are shorter, the shortest 57", "policy.chunk_size=50")


def test_another_world_is_refused(data: Path) -> None:
    other = replace(WORLD, fingerprint="f" * 16)
    refused(preflight(asked(data, world=other)), "scene", "0123456789abcdef, the world is ffff", "studio rerender")
    fewer = replace(WORLD, cameras={"wrist_cam": (48, 64)})
    refused(preflight(asked(data, world=fewer)), "cameras", "overhead_cam is no camera", "--drop-feature")
    larger = replace(WORLD, cameras={"overhead_cam": (480, 640), "wrist_cam": (480, 640)})
    refused(preflight(asked(data, world=larger)), "cameras", "48x64 here and 480x640", "--resize 48x64")
    assert names(preflight(asked(data, world=larger, resize=(48, 64)))) == []
    refused(
        preflight(asked(data, world=replace(WORLD, fps=25))), "cameras", "30 fps, the world runs at 25", "same rate"
    )
    assert [one.check for one in preflight(asked(data, world=None)) if one.level == "warning"][:1] == ["scene"]


def test_a_disk_too_small_is_refused_and_keeping_fewer_mends_it(data: Path) -> None:
    one = asked(data, set_=("save_freq=10",))
    need = checkpoint_bytes(one)
    assert 100e6 < need < 200e6  # a ResNet-18 with Adam's averages
    found = preflight(replace(one, free_bytes=int(5 * need)))
    refused(found, "disk", "10 checkpoints", "--keep-last 2")
    assert names(preflight(replace(one, free_bytes=int(5 * need), recipe=replace(one.recipe, keep_last=2)))) == []


def test_file_systems_are_recognised(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"overlay / overlay rw 0 0\n/dev/vdb {tmp_path}/disk ext4 rw 0 0\n")
    (tmp_path / "disk").mkdir()
    assert file_system(tmp_path, mounts) == "overlay"
    assert file_system(tmp_path / "disk", mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "none") == ""


def test_a_gpu_that_is_absent_or_too_small_is_refused(data: Path) -> None:
    one = asked(data, device="cuda", gpu_bytes=0)
    refused(preflight(one), "device", "cuda", "--device")
    refused(preflight(replace(one, gpu_bytes=int(memory_bytes(one) / 2))), "memory", "are needed", "--batch-size")


@pytest.mark.parametrize(
    ("recipe", "name", "what", "mend"),
    [
        ({"policy": "smolvla"}, "tokenizer", "SmolVLM2", "hf download"),
        ({"policy": "pi0"}, "tokenizer", "paligemma", "hf download"),
    ],
    ids=["smolvla", "pi0"],
)
def test_a_tokenizer_out_of_reach_is_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recipe: dict[str, str], name: str, what: str, mend: str
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    found = preflight(asked(data, **recipe))
    assert name in names(found)
    (one,) = [one for one in found if one.check == name]
    assert what in one.what
    assert mend in one.mend
    assert name not in names(preflight(asked(data, **recipe, hub=True)))


def test_a_backbone_out_of_reach_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    setting = ("policy.pretrained_backbone_weights=ResNet18_Weights.IMAGENET1K_V1",)
    refused(preflight(asked(data, set_=setting)), "backbone", "not on this machine", "resnet18-f37072fd.pth")
    assert names(preflight(asked(data))) == []


def test_a_gripper_in_another_unit_than_the_weights_is_refused(data: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    weights = tmp_path / "pi0"
    weights.mkdir()
    (weights / "config.json").write_text(json.dumps({"type": "act", "chunk_size": 10}))
    save_file({"x": np.zeros(4, np.float32)}, weights / "model.safetensors")
    for most, wrong in ((1.0, True), (95.0, False)):
        kept = {"action.max": np.array([90.0] * 5 + [most], np.float32)}
        save_file(kept, weights / "policy_preprocessor_step_3_normalizer_processor.safetensors")
        found = preflight(asked(data, weights=str(weights), weights_given="pi0"))
        if wrong:
            refused(found, "gripper", "up to 1 in the data of pi0", "studio gripper DATASET 0..100:0..1")
        else:
            assert names(found) == []


def test_a_resume_from_random_weights_is_refused(data: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoints" / "000010"
    (checkpoint / MODEL).mkdir(parents=True)
    (checkpoint / STATE).mkdir()
    found = preflight(asked(data, resume=tmp_path / "checkpoints"))
    refused(found, "resume", "random weights", "--to")


def test_a_stale_tag_is_refused(data: Path) -> None:
    (data / "meta/studio/hub.json").write_text(json.dumps({"repo": "me/pos2", "commit": "a" * 40}))
    found = preflight(asked(data), refs=lambda repo: {"v3.0": "a" * 40, "main": "b" * 40})
    refused(found, "hub", "tag v3.0 is aaaaaaaa, main is bbbbbbbb", "studio publish")


def with_pose(root: Path) -> Path:
    """A dataset that tells where the block is."""
    pose = Feature("float32", (5,), ("a", "b", "c", "d", "e"))

    def see(episode: int, numbers: Numbers, block: np.ndarray) -> Numbers:
        return numbers | {"observation.environment_state": block[:, :5].astype(np.float32)}

    record(root, twist=see, features={**FEATURES, "observation.environment_state": pose})
    return root


def test_a_pose_left_in_metres_is_refused(tmp_path: Path) -> None:
    data = with_pose(tmp_path / "told")
    assert json.loads(asked(data).recipe.setting(MAPPING))["ENV"] == "MEAN_STD"
    lerobots = f'{MAPPING}={{"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"}}'
    refused(preflight(asked(data, set_=[lerobots])), "normalisation", "environment_state is not normalised", "name ENV")


def test_a_privileged_column_is_said(tmp_path: Path) -> None:
    found = preflight(asked(with_pose(tmp_path / "told")))
    assert names(found) == []
    assert [one.check for one in found if one.level == "warning" and one.check != "disk kind"] == ["privileged"]


def test_training_refuses_what_preflight_refuses(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_RUNS", str(data.parent / "runs"))
    plants.stats(plants.overflow)(data)
    words = ["--set", "policy.chunk_size=10", "policy.n_action_steps=10"]
    assert cli.run(["train", str(data), "--to", "a", "--steps", "1", *words]) == 3
    said = capsys.readouterr().err
    assert "preflight refuses this training. statistics:" in said
    assert f"studio stats {data} --repair" in said
    assert "--force" in said
    assert not (data.parent / "runs").exists()
    assert cli.run(["preflight", str(data), *words, "--json"]) == 3
    assert "statistics" in [one["check"] for one in json.loads(capsys.readouterr().out) if one["level"] == "error"]


def test_a_resume_is_refused_what_preflight_refuses_now(
    arm: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = Path(shutil.copytree(arm, home.parent / "data"))
    run = begun(home / "a", data, options(steps=20))
    run.update(state="stopped")
    keep(run, 10)
    plants.stats(plants.overflow)(data)
    before = (run.folder / "run.json").read_bytes()
    assert cli.run(["train", "--resume", "a"]) == 3
    assert "preflight refuses this training. statistics:" in capsys.readouterr().err
    assert (run.folder / "run.json").read_bytes() == before


def test_a_series_is_refused_before_its_first_training(
    arm: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", str(arm), "--to", "a", "--steps", "5", "--batch-size", "8", "--device", "cpu"]
    words += ["--train-seeds", "3", "--set", *TINY_ACT]
    begun(home / "a-seed2", arm, options(steps=6, seed=2))
    assert cli.run(words) == 2
    assert "a-seed2 is a training of other episodes or settings" in capsys.readouterr().err
    assert not (home / "a-seed0").exists()
    shutil.rmtree(home / "a-seed2")
    for seed in range(3):
        begun(home / f"a-seed{seed}", arm, options(steps=5, seed=seed)).update(state="done")
    assert cli.run(words) == 0
    said = capsys.readouterr().err
    assert [f"a-seed{seed} is trained already" in said for seed in range(3)] == [True] * 3


def test_the_disk_holds_every_training_of_a_series(data: Path) -> None:
    one = asked(data, set_=("save_freq=50",))
    room = replace(one, free_bytes=int(3 * checkpoint_bytes(one)))
    assert names(preflight(room)) == []
    refused(preflight(replace(room, trainings=3)), "disk", "6 checkpoints of about", "STUDIO_RUNS")


@pytest.mark.parametrize(
    ("settings", "recipe", "what"),
    [
        (("save_freq=1e3",), {}, "`save_freq`: Couldn't parse '1e3' into an int"),
        (("dataset.eval_split=x",), {}, "`dataset.eval_split`: Couldn't parse 'x' into a float"),
        (("policy.nosuch=3",), {}, "unrecognized arguments: --policy.nosuch=3"),
        (("policy.n_action_steps=20",), {}, "Got 20 for `n_action_steps` and 10 for `chunk_size`"),
        (
            (),
            {"policy": "nosuch", "settings": {}},
            "argument --policy.type: invalid choice: 'nosuch' (choose from 'act'",
        ),
    ],
    ids=["no whole number", "no number", "no option", "two that do not fit", "no policy"],
)
def test_arguments_that_lerobot_refuses_are_refused(
    data: Path, settings: tuple[str, ...], recipe: dict[str, Any], what: str
) -> None:
    found = preflight(asked(data, set_=settings, **recipe))
    assert "arguments" in names(found)
    assert any(what in one.what for one in found), [one.what for one in found]


def test_the_chunk_of_every_policy_is_known(data: Path) -> None:
    found = preflight(asked(data, policy="xvla", settings={"policy.chunk_size": "99"}, hub=True))
    assert next(one.what for one in found if one.check == "chunk").startswith("a chunk has 99 frames, 4 of 4")
    usual = preflight(asked(data, policy="diffusion", settings={}, hub=True))
    assert next(one.what for one in usual if one.check == "chunk").startswith("a chunk has 64 frames")


def test_the_gripper_of_weights_is_read_wherever_it_lies_and_said_where_it_does_not(data: Path, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    weights = tmp_path / "old"
    weights.mkdir()
    (weights / "config.json").write_text(json.dumps({"type": "act", "chunk_size": 10, "n_action_steps": 10}))
    endless = {"unnormalize_outputs.buffer_action.max": np.full(6, np.inf, np.float32)}
    for kept in (
        {"unnormalize_outputs.buffer_action.max": np.array([90.0] * 5 + [1.0], np.float32)},
        endless | {"normalize_targets.buffer_action.mean": np.array([0.0] * 5 + [0.5], np.float32),
                   "normalize_targets.buffer_action.std": np.array([9.0] * 5 + [0.25], np.float32)},
    ):  # fmt: skip
        save_file(kept, weights / "model.safetensors")
        refused(preflight(asked(data, weights=str(weights), weights_given="old")), "gripper", "up to 1 in the data", "")
    save_file(endless, weights / "model.safetensors")
    found = preflight(asked(data, weights=str(weights), weights_given="old"))
    assert names(found) == []
    assert [one.what for one in found if one.check == "gripper"] == [
        "old holds no statistics of the actions it was trained on"
    ]


@pytest.mark.parametrize(
    ("scene", "why"),
    [({"fps": "x"}, "not supported between"), ({"block": "zzz"}, "Unknown block 'zzz'"),
     ({"nosuch": 1}, "unknown to this version")],
)  # fmt: skip
def test_a_damaged_scene_is_an_error_of_its_own(
    data: Path, capsys: pytest.CaptureFixture[str], scene: dict[str, Any], why: str
) -> None:
    told = json.loads((data / "meta/studio/scene.json").read_text())
    (data / "meta/studio/scene.json").write_text(json.dumps(told | {"scene": scene}))
    assert cli.run(["preflight", str(data), "--set", *TINY_ACT, "--json"]) == 3
    (one,) = [one for one in json.loads(capsys.readouterr().out) if one["check"] == "scene"]
    assert one["level"] == "error"
    assert "describes no world" in one["what"]
    assert why in one["what"]


def test_a_world_is_compared_where_nothing_can_be_drawn(data: Path) -> None:
    from recorders.world.scene import Scene, fingerprint

    (data / "meta/studio/scene.json").write_text(json.dumps({"scene": {}, "fingerprint": fingerprint(Scene())}))
    asking = (
        "import sys; from pathlib import Path; from curation.store import Store; "
        "from studio.verbs.preflight import world_of; print(world_of(Store.open(Path(sys.argv[1]))).fingerprint)"
    )
    words = [sys.executable, "-c", asking, str(data)]
    said = subprocess.run(words, env=os.environ | {"MUJOCO_GL": "disable"}, capture_output=True, text=True, check=False)
    assert said.stdout.strip() == fingerprint(Scene()), said.stderr


def test_the_hub_is_asked_at_the_port_it_is_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for endpoint in (f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"):
            monkeypatch.setenv("HF_ENDPOINT", endpoint)
            assert hub_answers()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    assert not hub_answers()
