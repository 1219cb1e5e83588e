"""How the videos of each camera are encoded: as info.json says, as the files say, and as a plan wants them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from curation import layout
from curation.columns import changed_features, source_key
from curation.difference import Difference
from curation.plan import Plan, Reencode
from curation.store import Store

_CODECS = {
    b"avc1": "h264", b"avc3": "h264", b"hvc1": "hevc", b"hev1": "hevc", b"av01": "av1", b"vp09": "vp9",
    b"mp4v": "mpeg4",
}  # fmt: skip
_WAY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
"""Boxes of an mp4 on the way to what describes its images."""
_STREAMS = {"libsvtav1": "av1", "libaom-av1": "av1", "libx264": "h264", "libx265": "hevc"}
"""Encoders that some tools name where streams are meant."""
_FACTS = ("codec", "pix_fmt")


def codec_and_size(path: Path) -> tuple[str, int, int] | None:
    """Codec, width and height [pixels] as a video's header says; None where that cannot be told from it."""
    try:
        state = path.stat()
    except OSError:
        return None
    return _read(path, state.st_size, (state.st_dev, state.st_ino, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=100_000)
def _read(path: Path, size: int, _state: tuple[int, ...]) -> tuple[str, int, int] | None:
    """By what differs once a file is another one; a plan is looked at several times."""
    try:
        with path.open("rb") as file:
            at = _box(file, 0, size, _WAY)
            if at is None:
                return None
            # Version, count, then the first entry: its size, its name, and at 32 bytes width and height.
            file.seek(at + 8)
            entry = file.read(36)
    except OSError:
        return None
    codec = _CODECS.get(entry[4:8])
    return None if codec is None else (codec, int.from_bytes(entry[32:34]), int.from_bytes(entry[34:36]))


def reencoding(plan: Plan, stores: Sequence[Store], parent: int) -> Reencode:
    """The edit that encodes those cameras of a parent anew that differ from the first parent, or from what info.json
    says of them."""
    store, changes = stores[parent], plan.parents[parent].changes
    wanted = []
    for camera in layout.cameras(changed_features(store.features, changes)):
        key, first = source_key(camera, changes), source_key(camera, plan.parents[0].changes)
        if first in stores[0].features and _apart(plan, stores, parent, camera):
            wanted.append((key, stores[0].encoding_of(first)))
    return Reencode(parent, tuple(wanted))


def encoding_differences(plan: Plan, stores: Sequence[Store], names: Sequence[str]) -> Iterator[Difference]:
    """Cameras that are not encoded as the first dataset's, or not as info.json says."""
    for number, (store, parent) in enumerate(zip(stores, plan.parents, strict=True)):
        again = dict(parent.encode)
        for camera in layout.cameras(changed_features(store.features, parent.changes)):
            if source_key(camera, parent.changes) in again:
                continue
            for what in _apart(plan, stores, number, camera):
                mend = "Encode them anew with --reencode, which studio merge has."
                yield Difference("encoding", names[number], what, mend, parent=number)
        yield from _sizes(plan, store, number, names[number])


def _apart(plan: Plan, stores: Sequence[Store], number: int, camera: str) -> list[str]:
    """In which ways the videos of one camera are not what the result would say of them."""
    store, changes = stores[number], plan.parents[number].changes
    key, first = source_key(camera, changes), source_key(camera, plan.parents[0].changes)
    found = []
    if number and first in stores[0].features:
        have, want = (
            [getattr(one.encoding_of(k), fact) for fact in _FACTS] for one, k in ((store, key), (stores[0], first))
        )
        if have != want:
            found.append(f"videos of {camera} in {' '.join(have)}, {' '.join(want)} before")
    said = _said(store, key).get("video.codec")
    others = sorted({codec for codec, _, _ in _held(plan, store, number, key)} - {_STREAMS.get(str(said), said)})
    if said and others:
        found.append(f"videos of {camera} are in {' and '.join(others)}, its info.json says {said}")
    return found


def _sizes(plan: Plan, store: Store, number: int, name: str) -> Iterator[Difference]:
    changes = plan.parents[number].changes
    for camera in layout.cameras(changed_features(store.features, changes)):
        key = source_key(camera, changes)
        want = _size(store, key)
        others = sorted({(wide, high) for _, wide, high in _held(plan, store, number, key)} - {want})
        if others:
            told = " and ".join(f"{wide}x{high}" for wide, high in others)
            what = f"videos of {camera} are of {told} pixels, its info.json says {want[0]}x{want[1]}"
            mend = f"Leave the camera out with --drop-feature {camera}, or the episodes."
            yield Difference("features", name, what, mend, parent=number)


def _said(store: Store, key: str) -> dict[str, Any]:
    return dict(store.info["features"][key].get("info") or {})


def _size(store: Store, key: str) -> tuple[int, int]:
    """Width and height that a dataset says its images have."""
    feature = store.features[key]
    last = bool(feature.names) and feature.names[0].startswith("channel")
    height, width = feature.shape[1:] if last else feature.shape[:2]
    return width, height


def _held(plan: Plan, store: Store, number: int, key: str) -> set[tuple[str, int, int]]:
    """What the videos are that a plan takes, as they say themselves."""
    paths = {store.episode(clip.episode_id).videos[key] for clip in plan.clips if clip.parent == number}
    return {facts for path in paths if (facts := codec_and_size(path)) is not None}


def _box(file: IO[bytes], at: int, end: int, way: Sequence[bytes]) -> int | None:
    """Where the contents of a box begin, by the names on the way to it."""
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        body = at + (16 if length == 1 else 8)
        after = at + max(int.from_bytes(head[8:16]) if length == 1 else length or end - at, 8)
        if head[4:8] == way[0]:
            found = body if len(way) == 1 else _box(file, body, min(after, end), way[1:])
            if found is not None:
                return found
        at = after
    return None
