"""A log of what a controller said, and the log as a controller: a person's session becomes a test.

One JSON line per question, with its time and the readings it was answered with. Replayed, the same questions get the
same answers, however fast they are asked, so the same build drives the same arm to the same frames. What is said by
keys is not in it: save and discard by the controller's buttons in a session that shall be replayed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from curation.errors import BrokenMotionLog, CannotWrite, TargetExists

from .controller import Batch, Button, ControllerSample, ControllerSource, Pulse, Side

FORMAT = 1
AFTER_S = 1 / 30
"""How far apart questions after the end are taken to be [s]."""


class Logged:
    """A source whose readings are written down as they are taken.

    Args:
        source: of the readings.
        path: of the log, which must be new.
        hand: whose readings they are.

    Raises:
        TargetExists: there is something at `path`.
    """

    def __init__(self, source: ControllerSource, path: Path, hand: Side) -> None:
        self._source = source
        self._path = path
        self._hand = hand
        self._file: TextIO | None = None
        if path.exists():
            raise TargetExists(path, "Choose another --motion-log.")

    @property
    def name(self) -> str:
        return self._source.name

    def open(self) -> None:
        """Connect, then begin the log: without a headset there is none.

        Raises:
            CannotWrite: the disk refuses.
        """
        self._source.open()
        try:
            self._file = self._path.open("x", encoding="utf-8")
        except OSError as error:
            raise CannotWrite(self._path, error) from error
        self._write({"motion_log": FORMAT, "hand": self._hand})

    def take(self) -> Batch:
        batch = self._source.take()
        self._write(_to_json(batch))
        return batch

    def pulse(self, pulse: Pulse) -> None:
        self._source.pulse(pulse)

    def close(self) -> None:
        self._source.close()
        if self._file is not None:
            # A line that a full disk refused is tried once more here; that it failed was told by then.
            with suppress(OSError):
                self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        assert self._file is not None, "it is written once it is open"
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            raise CannotWrite(self._path, error) from error


class Replayed:
    """A motion log as a source. After its last line it is over, and the hand is lost.

    Args:
        path: of the log.

    Raises:
        BrokenMotionLog: it is none, or damaged; a last line that was cut off is left out.
    """

    def __init__(self, path: Path) -> None:
        self.name = f"motion log {path.name}"
        self._batches = list(_read(path))
        self._next = 0

    def open(self) -> None:
        self._next = 0

    def take(self) -> Batch:
        if self._next < len(self._batches):
            self._next += 1
            return self._batches[self._next - 1]
        self._next += 1
        last = self._batches[-1].now if self._batches else 0.0
        late = (self._next - len(self._batches)) * AFTER_S
        return Batch(last + late, said=("The motion log is over.",) if late == AFTER_S else (), over=True)

    def pulse(self, pulse: Pulse) -> None:
        """Nobody feels it."""

    def close(self) -> None:
        """Nothing is held."""


def write_log(path: Path, hand: Side, batches: list[Batch]) -> None:
    """A log of motion that nobody made, in one go."""
    lines = [{"motion_log": FORMAT, "hand": hand}, *map(_to_json, batches)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def _read(path: Path) -> Iterator[Batch]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenMotionLog(path, 0, str(error)) from error
    hand = _hand(path, lines[0] if lines else "")
    for number, line in enumerate(lines[1:], start=2):
        try:
            yield _from_json(json.loads(line), hand)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            if number == len(lines):
                return
            raise BrokenMotionLog(path, number, str(error)) from error


def _hand(path: Path, line: str) -> Side:
    try:
        header = json.loads(line)
        if header["motion_log"] == FORMAT and header["hand"] in ("left", "right"):
            hand: Side = header["hand"]
            return hand
    except (ValueError, KeyError, TypeError):
        pass
    raise BrokenMotionLog(path, 1, f"it is no motion log of format {FORMAT}")


def _to_json(batch: Batch) -> dict[str, Any]:
    line: dict[str, Any] = {"now": batch.now, "samples": [_numbers(sample) for sample in batch.samples]}
    return line | ({"said": list(batch.said)} if batch.said else {})


def _from_json(line: dict[str, Any], hand: Side) -> Batch:
    samples = tuple(replace(_sample(row), hand=hand) for row in line["samples"])
    return Batch(float(line["now"]), samples, tuple(map(str, line.get("said", ()))))


def _numbers(sample: ControllerSample) -> list[Any]:
    return [
        sample.time, *sample.position, *sample.rotation, int(sample.tracked), sample.squeeze, sample.trigger,
        *sample.stick, " ".join(sorted(sample.buttons)),
    ]  # fmt: skip


def _sample(row: list[Any]) -> ControllerSample:
    at, px, py, pz, qx, qy, qz, qw, tracked, squeeze, trigger, right, forward = map(float, row[:13])
    buttons = frozenset(Button(name) for name in row[13].split())
    return ControllerSample(
        at, "right", (px, py, pz), (qx, qy, qz, qw), bool(tracked), squeeze, trigger, (right, forward), buttons
    )
