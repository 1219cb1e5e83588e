"""score: let a classifier say how sure it is that episodes succeeded, as notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifiers.card import Card
from classifiers.checkpoint import Classifier
from classifiers.fit import last_pictures
from classifiers.look import require_cameras
from classifiers.over_time import Course, courses
from curation.episodes import SavedEpisode
from curation.library import chosen
from curation.notes import Note, add_notes, masked, read_notes
from curation.store import Store
from studio.carding import carded_classifier
from studio.console import Console
from studio.courses_process import told_of, unlabelled
from studio.options import Name
from studio.paths import dataset_path, run_path

CHUNK = 50
"""Episodes scored between two notes, so that an interrupted run goes on from there."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """Write a classifier's probability of success as a score of every episode; nothing else of an episode changes."""

    dataset: Name
    """A dataset."""
    by: str
    """A classifier: a folder, or a bare name under STUDIO_RUNS. It must have its calibration card."""
    again: bool = False
    """Also score what this classifier has scored before."""
    only: tuple[str, ...] = ()
    """Only these episodes: numbers, or ids as `studio episodes` shows them."""
    frames: bool = False
    """Print how sure it is all along each episode, and when it would have been done; writes no notes."""
    json: bool = False
    """Print the scores as JSON."""


def score(options: Score, console: Console) -> int:
    """Append the notes, or print what it says frame by frame."""
    made, card = carded_classifier(run_path(options.by))
    store = Store.open(dataset_path(options.dataset))
    require_cameras(made.fitted.look, [store], made.name)
    notes = read_notes(store.root)
    away = masked(notes)
    live = [one for one in store.episodes if one.row.episode_id not in away]
    if options.only:
        wanted = {entry.episode_id for entry in chosen(store.root, options.only)}
        live = [one for one in live if one.row.episode_id in wanted]
    if not live:
        which = "none of those episodes" if options.only else "no episode"
        text = f"{store.root.name} has {which} outside the trash, so {made.by} has nothing to say."
        nothing: dict[str, Any] = {"episodes" if options.frames else "scores": []}
        console.result(text, {"by": made.by, "threshold": card.threshold, **nothing})
        return 0
    if options.frames:
        return _along(made, card, store, live, console)
    done = set() if options.again else {note.episode_id for note in notes if note.by == made.by}
    todo = [one for one in live if one.row.episode_id not in done]
    found: list[dict[str, Any]] = []
    for at in range(0, len(todo), CHUNK):
        some = unlabelled(todo[at : at + CHUNK])
        probabilities = made.fitted.judge(last_pictures([store], some, made.fitted.look))
        new = [
            Note(one.episode.row.episode_id, "score", round(float(probability), 4), made.by)
            for one, probability in zip(some, probabilities, strict=True)
        ]
        add_notes(store.root, new)
        found += [{"episode_id": note.episode_id, "score": note.value} for note in new]
        console.advance(min(at + CHUNK, len(todo)), len(todo))
    text = _text(made.by, card, found, len(live))
    console.result(text, {"by": made.by, "threshold": card.threshold, "scores": found})
    return 0


def _text(by: str, card: Card, found: Sequence[Mapping[str, Any]], live: int) -> str:
    """What was scored of so many episodes, and what the card says such scores are worth."""
    if not found:
        return f"All {live} episodes were scored by {by} before; --again scores them once more."
    high = sum(one["score"] >= card.threshold for one in found)
    was = f", {live - len(found)} were scored before" if live > len(found) else ""
    return (
        f"{by} scored {len(found)} episodes{was}; {high} of the {len(found)} at {card.threshold:g} or more. Its card: "
        f"of unseen episodes at as much, {card.rates.precision.of('were successes')}."
    )


def _along(made: Classifier, card: Card, store: Store, live: Sequence[SavedEpisode], console: Console) -> int:
    found = courses(made.fitted, [store], unlabelled(live), console.advance)
    pairs = list(zip(live, found, strict=True))
    lines = [_line(one, course, card.threshold, store.fps) for one, course in pairs]
    told = [told_of(one, course, card.threshold, store.fps) for one, course in pairs]
    console.result("\n".join(lines), {"by": made.by, "threshold": card.threshold, "episodes": told})
    return 0


def _line(one: SavedEpisode, course: Course, threshold: float, fps: int) -> str:
    """When an episode was done, as the classifier and as the judge say."""
    done, judged = course.done(threshold, fps), one.row.extra.get("success_s")
    said = "never" if done is None else f"at {done / fps:5.2f} s"
    judge = f"; the judge at {judged:.2f} s" if isinstance(judged, int | float) else ""
    return f"{one.index:>5}  done {said:<11} of {one.length / fps:5.2f} s, {course.end:.3f} at its end{judge}"
