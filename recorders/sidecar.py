"""The closed journal of a saved episode: `meta/studio/frames/<episode_id>.parquet`, float64, with header and footer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.atomic import write_aside
from curation.errors import DataError

from .journal import Take


def write_sidecar(path: Path, take: Take) -> None:
    """Write a take's frames; `read_sidecar` gives it back bit for bit."""
    columns = {
        "frame_index": pa.array(range(len(take)), pa.int64()),
        "state": pa.array(list(take.state), pa.list_(pa.float64())),
        "action": pa.array(list(take.action), pa.list_(pa.float64())),
        "physics": pa.array(list(take.physics), pa.list_(pa.float64())),
        "by": pa.array(list(take.by), pa.string()),
        "phase": pa.array(list(take.phase), pa.string()),
        "wall_s": pa.array(take.wall_s, pa.float64()),
        "late": pa.array(take.late, pa.bool_()),
    }
    table = pa.table(columns).replace_schema_metadata(
        {"studio.header": json.dumps(take.header), "studio.footer": json.dumps(take.footer)}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_aside(path, sink.getvalue().to_pybytes())


def read_sidecar(path: Path | None) -> Take:
    """Read a saved episode's take.

    Raises:
        DataError: if the file is missing, as after a foreign tool, or is not one of ours.
    """
    if path is None or not path.is_file():
        raise DataError(
            f"The physics of this episode ({path}) is missing, so it cannot be replayed or drawn again. "
            "A tool that does not know it has rewritten the dataset; use the dataset it was made from."
        )
    try:
        # Opened by us so that the file is closed again when reading fails.
        with path.open("rb") as file:
            table = pq.read_table(file)
        metadata = table.schema.metadata or {}
        header, footer = json.loads(metadata[b"studio.header"]), json.loads(metadata[b"studio.footer"])
        return Take(
            header=header,
            state=_matrix(table["state"]),
            action=_matrix(table["action"]),
            physics=_matrix(table["physics"]),
            by=tuple(table["by"].to_pylist()),
            phase=tuple(table["phase"].to_pylist()),
            wall_s=table["wall_s"].to_numpy(),
            late=table["late"].to_numpy(),
            footer=footer,
        )
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise DataError(f"The physics of this episode ({path}) cannot be read: {error}.") from error


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    return np.array(column.to_pylist(), dtype=np.float64)
