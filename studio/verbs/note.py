"""note: say something about episodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tyro

from curation.errors import UsageError
from curation.library import chosen
from curation.notes import Note as Judgement
from curation.notes import add_notes
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Note:
    """Write a comment or a score about episodes; nothing of an episode changes."""

    dataset: Name
    """A dataset."""
    episodes: tyro.conf.Positional[tuple[str, ...]]
    """Episodes: numbers, or ids as `studio episodes` shows them."""
    text: str = ""
    """A comment."""
    score: float | None = None
    """How good it is, 0 to 1; the last score counts."""
    by: str = "person"
    """Who says so."""
    json: bool = False
    """Print what was noted as JSON."""


def note(options: Note, console: Console) -> int:
    """Append the notes."""
    if not options.text.strip() and options.score is None:
        raise UsageError("Say what is noted: --text WORDS, --score 0..1, or both.")
    if options.score is not None and not 0 <= options.score <= 1:
        raise UsageError(f"--score {options.score:g} is outside 0 to 1.")
    if not options.by.strip():
        raise UsageError("--by is empty; name who says so.")
    if not options.episodes:
        raise UsageError("Name the episodes the note is about; studio episodes lists them.")
    root = dataset_path(options.dataset)
    about = chosen(root, options.episodes)
    said: list[tuple[str, Any]] = [("comment", options.text.strip())] if options.text.strip() else []
    said += [] if options.score is None else [("score", options.score)]
    notes = [Judgement(entry.episode_id, kind, value, options.by) for entry in about for kind, value in said]
    add_notes(root, notes)
    text = f"Noted on {len(about)} {'episode' if len(about) == 1 else 'episodes'}."
    console.result(text, [{"episode_id": one.episode_id, one.kind: one.value} for one in notes])
    return 0
