"""Where the block is, as a column of its own: only if asked, and as LeRobot's env tells it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curation.checks import check_folder
from curation.errors import UsageError
from curation.frames import Placement
from curation.names import POSE
from curation.store import Store
from recorders.privileged import FEATURE, block_poses
from recorders.sidecar import read_sidecar
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from studio import cli
from studio.verbs.asked import open_session

SMALL = ("--at", "0.337", "-0.015", "--width", "32", "--height", "32")


def test_a_pose_is_that_of_the_world() -> None:
    world = SimWorld(Scene(width=32, height=32))
    for yaw in (-170.0, -30.0, 0.0, 100.0):
        world.reset(1, Placement(0.3, 0.1, yaw))
        first = world.model.joint("block").qposadr[0]
        qpos = world.physics()[1 + first : 8 + first]
        block, angle = world.block_pose()
        assert block_poses(qpos[None])[0] == pytest.approx([*block, np.sin(angle), np.cos(angle)], abs=1e-6)


def test_it_is_recorded_if_asked_and_the_state_stays_the_joints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path))
    words = ["generate", "-n", "1", "--processes", "1", *SMALL, "--privileged", "--to"]
    assert cli.run([*words, "told"]) == 0
    store = Store.open(tmp_path / "told")
    assert store.features[POSE] == FEATURE
    (episode,) = store.episodes
    take = read_sidecar(episode.frames)
    first = 1 + store.scene["physics"]["layout"]["block"][0]
    stored = store.numeric(0)
    assert np.array_equal(stored[POSE][:, :3], take.physics[:, first : first + 3].astype(np.float32))
    assert stored[POSE][0, :2] == pytest.approx([0.337, -0.015], abs=1e-6)
    assert stored["observation.state"].shape[1] == 6
    assert [finding for finding in check_folder(tmp_path / "told") if finding.level == "error"] == []
    assert cli.run(["generate", "-n", "2", *SMALL, "--processes", "1", "--resume", "--to", "told"]) == 0
    assert Store.open(tmp_path / "told").numeric(1)[POSE].shape[1] == 5


def test_a_dataset_without_it_is_not_continued_with_it(tmp_path: Path) -> None:
    scene = Scene(width=32, height=32)
    open_session(str(tmp_path / "plain"), scene, resume=False).close()
    assert POSE not in Store.open(tmp_path / "plain").features
    with pytest.raises(UsageError, match="begun without --privileged"):
        open_session(str(tmp_path / "plain"), scene, resume=True, privileged=True)
