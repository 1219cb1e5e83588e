"""What the library does to episodes; each says what it did, in words. Nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from curation.errors import UsageError
from curation.library import Entry, put_to_trash, restore
from curation.notes import Note, add_notes
from studio.jobs import Jobs
from studio.tui.words import counted

BY = "person"


def throw_away(root: Path, chosen: Sequence[Entry]) -> str:
    """Put saved episodes into the trash.

    Raises:
        UsageError: there are none.
    """
    if not chosen:
        raise UsageError("Only saved episodes go to the trash; v on the home screen settles unfinished takes.")
    put_to_trash(root, [entry.episode_id for entry in chosen], BY)
    return f"{counted(len(chosen), 'episode')} in the trash; u takes {'it' if len(chosen) == 1 else 'them'} back."


def put_back(root: Path, jobs: Jobs, chosen: Sequence[Entry]) -> str:
    """Restore from the trash; discarded takes must be drawn first, which a job does."""
    masked = [entry.episode_id for entry in chosen if entry.state == "masked"]
    takes = [entry.episode_id for entry in chosen if entry.state == "discarded"]
    said = []
    if masked:
        restore(root, masked, BY)
        said.append(f"{counted(len(masked), 'episode')} restored.")
    if takes:
        job = jobs.start(["trash", str(root), "--restore", *takes])
        said.append(f"{counted(len(takes), 'take')} being drawn and saved: job {job.id}.")
    if not said:
        raise UsageError("None of these lies in the trash.")
    return " ".join(said)


def comment(root: Path, chosen: Sequence[Entry], text: str) -> str:
    """Write the same comment about every one."""
    add_notes(root, [Note(entry.episode_id, "comment", text, BY) for entry in chosen])
    return f"Noted on {counted(len(chosen), 'episode')}."


def score(root: Path, chosen: Sequence[Entry], value: float) -> str:
    """Give every one a score, 0 to 1."""
    if not chosen:
        raise UsageError("There is no episode to score.")
    add_notes(root, [Note(entry.episode_id, "score", value, BY) for entry in chosen])
    return f"Score {value:g} for {counted(len(chosen), 'episode')}."
