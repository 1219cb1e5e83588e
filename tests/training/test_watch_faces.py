"""What is written beside a history; of it the recording, read back with the real Rerun SDK."""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from curation.errors import CannotWrite
from curation.frames import JOINTS
from studio.watching.files import write_history
from studio.watching.history import History
from studio.watching.lines import lines_of
from studio.watching.recording import write_recording
from tests.studio.conftest import Studio, studio
from tests.training.histories import EVENTS, diffused, with_events

assert studio
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

FRAMES = 24
TOOL = (0.0, 0.0, -0.092)
"""The tool point in the gripper's frame [m], as assets/so101.xml has it."""
Rows = dict[int, dict[str, Any]]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return with_events(diffused(tmp_path_factory.mktemp("policy") / "diffusion", FRAMES))


@pytest.fixture
def folder(history: History, tmp_path: Path) -> Path:
    write_history(tmp_path / "watched", history)
    return tmp_path / "watched"


def read(path: Path) -> dict[str, Rows]:
    """Every entity's rows by frame, -1 for what is of all of them; values are lists of what was logged at once."""
    from rerun.experimental import RrdReader

    found: dict[str, Rows] = defaultdict(lambda: defaultdict(dict))
    for chunk in RrdReader(str(path)).store().stream():
        for row in chunk.to_record_batch().to_pylist():
            values = {name.partition(":")[2]: value for name, value in row.items() if ":" in name}
            found[chunk.entity_path.lstrip("/")][row.get("frame", -1)] |= values
    return found


def test_the_recording_says_what_the_history_says(history: History, folder: Path, studio: Studio) -> None:
    done = studio("watch", "--history", str(folder), "--rerun", "--json")
    assert done.code == 0, done.err
    path = Path(json.loads(done.out)["rerun"])
    assert path == folder / "thought.rrd"
    entities = read(path)
    columns = history.columns
    for column, joint in enumerate(JOINTS):
        for name, values in (
            ("actual", columns.state),
            ("commanded", columns.action),
            ("predicted", history.foretold()),
        ):
            rows = entities[f"joints/{joint}/{name}"]
            told = [rows[frame]["scalars"][0] for frame in range(FRAMES)]
            assert np.allclose(told, values[:FRAMES, column], equal_nan=True)
        errors = [entities[f"error/{joint}"][frame]["scalars"][0] for frame in range(FRAMES)]
        assert np.allclose(errors, np.abs(columns.state[1:, column] - columns.action[:, column]))
    for frame in (0, 13, FRAMES - 1):
        for kind in ("plan", "taken", "ghost", "sample", "denoising"):
            lines = [line.points for line in lines_of(history, frame) if line.kind == kind]
            strips = entities[f"world/thought/{kind}"][frame]["strips"]
            assert [len(strip) for strip in strips] == [min(40, len(line)) for line in lines]
            for strip, line in zip(strips, lines, strict=True):
                assert np.allclose([strip[0], strip[-1]], line[[0, -1]], atol=1e-6)
        for camera in ("overhead_cam", "wrist_cam"):
            rows = entities[f"world/cameras/{camera}"], entities[f"world/cameras/{camera}/image"]
            assert np.allclose(rows[0][frame]["resolution"], [320, 240])
            blob = bytes(rows[1][frame]["blob"][0])
            assert Image.open(io.BytesIO(blob)).size == (320, 240)
    assert [rows["text"][0] for _, rows in sorted(entities["events"].items())] == list(EVENTS.values())
    assert sorted(entities["events"]) == list(EVENTS)


def test_bodies_stand_where_the_physics_has_them(history: History, folder: Path, studio: Studio) -> None:
    assert studio("watch", "--history", str(folder), "--rerun").code == 0
    entities = read(folder / "thought.rrd")
    for frame in (0, FRAMES - 1):
        block = history.columns.physics[frame, 1:]
        row = entities["world/block"][frame]
        place = entities["world/gripper"][frame]
        hand = Rotation.from_quat(place["quaternion"][0])
        assert np.allclose(place["translation"][0] + hand.apply(TOOL), history.path[frame], atol=1e-5)
        assert any(np.allclose(block[at : at + 3], row["translation"][0], atol=1e-6) for at in range(len(block) - 3))
    shapes = [name for name in entities if name.startswith("world/") and name.split("/")[-1].isdigit()]
    assert len(shapes) > 20


def test_without_rerun_the_extra_is_named(folder: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rerun", None)
    refused = studio("watch", "--history", str(folder), "--rerun")
    assert (refused.code, "uv sync --extra rerun" in refused.err) == (2, True), refused.err
    assert not (folder / "thought.rrd").exists()


def test_a_disk_that_refuses_the_recording_is_told_in_words(history: History, tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"Cannot write .*thought\.rrd"):
        write_recording(history, tmp_path / "nowhere/thought.rrd")


def test_page_and_film_lie_beside_the_history(tmp_path: Path, studio: Studio) -> None:
    folder = tmp_path / "short"
    write_history(folder, diffused(tmp_path / "diffusion", 2, samples=0))
    before = (folder / "watch.json").read_bytes()
    done = studio("watch", "--history", str(folder), "--page", "--film", "--json")
    assert done.code == 0, done.err
    files = {"page": folder / "page.html", "film": folder / "film.mp4"}
    assert {name: Path(json.loads(done.out)[name]) for name in files} == files
    made = {"watch.json", "frames.npz", "thoughts.npz", "page.html", "film.mp4"}
    assert {path.name for path in folder.iterdir()} == made
    assert (folder / "watch.json").read_bytes() == before


def test_a_history_is_shown_without_anything_else(folder: Path, studio: Studio) -> None:
    shown = studio("watch", "--history", str(folder))
    assert (shown.code, "grasp 5, lift 9, release 22" in shown.out) == (0, True), shown.err
    refused = studio("watch", "--history", str(folder), "--samples", "3")
    assert (refused.code, "--history shows an episode that was watched" in refused.err) == (2, True), refused.err
