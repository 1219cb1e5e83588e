"""What people see as an episode: its row, what was noted about it, and takes that are no episodes or not yet."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from curation import layout
from curation.cuts import cut_episodes
from curation.episodes import SavedEpisode
from curation.errors import UnknownChoice
from curation.frames import Outcome
from curation.notes import (
    Note,
    add_notes,
    masked,
    read_notes,
    scores,
    scores_by_classifiers,
    survivals,
    undecided,
)
from curation.store import Store

State = Literal["saved", "masked", "waiting", "unfinished", "discarded"]
SHOWN = 8
"""Characters of an id that are shown."""
GAUGES = ("jerk", "idle", "jumps", "late", "limits", "squeeze")
"""Gauges of the meter that say how an episode moves."""
_TAIL = 1 << 16
"""Bytes at the end of a journal that hold its last record, however long its report."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One episode or take.

    Attributes:
        episode_id: permanent.
        index: in the dataset; None for takes.
        state: saved; masked, saved but excluded; waiting, kept and to be drawn; unfinished; discarded, in the trash.
        frames, seconds: its length; 0 where it is not known.
        outcome, success: as judged; "" if nobody did.
        x, y, yaw_deg: where the block was put [m, m, deg]; None if unknown.
        operator: who drove.
        started: when, ISO 8601; "" if unknown.
        score: the score that counts, 0 to 1: a person's, else a classifier's.
        scored_by: who gave it, such as "person" or "classifier:done@1f2e3d"; "" if nobody did.
        success_s: when the judge saw it succeed [s]; None if it did not, or nobody can say.
        predicted: what a classifier said last, 0 to 1, also where a person knows better; None if none was asked. It may
            have kept the take itself.
        predicted_by: which classifier, "" if none.
        undecided: whether somebody looked at it and could not tell if it succeeded.
        survival: share of its simulations under stress that succeeded, 0 to 1; None if it was not stressed.
        stressed: of how many simulations; 0 where nobody said.
        comments: oldest first.
        why: it was discarded; "" of what is an episode by now.
        meter: gauges by name, each with value and level.
        target: id of the position it was recorded for.
        tasks: the instructions of its frames, almost always one.
        keep: the rule it was kept by.
        cut: whether it is a part of what was recorded.
        lazy, clean: whether a grip was too weak for hardware, and whether nothing was fumbled; None if unknown.
        interventions: how often a person took over from the policy that drove; None where nobody could.
        motion: how it moves, as `curation.motion` names and measures it; what the meter said, unless asked for more.
    """

    episode_id: str
    index: int | None
    state: State
    frames: int
    seconds: float
    outcome: str
    success: bool
    x: float | None
    y: float | None
    yaw_deg: float | None
    operator: str
    started: str = ""
    score: float | None = None
    scored_by: str = ""
    success_s: float | None = None
    predicted: float | None = None
    predicted_by: str = ""
    undecided: bool = False
    survival: float | None = None
    stressed: int = 0
    comments: tuple[str, ...] = ()
    why: str = ""
    meter: dict[str, dict[str, Any]] = field(default_factory=dict)
    target: str = ""
    tasks: tuple[str, ...] = ()
    keep: str = ""
    cut: bool = False
    lazy: bool | None = None
    clean: bool | None = None
    interventions: int | None = None
    motion: dict[str, float] = field(default_factory=dict)


def entries(root: Path) -> list[Entry]:
    """Everything a dataset holds: episodes in order, then waiting, unfinished and discarded takes, oldest first.

    Reads no video and no frames of saved episodes.

    Raises:
        NotADataset: it is none.
        DataError: its metadata or its notes are damaged.
    """
    store = Store.open(root)
    notes = read_notes(root)
    said = _Said(notes)
    hidden, cut = masked(notes), cut_episodes(root)
    found = [_saved(episode, store.fps, said, hidden, cut) for episode in store.episodes]
    known = {entry.episode_id for entry in found}
    takes = [_take(path, store.fps, said) for path in (root / layout.TAKES).glob("*.jsonl")]
    trash = [_take(path, store.fps, said, trash=True) for path in (root / layout.TRASH).glob("*.jsonl")]
    rank = {"waiting": 0, "unfinished": 1, "discarded": 2}
    others = [entry for entry in (*takes, *trash) if entry.episode_id not in known]
    return found + sorted(others, key=lambda entry: (rank[entry.state], entry.started))


def put_to_trash(root: Path, ids: Sequence[str], by: str) -> None:
    """Mask episodes: they stay where they are and are excluded until restored.

    Raises:
        UnknownChoice: there is no such episode.
    """
    _mask(root, ids, by, value=True)


def restore(root: Path, ids: Sequence[str], by: str) -> None:
    """Unmask episodes.

    Raises:
        UnknownChoice: there is no such episode.
    """
    _mask(root, ids, by, value=False)


def chosen(root: Path, names: Iterable[str]) -> list[Entry]:
    """Entries by index, id, or the beginning of an id that only one has; each once.

    Raises:
        UnknownChoice: there is no such episode, or several.
    """
    everything = entries(root)
    return list({entry.episode_id: entry for entry in (_one(everything, name) for name in names)}.values())


def _one(everything: Sequence[Entry], name: str) -> Entry:
    fits = [entry for entry in everything if name.isdecimal() and entry.index == int(name)]
    # A number that no episode has is not the beginning of an id, unless it is as long as one is shown.
    if not fits and name and (not name.isdecimal() or len(name) >= SHOWN):
        fits = [entry for entry in everything if entry.episode_id.startswith(name)]
    if len(fits) == 1:
        return fits[0]
    last = max((entry.index for entry in everything if entry.index is not None), default=-1)
    numbers = [f"0 to {last}"] if last >= 0 else []
    raise UnknownChoice("episode", name, [*numbers, "an id as `studio episodes` shows it"])


def _mask(root: Path, ids: Sequence[str], by: str, *, value: bool) -> None:
    known = {row.episode_id for row in Store.open(root).rows()}
    for episode_id in ids:
        if episode_id not in known:
            raise UnknownChoice("episode", episode_id, sorted(known))
    add_notes(root, [Note(episode_id, "mask", value, by) for episode_id in ids])


class _Said:
    """Notes by episode."""

    def __init__(self, notes: Sequence[Note]) -> None:
        self._comments: dict[str, list[str]] = {}
        self._scores = scores(notes)
        self._predicted = scores_by_classifiers(notes)
        self._undecided = undecided(notes)
        self._survivals = survivals(notes)
        self._why: dict[str, str] = {}
        for note in notes:
            match note.kind:
                case "comment":
                    self._comments.setdefault(note.episode_id, []).append(str(note.value))
                case "discarded":
                    self._why[note.episode_id] = str(note.value)

    def of(self, episode_id: str) -> dict[str, Any]:
        score, predicted = self._scores.get(episode_id), self._predicted.get(episode_id)
        scored = {} if score is None else {"score": float(score.value), "scored_by": score.by}
        survival = self._survivals.get(episode_id)
        if predicted is not None:
            scored |= {"predicted": float(predicted.value), "predicted_by": predicted.by}
        return {
            **scored,
            "comments": tuple(self._comments.get(episode_id, ())),
            "undecided": episode_id in self._undecided,
            "survival": None if survival is None else float(survival.value),
            "stressed": 0 if survival is None else survival.runs,
            "why": self._why.get(episode_id, ""),
        }


def _saved(episode: SavedEpisode, fps: int, said: _Said, hidden: set[str], cut: set[str]) -> Entry:
    row = episode.row
    meter = dict(row.extra.get("meter") or {})
    return Entry(
        episode_id=row.episode_id,
        index=episode.index,
        state="masked" if row.episode_id in hidden else "saved",
        frames=episode.length,
        seconds=episode.length / fps,
        outcome=row.outcome,
        success=row.success,
        x=_known(row.x),
        y=_known(row.y),
        yaw_deg=_known(row.yaw_deg),
        operator=row.operator,
        started=str(row.extra.get("started", "")),
        meter=meter,
        success_s=_seconds(row.extra.get("success_s")),
        target=str(row.extra.get("target", "")),
        tasks=episode.tasks,
        keep=str(row.extra.get("keep", "")),
        interventions=row.extra.get("interventions"),
        cut=row.episode_id in cut,
        lazy=row.extra.get("lazy_grip"),
        clean=row.extra.get("clean"),
        motion=_motion(meter),
        **{**_referee(episode, cut), **said.of(row.episode_id), "why": ""},
    )


def _referee(episode: SavedEpisode, cut: set[str]) -> dict[str, Any]:
    """What the classifier said that kept it, of an episode as it was recorded; notes by classifiers say it anew."""
    told = episode.row.extra.get("referee")
    by, sure = (told.get("by"), told.get("probability")) if isinstance(told, dict) else (None, None)
    if not isinstance(by, str) or not isinstance(sure, int | float) or episode.row.episode_id in cut:
        return {}
    return {"score": float(sure), "scored_by": by, "predicted": float(sure), "predicted_by": by}


def _take(path: Path, fps: int, said: _Said, *, trash: bool = False) -> Entry:
    """A take as its journal's first and last lines tell; a damaged one is unfinished and of unknown length."""
    head, footer, frames = _read_ends(path)
    placement = head.get("placement") or {}
    kept = bool(footer.get("kept"))
    report = footer.get("report") or {}
    meter = dict(report.get("meter") or {})
    return Entry(
        episode_id=path.stem,
        index=None,
        state="discarded" if trash else "waiting" if kept else "unfinished",
        frames=frames,
        seconds=frames / fps,
        outcome=str(footer.get("outcome", "")),
        success=footer.get("outcome") == Outcome.SUCCESS,
        x=_known(placement.get("x")),
        y=_known(placement.get("y")),
        yaw_deg=_known(placement.get("yaw_deg")),
        operator=str(head.get("operator", "")),
        started=str(head.get("started", "")),
        meter=meter,
        target=str(head.get("target", "")),
        keep=str(head.get("keep", "")),
        lazy=report.get("lazy_grip"),
        clean=report.get("clean"),
        motion=_motion(meter),
        **said.of(path.stem),
    )


def _read_ends(path: Path) -> tuple[dict[str, Any], dict[str, Any], int]:
    """Header and footer of a journal, {} where they cannot be read, and its frames.

    Finished takes are read at both ends only: a trash may hold thousands.
    """
    try:
        with path.open("rb") as file:
            head = _record(file.readline())
            file.seek(max(file.tell(), path.stat().st_size - _TAIL))
            last = _record(file.read().removesuffix(b"\n").rpartition(b"\n")[2])
            if "end" in last:
                return head, last, int(last.get("frames", 0))
            file.seek(0)
            return head, {}, max(0, sum(line.endswith(b"\n") for line in file) - 1)
    except OSError:
        return {}, {}, 0


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.rpartition(b"\t")[0])
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _motion(meter: dict[str, dict[str, Any]]) -> dict[str, float]:
    """The gauges that tell how an episode moves."""
    return {name: float(meter[name]["value"]) for name in GAUGES if name in meter}


def _seconds(told: Any) -> float | None:
    """A time as the recorder wrote it; datasets of others may hold anything there."""
    return float(told) if isinstance(told, int | float) and math.isfinite(told) else None


def _known(number: Any) -> float | None:
    return None if number is None or not math.isfinite(number) else float(number)
