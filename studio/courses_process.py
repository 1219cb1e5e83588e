"""A classifier that is asked about one episode after the other, in a process of its own: what it loads is heavy.

    python -m studio.courses_process DATASET classifier:NAME@DIGEST

Each line on stdin is an episode's id and is answered by a line of JSON on stdout, as `studio score --frames --json` has
it; before them comes a line with its threshold, and one with "wrong" ends it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classifiers.labels import Labelled
from classifiers.look import require_cameras
from classifiers.over_time import Course, courses
from curation.episodes import SavedEpisode
from curation.errors import DataError, StudioError
from curation.store import Store
from studio.carding import carded_classifier
from studio.paths import run_path


def unlabelled(episodes: Sequence[SavedEpisode]) -> list[Labelled]:
    """Episodes of the one dataset whose truth nobody asks for."""
    return [Labelled(0, one, False, "", None, False) for one in episodes]


def told_of(one: SavedEpisode, course: Course, threshold: float, fps: int) -> dict[str, Any]:
    """What a classifier says all along an episode, JSON values."""
    return {
        "episode_id": one.row.episode_id,
        "done_frame": course.done(threshold, fps),
        "frames": course.frames.tolist(),
        "probability": [round(float(p), 4) for p in course.probability],
        "at_end": round(course.end, 4),
    }


def serve(root: Path, by: str) -> None:
    """Answer until stdin ends.

    Raises:
        StudioError: the classifier is not here, is another one, has no card, or does not fit the dataset.
    """
    made, card = carded_classifier(run_path(by.partition("@")[0]))
    if made.by != by:
        raise DataError(f"The scores are by {by}; what is here is {made.by}.")
    store = Store.open(root)
    require_cameras(made.fitted.look, [store], made.name)
    _say({"threshold": card.threshold})
    for line in sys.stdin:
        one = store.episode(line.strip())
        (course,) = courses(made.fitted, [store], unlabelled([one]))
        _say(told_of(one, course, card.threshold, store.fps))


def main(words: Sequence[str]) -> int:
    """Serve, and say why where that fails."""
    try:
        serve(Path(words[0]), words[1])
    except StudioError as error:
        _say({"wrong": str(error)})
        return error.exit_code
    except Exception as error:  # noqa: BLE001  told on the screen that asked; a traceback would tear the terminal
        _say({"wrong": f"unexpected {type(error).__name__}: {error}"})
        return 1
    return 0


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
