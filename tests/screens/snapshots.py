"""Pictures of screens as text files that one can read and compare.

A snapshot is the screen's text, then the same cells again with a letter for each look (colours and weight), then what
each letter stands for. `UPDATE_SNAPSHOTS=1` writes them anew.
"""

from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any

from rich.style import Style

FOLDER = Path(__file__).with_name("snapshots")
_LETTERS = string.ascii_letters + string.digits
_MANY = "*"
"""Stands for every look after the letters are used up: pictures have thousands."""


def picture(app: Any) -> str:
    """The screen of an App as a snapshot."""
    lines, looks = [], []
    names: dict[str, str] = {}
    for strip in app.screen._compositor.render_strips():
        lines.append(strip.text.rstrip())
        row = ""
        for segment in strip:
            look = _words(segment.style)
            if look not in names:
                names[look] = _LETTERS[len(names)] if len(names) < len(_LETTERS) else _MANY
            row += names[look] * segment.cell_length
        looks.append(row)
    legend = [f"{letter} {look}" for look, letter in names.items() if letter != _MANY]
    return "\n".join([*lines, "-- looks", *looks, "-- legend", *legend, ""])


def matches(app: Any, name: str) -> None:
    """Check a screen against its snapshot, or write it.

    Raises:
        AssertionError: they differ; the new one lies beside the old as `.new`.
    """
    file, now = FOLDER / f"{name}.txt", picture(app)
    new = file.with_suffix(".new")
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(now, encoding="utf-8")
        new.unlink(missing_ok=True)
        return
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    if now != before:
        FOLDER.mkdir(exist_ok=True)
        new.write_text(now, encoding="utf-8")
    assert now == before, f"{name} looks different. Compare {new} with {file}; UPDATE_SNAPSHOTS=1 accepts it."
    new.unlink(missing_ok=True)


def _words(style: Style | None) -> str:
    if style is None:
        return "plain"
    # Links carry ids that differ from run to run.
    shown = Style(color=style.color, bgcolor=style.bgcolor, bold=style.bold, italic=style.italic, reverse=style.reverse)
    return str(shown)
