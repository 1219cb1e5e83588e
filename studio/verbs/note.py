"""note: say something about episodes."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from curation.errors import UsageError
from curation.library import chosen
from curation.notes import Note as Judgement
from curation.notes import add_notes, by_classifier
from curation.verdicts import Verdict, decide, forget
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
    undecided: bool = False
    """Looked at, and nobody can tell: takes a score of yours back, and counts as looked at."""
    take_back: bool = False
    """Take your score back, as if nobody had looked."""
    by: str = "person"
    """Who says so."""
    json: bool = False
    """Print what was noted as JSON."""


def note(options: Note, console: Console) -> int:
    """Append the notes."""
    _require_sensible(options)
    root = dataset_path(options.dataset)
    about = chosen(root, options.episodes)
    ids = [entry.episode_id for entry in about]
    words = options.text.strip()
    notes = [Judgement(name, "comment", words, options.by) for name in ids if words]
    notes += [Judgement(name, "score", options.score, options.by) for name in ids if options.score is not None]
    add_notes(root, notes)
    if options.undecided:
        notes += decide(root, ids, Verdict.UNDECIDED, options.by)
    if options.take_back:
        notes += forget(root, ids, options.by)
    text = f"Noted on {len(about)} {'episode' if len(about) == 1 else 'episodes'}."
    console.result(text, [{"episode_id": one.episode_id, one.kind: one.value} for one in notes])
    return 0


def _require_sensible(options: Note) -> None:
    """Refuse what says nothing, or two things at once."""
    said = [options.score is not None, options.undecided, options.take_back]
    if not options.text.strip() and not any(said):
        raise UsageError("Say what is noted: --text WORDS, --score 0..1, or both; --undecided; or --take-back.")
    if sum(said) > 1:
        raise UsageError("--score, --undecided and --take-back say different things; give one.")
    if options.score is not None and not 0 <= options.score <= 1:
        raise UsageError(f"--score {options.score:g} is outside 0 to 1.")
    if not options.by.strip():
        raise UsageError("--by is empty; name who says so.")
    if by_classifier(options.by) and (options.undecided or options.take_back):
        raise UsageError(f"--by {options.by} is a classifier, which always says how sure it is: studio score.")
    if not options.episodes:
        raise UsageError("Name the episodes the note is about; studio episodes lists them.")
