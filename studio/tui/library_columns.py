"""The columns of the library's table."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text

from curation.library import Entry
from studio.tui.theme import outcome_style
from studio.tui.widgets.rows import Column
from studio.tui.words import moment, outcome_word

GONE = ("masked", "discarded")
"""States of what lies in the trash."""


def columns(marked: Callable[[Entry], bool], colours: dict[str, str]) -> list[Column[Entry]]:
    """All of them; narrow terminals leave some out."""
    return [
        Column("", 1, lambda e: Text("●" if marked(e) else " ", colours["secondary"])),
        Column("#", 5, lambda e: Text("-" if e.index is None else str(e.index)), right=True),
        Column("outcome", 13, lambda e: _outcome(e, colours["warning"])),
        Column("s", 5, lambda e: Text(f"{e.seconds:.1f}"), right=True),
        Column("x", 6, lambda e: _metres(e.x), right=True),
        Column("y", 6, lambda e: _metres(e.y), right=True),
        Column("yaw", 4, lambda e: Text("" if e.yaw_deg is None else f"{e.yaw_deg:.0f}"), right=True),
        Column("operator", 13, lambda e: Text(e.operator)),
        Column("score", 5, lambda e: Text("" if e.score is None else f"{e.score:.2f}"), right=True),
        Column("started", 16, lambda e: Text(moment(e.started)), least=120),
        Column("target", 10, lambda e: Text(e.target), least=130),
        Column("notes", 0, _notes),
    ]


def _outcome(entry: Entry, waits: str) -> Text:
    if entry.state in ("waiting", "unfinished"):
        return Text(entry.state, waits)
    return Text(outcome_word(entry.outcome), outcome_style(entry.outcome))


def _notes(entry: Entry) -> Text:
    trash = ["in trash"] if entry.state in GONE else []
    return Text("; ".join([*trash, *([entry.why] if entry.why else []), *entry.comments]))


def _metres(value: float | None) -> Text:
    return Text("" if value is None or value != value else f"{value:.3f}")
