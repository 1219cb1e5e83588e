"""Pictures come back as they went in, in their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curation.errors import DataError, UnreadableVideo
from curation.video import Encoding, VideoWriter, check_video, count_frames, read_video


def image(value: int) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.mp4"
    writer = VideoWriter(path, 30, 64, 48, Encoding())
    for index in range(9):
        writer.add(image(20 * index + 30))
    assert writer.close() == 9
    return path


def test_frames_come_back(path: Path) -> None:
    means = [frame.mean() for frame in read_video(path)]
    assert np.allclose(means, [20 * i + 30 for i in range(9)], atol=3)
    assert count_frames(path) == 9


def test_frames_from_the_middle(path: Path) -> None:
    means = [frame.mean() for frame in read_video(path, start=5, count=2)]
    assert np.allclose(means, [130, 150], atol=3)
    with pytest.raises(UnreadableVideo, match="5 frames from frame 5"):
        list(read_video(path, 5, 5))


def test_a_video_describes_itself(path: Path) -> None:
    stream = check_video(path)
    assert (stream.width, stream.height, stream.fps, stream.frames) == (64, 48, 30, 9)
    assert (stream.codec, stream.pix_fmt) == ("h264", "yuv420p")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_cut_video_is_refused(path: Path, keep: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    for read in (check_video, count_frames):
        with pytest.raises(UnreadableVideo, match=r"a\.mp4"):
            read(path)


def test_wrong_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="even"):
        VideoWriter(tmp_path / "b.mp4", 30, 63, 48, Encoding())
    writer = VideoWriter(tmp_path / "b.mp4", 30, 64, 48, Encoding())
    with pytest.raises(DataError, match="uint8"):
        writer.add(image(1).astype(np.float32))
    writer.abort()
    assert not (tmp_path / "b.mp4").exists()
