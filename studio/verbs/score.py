"""score: let a classifier say how sure it is that episodes succeeded, as notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from classifiers.fit import last_pictures
from classifiers.labels import Labelled
from classifiers.look import colour_cameras
from curation.errors import DataError
from curation.notes import Note, add_notes, masked, read_notes
from curation.store import Store
from studio.carding import carded_classifier
from studio.console import Console
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
    json: bool = False
    """Print the scores as JSON."""


def score(options: Score, console: Console) -> int:
    """Append the notes."""
    made, card = carded_classifier(run_path(options.by))
    store = Store.open(dataset_path(options.dataset))
    missing = sorted(set(made.fitted.look) - set(colour_cameras(store)))
    if missing:
        raise DataError(f"{store.root.name} lacks the camera {missing[0]} that {made.name} looks through.")
    notes = read_notes(store.root)
    away = masked(notes)
    done = set() if options.again else {note.episode_id for note in notes if note.by == made.by}
    live = [one for one in store.episodes if one.row.episode_id not in away]
    todo = [one for one in live if one.row.episode_id not in done]
    found: list[dict[str, Any]] = []
    for at in range(0, len(todo), CHUNK):
        some = [Labelled(0, one, False, "", None, False) for one in todo[at : at + CHUNK]]
        probabilities = made.fitted.judge(last_pictures([store], some, made.fitted.look))
        new = [
            Note(one.episode.row.episode_id, "score", round(float(probability), 4), made.by)
            for one, probability in zip(some, probabilities, strict=True)
        ]
        add_notes(store.root, new)
        found += [{"episode_id": note.episode_id, "score": note.value} for note in new]
        console.advance(min(at + CHUNK, len(todo)), len(todo))
    kept = sum(one["score"] >= card.threshold for one in found)
    was = f", {len(live) - len(todo)} were scored before" if len(live) > len(todo) else ""
    text = (
        f"{made.by} scored {len(found)} episodes{was}; {kept} at {card.threshold:g} or more. On unseen episodes "
        f"{card.rates.precision.of('kept were successes')}."
    )
    console.result(text, {"by": made.by, "threshold": card.threshold, "scores": found})
    return 0
