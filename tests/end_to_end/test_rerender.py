"""`studio rerender`: another look of the same events, and nothing but another look."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
import pytest

from curation.errors import TargetExists, UsageError
from curation.fingerprint import fingerprint
from curation.frames import Placement
from curation.instructions import said_in
from curation.rows import Rows
from curation.staging import this_host
from curation.store import SavedEpisode, Store
from curation.video import read_video
from recorders.journal import Take
from recorders.rerender import LOW_M, PHYSICAL, added_places, rerender, varied
from recorders.sidecar import read_sidecar
from recorders.world import props, reach
from recorders.world.drawing import DEPTH_RANGE_M
from recorders.world.scene import FOV_HIGH, FOV_LOW, OVERHEAD_AT, Scene, scene_from
from tests.curation.making import tell_frames
from tests.end_to_end.commands import Commands
from tests.end_to_end.conftest import SMALL, Made
from tests.end_to_end.pictures import compare

LOOK = (
    "--ground", "dark", "--overhead-fov", "58", "--distractors", "1", "--size", "224", "224", "--depth",
)  # fmt: skip
LOOK_OF_SCENE = (*LOOK[:6], "--width", "224", "--height", "224", "--depth")
"""The same, as generate spells it."""
CAMERA_HEIGHT = OVERHEAD_AT[2]
"""Of the overhead camera above the table [m]."""
OTHER = {"block": "duplo", "bowl": "tray", "block_scale": 1.1, "servo": "hardware", "friction": 0.6, "fps": 20}


def files(root: Path) -> dict[str, str]:
    """A digest of every file of a dataset, but for empty lock files."""
    paths = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


@pytest.fixture(scope="module")
def redrawn(commands: Commands, plain: Made) -> Store:
    """The plain dataset in another look; its source is checked to be as it was."""
    before = fingerprint(plain.root), files(plain.root)
    commands.studio("rerender", str(plain.root), *LOOK, "--to", "redrawn")
    assert (fingerprint(plain.root), files(plain.root)) == before
    return Store.open(commands.home / "redrawn")


def depth(episode: SavedEpisode, camera: str, frame: int) -> np.ndarray:
    """One decoded depth image [m], shape (height, width)."""
    image = next(read_video(episode.videos[f"observation.images.{camera}_depth"], frame, 1)).astype(float)
    assert np.ptp(image, axis=2).max() <= 2, "depth is grey"
    return image.mean(axis=2) * DEPTH_RANGE_M / 255


def test_what_happened_stays_bit_for_bit(plain: Made, redrawn: Store) -> None:
    assert redrawn.total_episodes == 5
    for was, now in zip(plain.store.episodes, redrawn.episodes, strict=True):
        assert (now.length, now.task) == (was.length, was.task)
        assert now.row.episode_id != was.row.episode_id == now.row.extra["source_episode_id"]
        kept = ("x", "y", "yaw_deg", "seed", "operator", "outcome", "success")
        assert all(getattr(now.row, name) == getattr(was.row, name) for name in kept)
        old, new = plain.store.numeric(was.index), redrawn.numeric(now.index)
        assert all(np.array_equal(new[key], old[key]) for key in ("action", "observation.state"))
        require_same_physics(read_sidecar(was.frames), read_sidecar(now.frames))


def require_same_physics(was: Take, now: Take) -> None:
    for name in ("state", "action", "physics", "wall_s", "late"):
        assert np.array_equal(getattr(was, name), getattr(now, name)), name
    assert (was.by, was.phase, was.footer) == (now.by, now.phase, now.footer)
    assert {**was.header, "episode_id": ""} == {**now.header, "episode_id": ""}


def test_the_look_is_the_one_asked_for(plain: Made, redrawn: Store) -> None:
    scene = scene_from(redrawn.scene["scene"])
    asked = {"ground": "dark", "overhead_fov": 58.0, "distractors": 1, "width": 224, "height": 224, "depth": True}
    assert scene == replace(scene_from(plain.store.scene["scene"]), **asked)  # type: ignore[arg-type]
    assert redrawn.scene["fingerprint"] != plain.store.scene["fingerprint"]
    assert {row.extra["scene"] for row in redrawn.rows()} == {redrawn.scene["fingerprint"]}
    cameras = {f"observation.images.{name}{kind}" for name in scene.cameras for kind in ("", "_depth")}
    assert {key for key, feature in redrawn.features.items() if feature.dtype == "video"} == cameras
    assert all(redrawn.features[key].shape == (224, 224, 3) for key in cameras)
    parent = json.loads((redrawn.root / "meta/studio/provenance.json").read_text())["parents"][0]
    assert parent["fingerprint"] == fingerprint(plain.root)
    assert redrawn.scene["mujoco"] == plain.store.scene["mujoco"]
    assert redrawn.scene["drawn_with_mujoco"] == mujoco.__version__
    log = "meta/studio/attempts.jsonl"
    assert (redrawn.root / log).read_bytes() == (plain.root / log).read_bytes()


def test_the_new_pictures_belong_to_the_same_states(redrawn: Store) -> None:
    evidence = compare(redrawn, [0])
    assert len(evidence) == 4
    for camera, found in evidence.items():
        assert len(found.misplaced) < 0.1 * sum(found.tells), camera
        assert min(found.psnr) > 27, camera


def test_depth_is_in_metres(redrawn: Store) -> None:
    first = depth(redrawn.episode(0), "overhead_cam", 0)
    assert first[112, 112] == pytest.approx(CAMERA_HEIGHT, abs=0.03)
    arm = first.min()
    assert 0.2 < arm < CAMERA_HEIGHT - 0.1
    wrist = depth(redrawn.episode(0), "wrist_cam", 0)
    assert 0 < wrist.min() < 0.1 < wrist.max() < DEPTH_RANGE_M, "the jaws and what lies beyond"


def test_it_can_be_drawn_again(commands: Commands, redrawn: Store) -> None:
    """From a look with another number of objects than the recording; it replays in the scene it was recorded in."""
    commands.studio("rerender", str(redrawn.root), "--distractors", "2", "--size", "64", "48", "--to", "twice")
    twice = Store.open(commands.home / "twice")
    for was, now in zip(redrawn.episodes, twice.episodes, strict=True):
        require_same_physics(read_sidecar(was.frames), read_sidecar(now.frames))
    found = compare(twice, [0])["overhead_cam"]
    assert np.median(found.psnr) > 22
    assert "5 are equal bit for bit" in commands.studio("replay", str(twice.root)).out
    family = commands.studio("log", "twice").out.splitlines()
    assert [line.split()[0] for line in family] == ["twice", "redrawn", "plain"]
    assert "5 episodes, " in family[2]
    first = Store.open(commands.home / "plain").episode(0).row.episode_id
    assert f"plain: {first}, frames 0 to " in commands.studio("log", "twice", "--episode", "0").out


def test_every_frame_keeps_its_instruction(plain: Made, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(plain.root, copy)
    episode = Store.open(copy).episode(1)
    said = [episode.task if frame % 3 != 1 else "wait" for frame in range(episode.length)]
    tell_frames(copy, 1, said)
    made = draw(Store.open(copy), tmp_path / "new", look_of(plain, width=64, height=48))
    assert [one.tasks for one in made.episodes] == [(episode.task,), (episode.task, "wait"), *[(episode.task,)] * 3]
    assert said_in(made, made.episode(1), Rows(made)) == said


def test_nothing_is_recorded_into_it(commands: Commands, redrawn: Store) -> None:
    said = commands.studio("generate", "-n", "6", *SMALL[:5], *LOOK_OF_SCENE, "--to", "redrawn", "--resume", code=2)
    assert "was drawn again from another dataset" in said.err
    assert redrawn.total_episodes == 5


def test_varied_looks_differ_and_repeat(commands: Commands, distracted: Made) -> None:
    sets = []
    for name in ("varied", "again"):
        commands.studio("rerender", str(distracted.root), "--vary", "3", "--size", "64", "48", "--to", name)
        sets.append(Store.open(commands.home / name))
    one, two = sets
    looks = [row.extra["scene_drawn"] for row in one.rows()]
    assert looks[0] != looks[1]
    assert looks == [row.extra["scene_drawn"] for row in two.rows()]
    for was, now in zip(one.episodes, two.episodes, strict=True):
        for key in was.videos:
            # Not their bytes: x264 does not always give the same images the same stream.
            for image, again in zip(read_video(was.videos[key]), read_video(now.videos[key]), strict=True):
                assert np.abs(image.astype(int) - again).mean() < 2


def test_looks_depend_on_seed_and_episode() -> None:
    scene = Scene()
    assert len({varied(scene, seed, index) for seed in range(5) for index in range(5)}) == 25
    looks = [varied(scene, 3, index) for index in range(40)]
    assert {look.ground for look in looks} == {"checker", "dark"}
    assert {look.distractors for look in looks} == {0, 1, 2}
    assert all(abs(look.overhead_fov - scene.overhead_fov) <= 4 for look in looks)
    assert all(getattr(look, name) == getattr(scene, name) for look in looks for name in PHYSICAL)
    assert {varied(scene, 3, index, least=1).distractors for index in range(40)} == {1, 2}
    assert {varied(scene, 3, index, least=3).distractors for index in range(10)} == {3}


@pytest.mark.parametrize("fov", [FOV_LOW, FOV_HIGH])
def test_varied_fields_of_view_stay_what_a_camera_may_have(fov: float) -> None:
    found = {varied(Scene(overhead_fov=fov), 3, index).overhead_fov for index in range(20)}
    assert fov in found
    assert len(found) > 2


@pytest.mark.parametrize("name", PHYSICAL)
def test_what_would_change_events_is_refused(plain: Made, tmp_path: Path, name: str) -> None:
    other = replace(scene_from(plain.store.scene["scene"]), **{name: OTHER[name]})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"cannot change what happened: {name} .* to {OTHER[name]}"):
        rerender(plain.store, tmp_path / "no", other, vary=None, processes=1, tell=lambda done, of: None)
    assert not list(tmp_path.iterdir())


def test_physical_flags_and_existing_targets_are_refused(commands: Commands, plain: Made, distracted: Made) -> None:
    assert "--friction" in commands.studio("rerender", "plain", "--friction", "0.6", "--to", "no", code=2).err
    said = commands.studio("rerender", "plain", "--ground", "dark", "--to", "distracted", code=2)
    assert "already exists and is never overwritten" in said.err
    assert not (commands.home / "no").exists()
    assert distracted.store.total_episodes == 2


def look_of(made: Made, **changes: Any) -> Scene:
    return replace(scene_from(made.store.scene["scene"]), **changes)


def draw(source: Store, to: Path, scene: Scene, **more: Any) -> Store:
    options: dict[str, Any] = {"vary": None, "processes": 1, "tell": lambda done, of: None}
    return rerender(source, to, scene, **{**options, **more})


def test_distractors_that_were_recorded_cannot_be_taken_away(distracted: Made, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 were recorded, 0 asked"):
        draw(distracted.store, tmp_path / "no", look_of(distracted, distractors=0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("vary", [None, 3])
def test_a_block_out_of_the_new_view_is_refused_before_anything_is_drawn(
    plain: Made, tmp_path: Path, vary: int | None
) -> None:
    with pytest.raises(UsageError, match=r"Episode 0 .* at 2\d(\.\d+)? degrees"):
        draw(plain.store, tmp_path / "no", look_of(plain, overhead_fov=20.0, width=16), vary=vary)
    assert not list(tmp_path.iterdir())


def test_no_processes_are_refused(plain: Made, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--processes 0"):
        draw(plain.store, tmp_path / "no", look_of(plain), processes=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("made", ["plain", "distracted"])
def test_added_distractors_stand_clear_of_all_that_was_on_the_table(made: str, request: pytest.FixtureRequest) -> None:
    dataset: Made = request.getfixturevalue(made)
    scene = look_of(dataset, distractors=4)
    layout = dataset.store.scene["physics"]["layout"]
    apart = math.hypot(*scene.block_half[:2]) + reach.DISTRACTOR_GAP - 1e-3
    for episode in dataset.store.episodes:
        take = read_sidecar(episode.frames)
        places = [pose[:2] for pose in added_places(take, layout, scene).values()]
        assert len(places) == (4 if made == "plain" else 3)
        for name, (first, _) in layout.items():
            if name == "block" or name.startswith("distractor"):
                path = take.physics[:, 1 + first : 4 + first]
                low = path[path[:, 2] < LOW_M, :2]
                assert min(np.hypot(*(low - place).T).min() for place in places) >= apart, name
        assert all(reach.clear_of_bowl(scene, Placement(*place)) for place in places)


def test_a_block_pushed_about_keeps_added_distractors_off_its_way(plain: Made) -> None:
    layout = plain.store.scene["physics"]["layout"]
    take = read_sidecar(plain.store.episode(0).frames)
    first = 1 + layout["block"][0]
    physics = take.physics.copy()
    # Along the default spot of the first distractor.
    physics[:, first : first + 2] = np.linspace([0.30, -0.02], props.DISTRACTOR_SPOTS[0], len(physics))
    physics[:, first + 2] = 0.0125
    pushed = replace(take, physics=physics)
    (pose,) = added_places(pushed, layout, look_of(plain, distractors=1)).values()
    assert np.hypot(*(physics[:, first : first + 2] - pose[:2]).T).min() > reach.DISTRACTOR_GAP


def test_a_target_that_appears_meanwhile_is_not_overwritten(plain: Made, tmp_path: Path) -> None:
    to = tmp_path / "new"
    with pytest.raises(TargetExists, match="appeared meanwhile"):
        draw(plain.store, to, look_of(plain, width=64, height=48), tell=lambda done, of: to.mkdir(exist_ok=True))
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert not list(to.iterdir())


def test_a_source_that_changes_meanwhile_is_refused(plain: Made, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(plain.root, copy)

    def disturb(done: int, of: int) -> None:
        info = copy / "meta" / "info.json"
        info.write_text(json.dumps({**json.loads(info.read_text()), "robot_type": "another"}))

    with pytest.raises(UsageError, match="changed while it was drawn"):
        draw(Store.open(copy), tmp_path / "new", look_of(plain, width=64, height=48), tell=disturb)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_only_what_dead_runs_left_is_removed(plain: Made, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, alive = f".new.{this_host()}-{gone.pid}.partial", f".new.{this_host()}-{os.getppid()}.partial"
    elsewhere = f".new.not-{this_host()}-{gone.pid}.partial"
    for name in (dead, alive, elsewhere, f".newer.{this_host()}-{gone.pid}.partial"):
        (tmp_path / name).mkdir()
    draw(plain.store, tmp_path / "new", look_of(plain, width=64, height=48))
    assert {path.name for path in tmp_path.iterdir()} == {"new", alive, elsewhere}
