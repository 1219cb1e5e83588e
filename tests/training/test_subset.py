"""Statistics of chosen episodes are those of their rows and images, wherever the images lie."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from curation import layout
from curation.errors import DataError
from curation.store import Store
from curation.video import read_video
from tests.curation.checks.plants import edit_json, set_column
from tests.curation.making import make_packed
from tests.curation.tiny import CAMERAS
from training.subset import Subset, subset_stats


def png(pixels: np.ndarray) -> dict[str, bytes]:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return {"bytes": file.getvalue()}


@pytest.fixture
def pictured(tmp_path: Path) -> Store:
    """A dataset with its first camera's images in the data files, as LeRobot keeps them where it makes no videos."""
    store = make_packed(tmp_path / "set", [[6, 7], [5]], ["pick"] * 3)
    for path in sorted({episode.data for episode in store.episodes}):
        own = [one for one in store.episodes if one.data == path]
        images = [
            image
            for one in own
            for image in read_video(one.videos[CAMERAS[0]], one.video_starts[CAMERAS[0]], one.length)
        ]
        column = pa.array([png(image) for image in images], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
        pq.write_table(pq.read_table(path).append_column(CAMERAS[0], column), path)
    edit_json(store.root / layout.INFO, lambda info: info["features"][CAMERAS[0]].update(dtype="image"))
    return Store.open(store.root)


def test_images_in_the_data_file_are_counted_as_those_of_videos(pictured: Store, tmp_path: Path) -> None:
    videos = make_packed(tmp_path / "same" / "set", [[6, 7], [5]], ["pick"] * 3)
    found, due = (subset_stats(Subset(store, (1, 2))) for store in (pictured, videos))
    assert found.keys() == due.keys()
    for key, stats in due.items():
        assert all(np.array_equal(found[key][name], value) for name, value in stats.items()), key


def test_an_image_that_is_none_is_named(pictured: Store) -> None:
    path = pictured.episodes[1].data
    for stored in (None, {"bytes": b"", "path": None}, {"bytes": b"no picture", "path": None}):
        set_column(path, CAMERAS[0], lambda old, stored=stored: [*old[:7], stored, *old[8:]])
        with pytest.raises(DataError, match=rf"{path}: an image of {CAMERAS[0]}, episode 1, cannot be decoded"):
            subset_stats(Subset(pictured, (1, 2)))
        subset_stats(Subset(pictured, (0, 2)))
