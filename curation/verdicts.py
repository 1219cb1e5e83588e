"""What a person says who looks through episodes, and where the judge and a classifier are not of one mind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from curation.frames import Outcome
from curation.library import Entry
from curation.notes import SUCCESS_FROM, Note, add_notes, by_classifier


class Verdict(StrEnum):
    """What a person said of an episode."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


_SCORES = {Verdict.ACCEPTED: 1.0, Verdict.REJECTED: 0.0, Verdict.UNDECIDED: None}


def verdict(entry: Entry) -> Verdict | None:
    """A person's last word on an episode; None if nobody has looked at it."""
    score = _persons(entry)
    if score is not None:
        return Verdict.ACCEPTED if score >= SUCCESS_FROM else Verdict.REJECTED
    return Verdict.UNDECIDED if entry.undecided else None


def looked_at(entry: Entry) -> bool:
    """Whether a person has said something of it, "I cannot tell" included."""
    return verdict(entry) is not None


def judged(entry: Entry) -> bool | None:
    """Whether the simulator's judge calls it a success; None where none was there."""
    return entry.success if entry.outcome in set(Outcome) else None


def disputed(entry: Entry, threshold: float = SUCCESS_FROM) -> bool:
    """Whether the judge and the classifier say opposite things.

    Args:
        entry: the episode.
        threshold: from which the classifier means a success.
    """
    truth = judged(entry)
    return truth is not None and entry.predicted is not None and (entry.predicted >= threshold) != truth


def decide(root: Path, ids: Sequence[str], said: Verdict, by: str) -> list[Note]:
    """Write a person's verdict about episodes; nothing of them changes, and what was said before stays on file.

    Returns:
        The notes, as they were added.

    Raises:
        CannotWrite: the disk refused.
    """
    return _said(root, ids, _SCORES[said], said is Verdict.UNDECIDED, by)


def after(entry: Entry, said: Verdict, by: str) -> Entry:
    """An episode as it is once a person has said this of it."""
    score, undecided = _SCORES[said], said is Verdict.UNDECIDED
    if score is None:
        return replace(entry, score=entry.predicted, scored_by=entry.predicted_by, undecided=undecided)
    return replace(entry, score=score, scored_by=by, undecided=undecided)


def take_back(root: Path, before: Entry, by: str) -> list[Note]:
    """Let a person's word on an episode be again what it was; errors and result as `decide`.

    Args:
        root: of the dataset.
        before: the episode as it was.
        by: who takes it back.
    """
    score = _persons(before)
    # Whoever gave the score before gives it again.
    return _said(root, [before.episode_id], score, before.undecided, by if score is None else before.scored_by)


def forget(root: Path, ids: Sequence[str], by: str) -> list[Note]:
    """As if nobody had looked at these episodes; errors and result as `decide`."""
    return _said(root, ids, None, False, by)


def _said(root: Path, ids: Sequence[str], score: float | None, undecided: bool, by: str) -> list[Note]:
    said = {"score": score, "undecided": undecided}
    notes = [Note(episode_id, kind, value, by) for episode_id in ids for kind, value in said.items()]
    add_notes(root, notes)
    return notes


def _persons(entry: Entry) -> float | None:
    """The score that a person gave."""
    return None if by_classifier(entry.scored_by) else entry.score
