"""Faults, planted into a dataset on disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.video import Encoding, VideoWriter
from tests.curation.tiny import CAMERAS, FPS, HEIGHT, WIDTH, picture

FRONT = CAMERAS[0]


def data(root: Path, episode: int = 1) -> Path:
    return root / f"data/chunk-000/file-{episode:03d}.parquet"


def record_of(root: Path, episode: int = 1) -> Path:
    return root / f"meta/episodes/chunk-000/file-{episode:03d}.parquet"


def video(root: Path, episode: int = 1, camera: str = FRONT) -> Path:
    return root / f"videos/{camera}/chunk-000/file-{episode:03d}.mp4"


def set_column(path: Path, column: str, change: Callable[[list[Any]], list[Any]]) -> None:
    """Change a column of a parquet file, in its type."""
    table = pq.read_table(path)
    place, kind = table.column_names.index(column), table.schema.field(column).type
    values = pa.array(change(table[column].to_pylist()), kind)
    pq.write_table(table.set_column(place, table.schema.field(column), values), path)


def drop_columns(path: Path, start: str) -> None:
    table = pq.read_table(path)
    pq.write_table(table.drop_columns([name for name in table.column_names if name.startswith(start)]), path)


def one_more_column(root: Path) -> None:
    table = pq.read_table(record_of(root))
    pq.write_table(table.append_column("score", pa.array([0.5])), record_of(root))


def as_text(root: Path) -> None:
    table = pq.read_table(record_of(root))
    place = table.column_names.index("studio/seed")
    pq.write_table(table.set_column(place, "studio/seed", pa.array(["1"])), record_of(root))


def edit_json(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def info(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    return lambda root: edit_json(root / "meta/info.json", change)


def stats(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    return lambda root: edit_json(root / "meta/stats.json", change)


def column(name: str, change: Callable[[list[Any]], list[Any]], of: Callable[[Path], Path] = data) -> Any:
    return lambda root: set_column(of(root), name, change)


def film(root: Path, frames: int, episode: int = 1, fps: int = FPS, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    """Put another video in an episode's place."""
    path = video(root, episode)
    path.unlink()
    writer = VideoWriter(path, fps, *size, Encoding())
    for frame in range(frames):
        image = picture(episode, frame, 0)
        writer.add(np.resize(image, (size[1], size[0], 3)))
    writer.close()


def point_at_first(root: Path) -> None:
    """All episodes show the first one's video, as the earlier work's merge had it."""
    for episode in range(1, 4):
        set_column(record_of(root, episode), f"videos/{FRONT}/file_index", lambda old: [0 for _ in old])


def overflow(values: dict[str, Any]) -> None:
    values[FRONT]["std"] = [[[0.0021]], [[0.0034]], [[0.0058]]]


def placeholder(values: dict[str, Any]) -> None:
    for name, value in (("mean", 0.0), ("std", 1.0), ("min", 0.0), ("max", 255.0)):
        values[FRONT][name] = [[[value]]] * 3


def count_pixels(root: Path) -> None:
    for episode in (0, 1):
        set_column(record_of(root, episode), f"stats/{FRONT}/count", lambda old: [[v[0] * WIDTH * HEIGHT] for v in old])


def times_ten(root: Path) -> None:
    """Actions in another scale, and stats.json recomputed as LeRobot does: the episodes' statistics stay."""
    from curation.restat import repair
    from curation.store import Store

    for episode in range(4):
        set_column(data(root, episode), "action", lambda old: [[10 * value for value in row] for row in old])
    kept = {episode: record_of(root, episode).read_bytes() for episode in range(4)}
    repair(Store.open(root))
    for episode, content in kept.items():
        record_of(root, episode).write_bytes(content)


def truncate(path: Callable[[Path], Path]) -> Callable[[Path], None]:
    """Cut a file before its footer, as a kill does to a file that is only closed at the end."""
    return lambda root: path(root).write_bytes(path(root).read_bytes()[:-200])


def orphan(root: Path) -> None:
    shutil.copy(data(root, 3), root / "data/chunk-000/file-009.parquet")


def forget_studio(root: Path) -> None:
    """The columns and files of the studio are gone, as after LeRobot's deletion."""
    for episode in range(4):
        drop_columns(record_of(root, episode), "studio/")


def swap_videos(root: Path) -> None:
    one, other = video(root, 1), video(root, 2)
    one.rename(one.with_suffix(".x"))
    other.rename(one)
    one.with_suffix(".x").rename(other)


def damage_middle(root: Path) -> None:
    """Overwrite pictures in the middle of a video; index and end stay as they were."""
    import av

    path = video(root)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        middle = packets[len(packets) // 2 : len(packets) // 2 + 6]
        places = [(packet.pos, packet.size) for packet in middle]
    content = bytearray(path.read_bytes())
    for place, size in places:
        content[place + 5 : place + size] = b"\xff" * (size - 5)
    path.write_bytes(content)
