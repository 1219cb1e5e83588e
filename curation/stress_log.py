"""What became of episodes under stress, run by run: a line an episode, appended, beside the notes that sum it up."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from curation.atomic import make_folder, one_at_a_time
from curation.errors import CannotWrite
from curation.layout import NOTES_LOCK, STRESS


@dataclass(frozen=True)
class Line:
    """One episode.

    Attributes:
        episode_id: of the dataset.
        by: who says so, as in the note.
        as_recorded: its outcome when nothing was changed.
        outcomes: of every run, in the order of the changes.
    """

    episode_id: str
    by: str
    as_recorded: str
    outcomes: tuple[str, ...]


def add_line(root: Path, line: Line) -> None:
    """Append a line; on return it survives a power cut.

    Raises:
        CannotWrite: the disk refused.
    """
    path = root / STRESS
    make_folder(path.parent)
    with one_at_a_time(root / NOTES_LOCK):
        try:
            with path.open("ab") as file:
                # A line that a power cut tore is ended here, so that this one is whole.
                torn = file.tell() and not path.read_bytes().endswith(b"\n")
                file.write((b"\n" if torn else b"") + json.dumps(asdict(line)).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CannotWrite(path, error) from error


def read_lines(root: Path, by: str) -> Mapping[str, Line]:
    """The lines of one stress by episode id; torn ones are passed over, for the episode can be simulated again."""
    found: dict[str, Line] = {}
    try:
        text = (root / STRESS).read_bytes()
    except FileNotFoundError:
        return found
    for each in text.splitlines():
        try:
            told = json.loads(each)
            line = Line(told["episode_id"], told["by"], told["as_recorded"], tuple(told["outcomes"]))
        except (ValueError, KeyError, TypeError):
            continue
        if line.by == by:
            found[line.episode_id] = line
    return found
