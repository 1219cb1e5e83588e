"""The journal of a take: one line per frame, appended as it happens, so that a crash loses nothing that was driven.

Every line is `json TAB crc32`. The first is the header, the last, once the take has ended, the footer: a journal
with a footer is a finished take, one without was interrupted. Only numbers and words, nothing that has to be
finalised; a torn last line is dropped, damage anywhere else is reported.
"""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from curation.atomic import sync_dir, write_aside
from curation.errors import BrokenJournal, CannotWrite
from curation.frames import Ending, Frame, Vector


@dataclass(frozen=True)
class Take:
    """A take as it was driven.

    Attributes:
        header: episode_id, seed, placement, operator, task, scene and whatever else was known at the start.
        state: measured joints, float64, shape (N, 6).
        action: admitted targets, float64 holding float32 values, shape (N, 6).
        physics: complete states, float64, shape (N, P).
        by: who chose each action, length N.
        phase: what the judge saw, length N.
        wall_s: seconds since the first frame, shape (N,).
        late: missed deadlines, bool, shape (N,).
        footer: how it ended, None if it was interrupted.
    """

    header: dict[str, Any]
    state: Vector
    action: Vector
    physics: Vector
    by: tuple[str, ...]
    phase: tuple[str, ...]
    wall_s: Vector
    late: np.ndarray
    footer: dict[str, Any] | None

    def __len__(self) -> int:
        return len(self.state)


class Journal:
    """Writes one take."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        self.path = path
        self.episode_id = str(header["episode_id"])
        self.frames = 0
        self.late = 0
        self._file = _open(path)
        self._write(header)

    def add(self, frame: Frame) -> None:
        """Append a frame; it survives a killed process from here on."""
        self.frames += 1
        self.late += frame.late
        self._write(
            {
                "state": frame.observation.state.tolist(),
                "action": frame.command.action.tolist(),
                "by": frame.command.by,
                "phase": frame.phase.value,
                "wall_s": round(frame.wall_s, 6),
                "late": frame.late,
                "physics": frame.physics.tolist(),
            }
        )

    def close(self, ending: Ending, kept: bool) -> None:
        """Append the footer and put the take on disk; it survives a power cut from here on.

        Raises:
            CannotWrite: if the disk refuses; the frames so far stay.
        """
        self._write(
            {
                "end": ending.status.value, "outcome": ending.outcome.value, "report": dict(ending.report),
                "kept": kept, "frames": self.frames, "late": self.late,
            }
        )  # fmt: skip
        try:
            os.fsync(self._file.fileno())
            self._file.close()
            sync_dir(self.path.parent)
        except OSError as error:
            raise CannotWrite(self.path, error) from error

    def abandon(self) -> None:
        """Close without a footer: the take stays as interrupted."""
        try:
            self._file.close()
        except OSError as error:
            raise CannotWrite(self.path, error) from error

    def _write(self, record: dict[str, Any]) -> None:
        try:
            self._file.write(_line(record))
            self._file.flush()
        except OSError as error:
            raise CannotWrite(self.path, error) from error


def finish_journal(path: Path, take: Take, footer: dict[str, Any]) -> Take:
    """Give an interrupted take its footer, durably; what follows its last whole frame goes. Returns it finished.

    Raises:
        CannotWrite: if the disk refuses; the journal is as it was.
    """
    whole = path.read_bytes().split(b"\n")[: 1 + len(take)]
    write_aside(path, b"\n".join([*whole, _line(footer).encode()]))
    return read_journal(path)


def read_journal(path: Path, *, up_to_damage: bool = False) -> Take:
    """Read a take back.

    Args:
        path: of the journal.
        up_to_damage: keep the frames before a damaged line instead of refusing.

    Raises:
        BrokenJournal: if a line other than a torn last one is damaged, naming it.
    """
    records: list[dict[str, Any]] = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            records.append(_parse(line))
        except ValueError as error:
            if up_to_damage and records:
                break
            raise BrokenJournal(path, number, str(error)) from error
    if not records or "episode_id" not in records[0]:
        raise BrokenJournal(path, 1, "it has no header")
    footer = records.pop() if len(records) > 1 and "end" in records[-1] else None
    return _take(path, records[0], records[1:], footer)


def _take(path: Path, header: dict[str, Any], rows: list[dict[str, Any]], footer: dict[str, Any] | None) -> Take:
    try:
        return Take(
            header=header,
            state=np.array([row["state"] for row in rows], dtype=np.float64).reshape(-1, 6),
            action=np.array([row["action"] for row in rows], dtype=np.float64).reshape(-1, 6),
            physics=np.array([row["physics"] for row in rows], dtype=np.float64),
            by=tuple(row["by"] for row in rows),
            phase=tuple(row["phase"] for row in rows),
            wall_s=np.array([row["wall_s"] for row in rows], dtype=np.float64),
            late=np.array([row["late"] for row in rows], dtype=bool),
            footer=footer,
        )
    except (KeyError, ValueError) as error:
        raise BrokenJournal(path, 2, f"a frame is incomplete ({error})") from error


def _line(record: dict[str, Any]) -> str:
    text = json.dumps(record, separators=(",", ":"))
    return f"{text}\t{zlib.crc32(text.encode()):08x}\n"


def _parse(line: bytes) -> dict[str, Any]:
    text, separator, crc = line.rpartition(b"\t")
    if not separator:
        raise ValueError("it has no checksum")
    if f"{zlib.crc32(text):08x}".encode() != crc:
        raise ValueError("its checksum does not match")
    record = json.loads(text)
    if not isinstance(record, dict):
        raise ValueError("it is not a record")
    return record


def _open(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("x", encoding="utf-8")
    except OSError as error:
        raise CannotWrite(path, error) from error
