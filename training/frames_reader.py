"""LeRobot's dataset, read from memory and from the cache of decoded frames instead of parquet and video.

One thing of LeRobot's is replaced: `DatasetReader.get_item` of one dataset. What it returns is the same, item by item,
and `tests/training/test_frames_cache.py` compares them all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.errors import UsageError
from training.frames_cache import FramesCache, require_sound


class Items:
    """What `DatasetReader.get_item` does, without parquet and video. Spawned workers open the images themselves.

    Args:
        dataset: a LeRobotDataset, opened.
        cache: of decoded images, in the order of frames.
    """

    def __init__(self, dataset: Any, cache: FramesCache) -> None:
        reader = dataset.reader
        self._deltas: dict[str, list[int]] = dict(reader.delta_indices or {})
        self._transforms = reader._image_transforms
        self._columns = columns_of(dataset)
        self._tasks = [str(name) for name in dataset.meta.tasks.index]
        self._cache = cache
        self._open: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint32]]] = {}
        index = self._columns["index"].numpy()
        self._row_of = {int(number): row for row, number in enumerate(index)}
        episodes = dataset.meta.episodes
        self._starts = np.asarray(episodes["dataset_from_index"], dtype=np.int64)
        self._stops = np.asarray(episodes["dataset_to_index"], dtype=np.int64)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}

    def __call__(self, row: int) -> dict[str, Any]:
        """The item at a row, as LeRobot's reader gives it."""
        import torch

        item = {key: values[row] for key, values in self._columns.items()}
        frame, episode = int(item["index"]), int(item["episode_index"])
        first, last = int(self._starts[episode]), int(self._stops[episode]) - 1
        shown = {camera: [frame] for camera in self._cache.sizes}
        for key, deltas in self._deltas.items():
            wanted = [min(max(frame + delta, first), last) for delta in deltas]
            item[f"{key}_is_pad"] = torch.tensor([not first <= frame + delta <= last for delta in deltas])
            if key in shown:
                shown[key] = wanted
            else:
                item[key] = self._columns[key][[self._row_of[number] for number in wanted]]
        for camera, wanted in shown.items():
            images = torch.stack([self._image(camera, number) for number in wanted]).squeeze(0)
            item[camera] = self._transforms(images) if self._transforms is not None else images
        item["task"] = self._tasks[int(item["task_index"])]
        return item

    def _image(self, camera: str, frame: int) -> Any:
        """One image, uint8 (3, height, width)."""
        import torch

        if camera not in self._open:
            self._open[camera] = (self._cache.images(camera), self._cache.checksums(camera))
        images, sums = self._open[camera]
        image = np.array(images[frame])
        require_sound(self._cache.folder, camera, frame, image, int(sums[frame]))
        return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def columns_of(dataset: Any) -> dict[str, Any]:
    """Every column of numbers in memory, shape (rows, ...) each, as torch tensors.

    Raises:
        UsageError: a column holds something else.
    """
    import torch

    whole = dataset.hf_dataset
    if whole._indices is not None:
        whole = whole.flatten_indices()
    found = {}
    for key, feature in whole.features.items():
        column = whole.data.column(key).combine_chunks()
        shape = dataset.meta.features[key]["shape"]
        if len(shape) > 1 or not hasattr(feature, "dtype" if tuple(shape) == (1,) else "feature"):
            raise UsageError(f"Column {key} of {dataset.root} is no vector of numbers; train without --cache.")
        flat = column if tuple(shape) == (1,) else column.flatten()
        values = np.array(flat.to_numpy(zero_copy_only=False))
        found[key] = torch.from_numpy(values if tuple(shape) == (1,) else values.reshape(len(column), -1))
    return found


def reader(cache: FramesCache) -> Callable[[Any], None]:
    """What puts the fast reader in the place of a LeRobotDataset's own."""

    def put(dataset: Any) -> None:
        if dataset.meta.depth_keys:
            raise UsageError(f"{Path(dataset.root)} holds depth images, which are not cached. Train without --cache.")
        dataset.hf_dataset  # noqa: B018  makes LeRobot open it
        dataset.reader.get_item = Items(dataset, cache)

    return put
