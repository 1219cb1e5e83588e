"""The curve under the film strip: what the classifier that scored an episode says all along it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from curation.library import Entry
from studio.triage import Classifier
from studio.tui.courses import Courses
from studio.tui.widgets.done_curve import Sureness


class TriageCurve:
    """Asks one classifier at a time.

    Args:
        root: of the dataset.
        tell: called in a thread whenever there is more.

    Attributes:
        asked: whoever is asked now; None before the first question.
    """

    def __init__(self, root: Path, tell: Callable[[], object]) -> None:
        self._root, self._tell = root, tell
        self.asked: Courses | None = None

    def want(self, speaker: Classifier | None, found: Sequence[Entry]) -> None:
        """Ask about these episodes, the first one first; without its card a classifier is not asked."""
        if speaker is None or speaker.card is None or not found:
            return
        if self.asked is not None and self.asked.by != speaker.by:
            self.close()
        if self.asked is None:
            self.asked = Courses(self._root, speaker.by, self._tell)
        self.asked.want([entry.episode_id for entry in found])

    def shown(self, speaker: Classifier | None, entry: Entry | None) -> tuple[Sureness | None, str]:
        """The curve of an episode, or why there is none; "" where nobody could draw one."""
        if entry is None or speaker is None:
            return None, ""
        if speaker.card is None:
            return None, "no curve without the classifier and its card"
        asked = self.asked if self.asked is not None and self.asked.by == speaker.by else None
        course = asked.known.get(entry.episode_id) if asked is not None else None
        if course is None:
            return None, (asked.wrong if asked is not None else "") or f"{speaker.name} looks at it ..."
        fps = round(entry.frames / entry.seconds) if entry.seconds else 1
        return Sureness(
            frames=course.frames,
            probability=course.probability,
            length=entry.frames,
            fps=fps,
            threshold=speaker.threshold,
            done=course.done,
            end=course.end,
            judged_s=entry.success_s,
        ), ""

    def close(self) -> None:
        """Ask nothing more."""
        if self.asked is not None:
            self.asked.close()
        self.asked = None
