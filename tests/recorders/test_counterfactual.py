"""The same instant with one thing changed: that thing is changed, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curation import layout
from curation.frames import Image
from curation.names import IMAGES
from curation.store import Store
from curation.video import read_video
from recorders.counterfactual import BLOCK_FREE, CHANGES, LOOKS, Instants, drawn, in_look
from recorders.draw import layout_of, positions
from recorders.sidecar import read_sidecar
from recorders.world import props
from recorders.world.drawing import Painter
from recorders.world.scene import compile_scene, scene_from
from studio import cli

CAMERAS = ("overhead_cam", "wrist_cam")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One success of the expert."""
    root = tmp_path_factory.mktemp("again") / "one"
    words = ("--at", "0.25", "0.1", "--width", "96", "--height", "72", "--processes", "1")
    assert cli.run(["generate", "-n", "1", *words, "--to", str(root)]) == 0
    return Store.open(root)


@pytest.fixture(scope="module")
def painter(store: Store) -> Iterator[Painter]:
    scene = scene_from(store.scene["scene"])
    found = Painter(scene, compile_scene(scene))
    yield found
    found.close()


def instants(store: Store, seed: int = 1) -> list[Instants]:
    episode = store.episodes[0]
    return [Instants(episode, [episode.length - 9, episode.length - 1], seed)]


def end(store: Store, painter: Painter) -> np.ndarray:
    layout = layout_of(painter.model)
    return positions(read_sidecar(store.episodes[0].frames), layout, painter.model)[-1]


def red(image: Image) -> np.ndarray:
    """Pixels of the block, shape (N, 2); the jaws are orange."""
    wide = image.astype(int)
    return np.argwhere((wide[..., 0] > 90) & (wide[..., 0] > 3 * wide[..., 1]))


def test_drawn_again_it_looks_as_it_was_recorded(store: Store) -> None:
    (images,) = drawn(store, instants(store))
    episode = store.episodes[0]
    for camera in CAMERAS:
        recorded = list(read_video(episode.videos[IMAGES + camera]))
        for frame, image in zip((episode.length - 9, episode.length - 1), images[camera], strict=True):
            assert np.abs(recorded[frame].astype(float) - image).mean() < 8


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_moves_the_block_and_at_most_the_jaws(store: Store, painter: Painter, name: str) -> None:
    before = end(store, painter)
    after = CHANGES[name](painter, before.copy(), np.random.default_rng(3))
    block, jaw = painter.address("block"), painter.address("gripper")
    moved = set(np.flatnonzero(after != before))
    assert moved <= {*range(block, block + 7)} | ({jaw} if name == "still held" else set())
    place, bowl, half = after[block : block + 3], painter.bowl(before), painter.scene.block_half[2]
    distance = float(np.hypot(*(place - bowl)[:2]))
    if name == "moved out of the bowl":
        assert BLOCK_FREE[0] <= distance <= BLOCK_FREE[1]
        assert place[2] == half
    elif name == "on the rim":
        assert distance == pytest.approx(props.BOWL_RIM_RADIUS)
        assert place[2] == pytest.approx(props.BOWL_HEIGHT + half)
    else:
        assert place == pytest.approx(painter.gripper(before), abs=0.003)
        assert after[jaw] < before[jaw]


def test_a_change_is_the_same_in_all_frames_and_another_for_another_seed(store: Store) -> None:
    change = CHANGES["moved out of the bowl"]
    (once,), (again,), (other,) = (drawn(store, instants(store, seed), change) for seed in (1, 1, 2))
    (plain,) = drawn(store, instants(store))
    assert all(np.array_equal(a, b) for a, b in zip(once["overhead_cam"], again["overhead_cam"], strict=True))
    assert not np.array_equal(once["overhead_cam"][1], other["overhead_cam"][1])
    assert not np.array_equal(once["overhead_cam"][1], plain["overhead_cam"][1])
    assert len(red(once["overhead_cam"][0])) > 4, "beside the bowl it is in sight"


def test_without_block_and_bowl_neither_is_seen_and_other_looks_are_others(store: Store) -> None:
    (plain,) = drawn(store, instants(store))
    (bare,) = drawn(store, instants(store), bare=True)
    assert len(red(plain["overhead_cam"][1])) > 4
    assert not len(red(bare["overhead_cam"][1]))
    for name in LOOKS:
        (other,) = drawn(store, instants(store), scene=in_look(store, name))
        assert np.abs(other["overhead_cam"][1].astype(float) - plain["overhead_cam"][1]).mean() > 2, name


def test_the_card_tells_which_looks_are_new(store: Store, tmp_path: Path) -> None:
    from studio.classifier_pictures import differs

    assert all(differs(store, name) for name in LOOKS)
    shutil.copytree(store.root, tmp_path / "dark")
    path = tmp_path / "dark" / layout.SCENE
    told = json.loads(path.read_bytes())
    path.write_text(json.dumps({**told, "scene": {**told["scene"], "ground": "dark"}}))
    assert [name for name in LOOKS if not differs(Store.open(tmp_path / "dark"), name)] == ["dark ground"]
