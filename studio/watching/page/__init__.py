"""A watched episode as one HTML file that opens anywhere, without network: pictures, lines, graphs, and keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from curation.atomic import write_aside
from curation.errors import UsageError
from studio.watching.history import History

from .numbers import numbers
from .pictures import BUDGET, pictures


@dataclass(frozen=True)
class Written:
    """A page on disk.

    Attributes:
        path: of the file.
        bytes: its size.
        every: a picture is there of every so many frames.
    """

    path: Path
    bytes: int
    every: int


def write_page(
    history: History,
    path: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
    budget: int = BUDGET,
) -> Written:
    """Write the page of a history; a file that is there is replaced when the page is complete.

    Args:
        history: of a watched episode.
        path: the HTML file.
        progress: told pictures drawn and pictures in all.
        budget: bytes that pictures may take; where all frames' would be more, there are fewer.

    Raises:
        UsageError: the history is empty.
        CannotWrite: the disk refused.
    """
    if not len(history):
        raise UsageError("The watched episode has no frame, so there is nothing to show.")
    drawn = pictures(history, budget, progress)
    told = json.dumps({**numbers(history), "pictures": drawn}, separators=(",", ":"), allow_nan=False)
    parts = {
        "TITLE": escape(f"{history.told['checkpoint']['label']}, watched"),
        "STYLE": _part("page.css"),
        # Within a script only the end of a script, or a comment, could be taken for markup.
        "TOLD": told.replace("<", "\\u003c"),
        "SCRIPT": "".join(map(_part, ("drawing.js", "charts.js", "page.js"))),
    }
    text = _part("page.html")
    for name, part in parts.items():
        text = text.replace(f"<!--{name}-->", part)
    data = text.encode()
    write_aside(path, data)
    return Written(path, len(data), drawn["every"])


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
