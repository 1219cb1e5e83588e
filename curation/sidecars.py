"""The physics sidecar of an episode of which only a part is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.atomic import write_aside
from curation.errors import DataError

_HEADER = b"studio.header"


def cut_sidecar(source: Path, to: Path, start: int, stop: int, episode_id: str) -> None:
    """Write the rows of a stretch of frames; the header says where they were cut from.

    Args:
        source: a sidecar.
        to: the new file.
        start, stop: frames of the source, stop excluded.
        episode_id: of the new episode.

    Raises:
        DataError: the source is no sidecar, or shorter.
        CannotWrite: the disk refused.
    """
    try:
        table = pq.read_table(source)
        metadata: dict[bytes, bytes] = table.schema.metadata or {}
        header: dict[str, Any] = json.loads(metadata[_HEADER])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise DataError(f"The physics of this episode ({source}) cannot be read: {error}.") from error
    if len(table) < stop:
        raise DataError(f"The physics of this episode ({source}) has {len(table)} frames, {stop} are needed.")
    part = table.slice(start, stop - start)
    numbered = part.set_column(0, "frame_index", pa.array(range(len(part)), pa.int64()))
    # A stretch of a stretch is a stretch of the recording.
    earlier = header.get("cut") or {"episode_id": header.get("episode_id"), "start": 0}
    cut = {"episode_id": earlier["episode_id"], "start": earlier["start"] + start, "stop": earlier["start"] + stop}
    told = json.dumps({**header, "episode_id": episode_id, "cut": cut}).encode()
    sink = pa.BufferOutputStream()
    pq.write_table(numbered.replace_schema_metadata({**metadata, _HEADER: told}), sink, compression="zstd")
    write_aside(to, sink.getvalue().to_pybytes(), durable=False)
