"""Rows of an evaluation: one finished episode each, appended as it happens, never twice, never half."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.atomic import make_folder, sync_dir
from curation.errors import CannotWrite, DataError
from curation.frames import Ending, Outcome, Phase, Status

Row = dict[str, Any]
PHASES = tuple(phase.value for phase in Phase)


def facts(ending: Ending, phases: Iterable[Phase], frames: int, fps: int) -> Row:
    """What an episode says for itself.

    Each phase tells whether it was got through: reached (came near or touched), grasped (held by both jaws), lifted,
    transported (carried sideways), released (success).

    Args:
        ending: as judged.
        phases: seen in its frames.
        frames: driven.
        fps: of the world.
    """
    report, seen = ending.report, set(phases)
    lifted = report.get("lifted_s") is not None
    failed = ending.status is Status.FAILED
    success = ending.success and not failed
    got = {
        Phase.REACH: ending.outcome is not Outcome.NEVER_REACHED,
        Phase.GRASP: bool(report.get("grasps")),
        Phase.LIFT: lifted,
        Phase.TRANSPORT: lifted and (success or Phase.TRANSPORT in seen),
        Phase.RELEASE: success,
    }
    return {
        "outcome": ending.outcome.value,
        "success": success,
        "clean": success and bool(report.get("clean")),
        "phases": {phase.value: bool(got[phase]) for phase in Phase},
        "frames": frames,
        "seconds": round(frames / fps, 6),
        "closest_m": report.get("closest_approach"),
        "error": str(report.get("error", "unknown")) if failed else None,
    }


class RowFile:
    """The rows of one evaluation on disk.

    Opening it drops a last line that a kill left torn; that episode is then missing, and is run again.

    Args:
        path: rows.jsonl; made if it is missing.

    Attributes:
        rows: by index.

    Raises:
        DataError: a whole line is no row.
        CannotWrite: the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[int, Row] = {}
        make_folder(path.parent)
        length, rows = _whole(path)
        for row in rows:
            self.rows.setdefault(int(row["index"]), row)
        try:
            # Not "ab": the torn end has to go. Unbuffered: what the disk refused must not be written again in closing.
            self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
            self._file.truncate(length)
            self._file.seek(length)
        except OSError as error:
            raise CannotWrite(path, error) from error
        sync_dir(path.parent)

    def append(self, row: Row) -> None:
        """Add a row, durably.

        Raises:
            ValueError: its index has one.
            CannotWrite: the disk refuses.
        """
        if row["index"] in self.rows:
            raise ValueError(f"episode {row['index']} has a row already")
        try:
            line = memoryview(json.dumps(row, allow_nan=False).encode() + b"\n")
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise CannotWrite(self._path, error) from error
        self.rows[row["index"]] = row

    def close(self) -> None:
        self._file.close()


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table with one column per phase, and one per number of what has several; lists are left out."""
    flat = [_flat(row) for row in rows]
    out = io.StringIO()
    columns = list(dict.fromkeys(key for row in flat for key in row))
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(row: Mapping[str, Any], prefix: str = "") -> Row:
    found: Row = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            found |= _flat(value, "" if key == "phases" else f"{prefix}{key}_")
        elif not isinstance(value, list):
            found[prefix + key] = value
    return found


def read_rows(path: Path) -> list[Row]:
    """The rows of an evaluation as they lie on disk; none where nothing was written yet.

    Only a last line without its end is left out: that episode is missing, and a kill left it so.

    Raises:
        DataError: a whole line is no row.
    """
    return _whole(path)[1]


def without_copies(rows: Sequence[Row]) -> list[Row]:
    """Rows without those that say again what another row says: the same placement, driven in the same way.

    A policy that draws nothing does the same at the same place, to the last bit; one trial is no sample of many.
    """
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for row in rows:
        mark = tuple(row.get(name) for name in _OF_A_TRIAL)
        if mark not in seen or None in mark:
            kept.append(row)
        seen.add(mark)
    return kept


_OF_A_TRIAL = ("x", "y", "yaw_deg", "outcome", "frames", "closest_m")
"""Columns that are equal in two episodes only if one is the other's copy."""


def _whole(path: Path) -> tuple[int, list[Row]]:
    """Bytes of the whole lines, and the row in each."""
    text = path.read_bytes() if path.exists() else b""
    whole = text[: text.rfind(b"\n") + 1]
    return len(whole), [_row(path, number, line) for number, line in enumerate(whole.splitlines(), start=1)]


def _row(path: Path, number: int, line: bytes) -> Row:
    try:
        row = json.loads(line)
        int(row["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}, line {number}, is no row of an evaluation ({error}). Move the file away.") from error
    return dict(row)
