"""Decoded images of a dataset on disk, so that training reads them instead of decoding video over and over.

```text
<cache>/<fingerprint>-<height>x<width>/cache.json      what it holds; written last
<cache>/<fingerprint>-<height>x<width>/<camera>.u8     images of all frames, uint8, one after the other
<cache>/<fingerprint>-<height>x<width>/<camera>.crc    a checksum of each, uint32
```

The fingerprint is the dataset's, so another dataset never finds these images. Every image is compared with its checksum
when the cache is made and again whenever it is read: a damaged one is an error, never a training image.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.atomic import make_folder, sync_all, write_aside
from curation.errors import DataError, UsageError
from curation.frames import Image
from curation.store import Store
from curation.video import read_video

Size = tuple[int, int]
Tell = Callable[[int, int], None]
CARD = "cache.json"
PARTIAL = ".partial"


def cache_home() -> Path:
    """Where caches lie: STUDIO_CACHE, or the user's cache folder."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "teleop-studio"
    return Path(os.environ.get("STUDIO_CACHE") or usual) / "frames"


@dataclass(frozen=True)
class FramesCache:
    """A finished cache.

    Attributes:
        folder: of its files.
        frames: how many of each camera.
        sizes: height and width by camera key.
    """

    folder: Path
    frames: int
    sizes: dict[str, Size]

    def images(self, camera: str) -> NDArray[np.uint8]:
        """All images of a camera, shape (frames, height, width, 3), mapped and not read."""
        height, width = self.sizes[camera]
        shape = (self.frames, height, width, 3)
        mapped: NDArray[np.uint8] = np.memmap(self.folder / f"{camera}.u8", np.uint8, "r", shape=shape)
        return mapped

    def checksums(self, camera: str) -> NDArray[np.uint32]:
        """Of every image, shape (frames,)."""
        return np.fromfile(self.folder / f"{camera}.crc", np.uint32)

    def verify(self) -> None:
        """Compare every image with its checksum.

        Raises:
            DataError: one is damaged.
        """
        for camera in self.sizes:
            images, sums = self.images(camera), self.checksums(camera)
            for index in range(self.frames):
                require_sound(self.folder, camera, index, images[index], int(sums[index]))


def require_sound(folder: Path, camera: str, index: int, image: Image, checksum: int) -> None:
    """Compare an image with its checksum.

    Raises:
        DataError: it is damaged.
    """
    if zlib.crc32(np.ascontiguousarray(image)) != checksum:
        raise DataError(
            f"Image {index} of {camera} in the cache {folder} is not what was decoded. Remove the "
            "folder; it is made again."
        )


def frames_cache(
    store: Store, fingerprint: str, resize: Size | None, tell: Tell = lambda done, of: None
) -> FramesCache:
    """The cache of a dataset, made if there is none.

    Args:
        store: the dataset.
        fingerprint: of it.
        resize: images to height and width, as the policy's preprocessor would; None keeps theirs.
        tell: told how many images are decoded, and of how many.

    Raises:
        UsageError: the dataset holds depth images or the disk is too small.
        DataError: a video cannot be read.
    """
    name = "x".join(map(str, resize)) if resize else "full"
    folder = cache_home() / f"{fingerprint[:32]}-{name}"
    cameras = layout.cameras(store.features)
    sizes = {key: resize or (store.features[key].shape[0], store.features[key].shape[1]) for key in cameras}
    found = FramesCache(folder, store.total_frames, sizes)
    if not cameras:
        return found
    if deep := [key for key in cameras if _is_depth(store, key)]:
        raise UsageError(f"{store.root} holds depth images ({', '.join(deep)}), which are not cached. Train without "
                         "--cache.")  # fmt: skip
    if _is_whole(found, fingerprint):
        return found
    _require_room(found)
    shutil.rmtree(folder, ignore_errors=True)
    partial = folder.with_name(f"{folder.name}{PARTIAL}{os.getpid()}")
    try:
        _make(FramesCache(partial, found.frames, sizes), store, resize, tell)
        card = {"version": 1, "fingerprint": fingerprint, "frames": found.frames, "sizes": sizes}
        write_aside(partial / CARD, json.dumps(card, indent=2).encode())
        if not folder.exists():
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return found


def _is_depth(store: Store, key: str) -> bool:
    """Whether LeRobot takes a camera's images for distances, as it says in meta/info.json."""
    told = store.info["features"].get(key, {})
    infos = [told.get(name) or {} for name in ("info", "video_info")]
    return any(info.get(flag) for info in infos for flag in ("is_depth_map", "video.is_depth_map"))


def _is_whole(cache: FramesCache, fingerprint: str) -> bool:
    try:
        card = json.loads((cache.folder / CARD).read_bytes())
        sizes = {key: (cache.folder / f"{key}.u8").stat().st_size for key in cache.sizes}
        sums = {key: (cache.folder / f"{key}.crc").stat().st_size for key in cache.sizes}
    except (OSError, ValueError):
        return False
    due = {key: cache.frames * height * width * 3 for key, (height, width) in cache.sizes.items()}
    whole = sizes == due and sums == dict.fromkeys(cache.sizes, cache.frames * np.dtype(np.uint32).itemsize)
    return bool(card.get("fingerprint") == fingerprint and whole)


def _require_room(cache: FramesCache) -> None:
    need = sum(cache.frames * height * width * 3 for height, width in cache.sizes.values())
    home = cache_home()
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    if need > 0.9 * free:
        raise UsageError(
            f"The cache of decoded images needs {need / 1e9:.1f} GB, {there} has {free / 1e9:.1f} GB free. Resize "
            "images (--resize 96x128), set STUDIO_CACHE to a larger disk, or train without --cache."
        )


def _make(cache: FramesCache, store: Store, resize: Size | None, tell: Tell) -> None:
    make_folder(cache.folder)
    done, of = 0, cache.frames * len(cache.sizes)
    for camera in cache.sizes:
        sums = np.zeros(cache.frames, np.uint32)
        with (cache.folder / f"{camera}.u8").open("wb") as file:
            for index, image in enumerate(_decoded(store, camera)):
                small = resized(image, resize) if resize else image
                data = np.ascontiguousarray(small)
                file.write(data.tobytes())
                sums[index] = zlib.crc32(data)
                done += 1
                if done % 50 == 0 or done == of:
                    tell(done, of)
        sums.tofile(cache.folder / f"{camera}.crc")
    sync_all(list(cache.folder.iterdir()))
    cache.verify()


def _decoded(store: Store, camera: str) -> Iterator[Image]:
    """Images in the order of frames."""
    for episode in store.episodes:
        count = 0
        for image in read_video(episode.videos[camera], episode.video_starts[camera], episode.length):
            count += 1
            yield image
        if count != episode.length:
            raise DataError(f"{episode.videos[camera]} has {count} images of episode {episode.index}.")


def resized(image: Image, size: Size) -> Image:
    """An image at another size, as LeRobot's preprocessor resizes; rounded to whole levels."""
    import torch
    from torchvision.transforms.v2 import functional

    levels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).to(torch.float32) / 255.0
    small = functional.resize(levels, list(size)).clamp(0.0, 1.0)
    whole: Image = (small * 255.0).round().to(torch.uint8).numpy().transpose(1, 2, 0)
    return whole
