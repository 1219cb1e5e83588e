"""What people, the judge and classifiers say about episodes: one line a note, appended and never changed.

A note outlives what it is about: an episode is never altered by one. The last word of a kind counts; of scores, a
person's before a classifier's; of survivals, that of the most simulations. A score without a value takes the one
before it back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any

from curation.atomic import make_folder, one_at_a_time
from curation.errors import CannotWrite, DataError, UnknownChoice
from curation.layout import NOTES, NOTES_LOCK

KINDS = ("mask", "comment", "score", "undecided", "survival", "discarded")
"""mask: whether the episode is excluded (bool); comment: words; score: 0 to 1, None takes it back; undecided: whether
who looked cannot tell (bool); survival: share of its simulations under stress that succeeded, 0 to 1; discarded: why a
take was put away."""
SUCCESS_FROM = 0.5
"""A score from which an episode, or an attempt, is a success: a person's, and that of a classifier whose threshold
nobody knows."""
CLASSIFIER = "classifier:"
"""What the names begin with of those who judge by pictures: classifier:NAME@DIGEST."""


@dataclass(frozen=True)
class Note:
    """One judgement.

    Attributes:
        episode_id: of an episode or a take.
        kind: one of `KINDS`.
        value: a JSON value of that kind.
        by: who says so, such as "person".
        when: ISO 8601, UTC.
        runs: of a survival, the simulations it is a share of; 0 of every other kind, and where nobody said.
    """

    episode_id: str
    kind: str
    value: Any
    by: str
    when: str = ""
    runs: int = 0


def add_notes(root: Path, notes: Sequence[Note]) -> None:
    """Append notes; on return they survive a power cut. Notes without a time get the present one.

    Raises:
        UnknownChoice: a kind is none.
        CannotWrite: the disk refused.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for note in notes:
        if note.kind not in KINDS:
            raise UnknownChoice("kind of note", note.kind, KINDS)
    if not notes:
        return
    text = "".join(_line(replace(note, when=note.when or now)) for note in notes)
    path = root / NOTES
    make_folder(path.parent)
    with one_at_a_time(root / NOTES_LOCK):
        try:
            with path.open("ab") as file:
                kept, whole = _whole(path)
                file.truncate(kept)
                file.write((b"" if whole else b"\n") + text.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CannotWrite(path, error) from error


def read_notes(root: Path) -> list[Note]:
    """Every note, oldest first; a torn last line is passed over.

    Raises:
        DataError: another line is damaged.
    """
    path = root / NOTES
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    found = []
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            found.append(_note(line))
        except (ValueError, TypeError) as error:
            if number == len(lines):
                break
            raise DataError(f"{path}, line {number}, is damaged: {error}. Mend or remove that line.") from error
    return found


def _line(note: Note) -> str:
    told = asdict(note)
    if not note.runs:
        del told["runs"]
    return json.dumps(told, allow_nan=False) + "\n"


def _note(line: bytes) -> Note:
    """A note as it was written.

    Raises:
        ValueError: it is none, or its value is not of its kind.
        TypeError: it has other fields.
    """
    note = Note(**json.loads(line))
    fits: dict[str, tuple[type, ...]] = {
        "mask": (bool,),
        "score": (int, float, NoneType),
        "undecided": (bool,),
        "survival": (int, float),
    }
    if not isinstance(note.episode_id, str) or not isinstance(note.value, fits.get(note.kind, (str,))):
        raise ValueError(f"{note.value!r} is no value of a {note.kind} note")
    if type(note.runs) is not int or note.runs < 0:
        raise ValueError(f"{note.runs!r} is no number of simulations")
    return note


def masked(notes: Iterable[Note]) -> set[str]:
    """Ids of the episodes that are masked now."""
    return {episode_id for episode_id, note in last_masks(notes).items() if note.value}


def last_masks(notes: Iterable[Note]) -> dict[str, Note]:
    """The last word on whether an episode is masked, of every episode of which there is one."""
    return {note.episode_id: note for note in notes if note.kind == "mask"}


def scores(notes: Iterable[Note]) -> dict[str, Note]:
    """The score of every episode that counts."""
    known = list(notes)
    return {**scores_by_classifiers(known), **scores_by_people(known)}


def scores_by_people(notes: Iterable[Note]) -> dict[str, Note]:
    """The last score of every episode that somebody gave who is not a classifier."""
    return _last_scores(note for note in notes if not by_classifier(note.by))


def scores_by_classifiers(notes: Iterable[Note]) -> dict[str, Note]:
    """The last score of every episode that a classifier gave, also where a person knows better."""
    return _last_scores(note for note in notes if by_classifier(note.by))


def undecided(notes: Iterable[Note]) -> set[str]:
    """Ids of the episodes of which who looked last cannot tell whether they succeeded."""
    last = {note.episode_id: note for note in notes if note.kind == "undecided"}
    return {episode_id for episode_id, note in last.items() if note.value}


def _last_scores(notes: Iterable[Note]) -> dict[str, Note]:
    last = {note.episode_id: note for note in notes if note.kind == "score"}
    return {episode_id: note for episode_id, note in last.items() if note.value is not None}


def survivals(notes: Iterable[Note]) -> dict[str, Note]:
    """The survival of every episode that counts: of the most simulations, and of several such the last."""
    found: dict[str, Note] = {}
    for note in notes:
        before = found.get(note.episode_id)
        if note.kind == "survival" and (before is None or note.runs >= before.runs):
            found[note.episode_id] = note
    return found


def by_classifier(by: str) -> bool:
    """Whether a note is by a classifier, not by a person."""
    return by.startswith(CLASSIFIER)


def classifier_name(by: str) -> str:
    """The bare name of a classifier that signs its notes classifier:NAME@DIGEST."""
    return by.removeprefix(CLASSIFIER).partition("@")[0]


def _whole(path: Path) -> tuple[int, bool]:
    """How many bytes were said, and whether they end with a line's end, which somebody's editor may leave out.

    A torn last line, of a disk that was full, was never said; left there it would be a damaged one.
    """
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    try:
        _note(data[end:])
    except (ValueError, TypeError):
        return end, True
    return len(data), False
