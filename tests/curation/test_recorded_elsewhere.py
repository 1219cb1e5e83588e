"""Datasets that LeRobot recorded, several episodes in a video and several files, go through our edits unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest

from curation.store import Store
from curation.video import check_video, read_video
from studio.cli import run
from tests.curation.making import Truth, joints, truth_of
from tests.curation.tiny import CAMERAS, FEATURES, FPS, HEIGHT, WIDTH, picture

pytestmark = pytest.mark.filterwarnings("ignore")  # LeRobot's own

LENGTHS, TASKS = (9, 8, 11, 10, 7, 12), ("pick", "place")
LEAST_DB = 30.0
Made = Callable[[str], Path]


def record(lerobot: ModuleType, root: Path, first: int, encoder: Any, most_mb: float) -> None:
    """Six episodes with LeRobot's own recorder, about two in a file."""
    features = {key: {"dtype": f.dtype, "shape": f.shape, "names": list(f.names)} for key, f in FEATURES.items()}
    dataset = lerobot.LeRobotDataset.create(
        "studio/theirs", fps=FPS, features=features, root=root, robot_type="so_follower", streaming_encoding=True,
        rgb_encoder=encoder, video_files_size_in_mb=most_mb, data_files_size_in_mb=0.02,
    )  # fmt: skip
    for episode, length in enumerate(LENGTHS):
        values = joints(first + episode, length)
        for frame in range(length):
            images = {camera: picture(first + episode, frame, number) for number, camera in enumerate(CAMERAS)}
            dataset.add_frame({key: v[frame] for key, v in values.items()} | images | {"task": TASKS[episode % 2]})
        dataset.save_episode()
    dataset.finalize()


@pytest.fixture(
    scope="module",
    params=[
        "h264",
        "av1",
        # Groups of pictures longer than an episode's step, and others that refer to their neighbours.
        pytest.param("h264 g=12", marks=pytest.mark.slow),
        pytest.param("hevc", marks=pytest.mark.slow),
    ],
)
def theirs(request: pytest.FixtureRequest, lerobot: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two datasets, one and two, in one encoding."""
    from lerobot.configs import RGBEncoderConfig

    encoder, most_mb = {
        "h264": (RGBEncoderConfig(vcodec="h264"), 0.005),
        "av1": (RGBEncoderConfig(), 0.004),
        "h264 g=12": (RGBEncoderConfig(vcodec="h264", g=12), 0.005),
        "hevc": (RGBEncoderConfig(vcodec="hevc"), 0.008),
    }[request.param]
    folder = tmp_path_factory.mktemp("theirs")
    for name, first in (("one", 0), ("two", 6)):
        record(lerobot, folder / name, first, encoder, most_mb)
        store = Store.open(folder / name)
        files = {path for episode in store.episodes for path in episode.videos.values()}
        assert 2 * 2 <= len(files) < 2 * len(LENGTHS)
    return folder


@pytest.fixture
def edit(theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def edit(verb: str, *arguments: object) -> dict[str, Any]:
        capsys.readouterr()
        named = [str(theirs / word) if word in ("one", "two") else str(word) for word in arguments]
        code = run([verb, *named, "--to", str(tmp_path / "new"), "-y", "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return edit


def check(lerobot: ModuleType, root: Path, expected: list[Truth], *, exact: bool) -> None:
    """Every episode is the expected one: numbers equal, images equal or alike; for LeRobot, too."""
    have = list(truth_of(Store.open(root)).values())
    assert [one.task for one in have] == [one.task for one in expected]
    dataset = lerobot.LeRobotDataset("studio/new", root=root, video_backend="pyav")
    at = 0
    for one, want in zip(have, expected, strict=True):
        for key, values in want.numbers.items():
            assert np.array_equal(one.numbers[key], values), key
        for camera, images in want.images.items():
            assert len(one.images[camera]) == len(images)
            for frame, image in enumerate(images):
                shown = one.images[camera][frame]
                assert np.array_equal(shown, image) if exact else psnr(shown, image) >= LEAST_DB, (camera, frame)
                theirs = dataset[at + frame][camera].numpy().transpose(1, 2, 0) * 255
                assert np.abs(theirs - shown).mean() < 3, (camera, frame)
        at += len(next(iter(want.numbers.values())))
    assert len(dataset) == at


def psnr(one: Any, other: Any) -> float:
    error = float(np.mean((one.astype(float) - other.astype(float)) ** 2))
    return 100.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def truths(theirs: Path, *names: str) -> list[Truth]:
    return [one for name in names for one in truth_of(Store.open(theirs / name)).values()]


def cut(truth: Truth, start: int, stop: int) -> Truth:
    numbers = {key: values[start:stop] for key, values in truth.numbers.items()}
    return Truth(numbers, {key: images[start:stop] for key, images in truth.images.items()}, truth.task)


def test_merge(lerobot: ModuleType, theirs: Path, edit: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    done = edit("merge", "one", "two")
    check(lerobot, tmp_path / "new", truths(theirs, "one", "two"), exact=not done["videos"].get("encoded"))
    assert done["episodes"] == 12


def test_drop(lerobot: ModuleType, theirs: Path, edit: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    done = edit("drop", "one", 1, 4)
    kept = [one for index, one in enumerate(truths(theirs, "one")) if index not in (1, 4)]
    check(lerobot, tmp_path / "new", kept, exact=not done["videos"].get("encoded"))


def test_trim(lerobot: ModuleType, theirs: Path, edit: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    done = edit("trim", "one", "--frames", 2, 7)
    assert done["videos"].get("encoded"), "where 12 divides no start, something must have been encoded"
    check(lerobot, tmp_path / "new", [cut(one, 2, 7) for one in truths(theirs, "one")], exact=False)


def test_split(lerobot: ModuleType, theirs: Path, edit: Callable[..., Any], tmp_path: Path) -> None:
    done = edit("split", "one", "train=0.7", "test=0.3")
    every = dict(zip(truth_of(Store.open(theirs / "one")), truths(theirs, "one"), strict=True))
    seen = []
    for part in done:
        root = Path(part["dataset"])
        origins = [episode.row.extra["source_episode_id"] for episode in Store.open(root).episodes]
        check(lerobot, root, [every[name] for name in origins], exact=not part["videos"].get("encoded"))
        seen += origins
    assert sorted(seen) == sorted(every)


def test_groups_of_pictures_that_need_the_one_before(tmp_path: Path) -> None:
    """LeRobot's hevc: a frame after a key frame in the file may be shown before it."""
    path = tmp_path / "open.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=FPS, options={"g": "3", "x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(picture(0, number, 0), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    whole = list(read_video(path))
    assert len(whole) == check_video(path).frames == 20
    with av.open(str(path)) as container:
        shown = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert shown != sorted(shown), "without such frames this proves nothing"
    for start in range(20):
        assert np.array_equal(np.stack(list(read_video(path, start))), np.stack(whole[start:])), start
