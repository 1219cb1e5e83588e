"""What workers tell screens. Workers post these and change nothing themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from curation.library import Entry
    from studio.jobs import Job
    from studio.overview import Card
    from studio.triage import Classifier
    from studio.tui.evaluate_form import Planned
    from studio.tui.evaluation_sight import EvaluationSight
    from studio.tui.following import Following
    from studio.tui.generation_sight import GenerationSight
    from studio.tui.runs_read import Entry as Run
    from studio.tui.setup_form import Form
    from studio.tui.train_form import WrongAnswer
    from studio.tui.training_sight import TrainingSight
    from studio.tui.watch_sight import Sight
    from studio.tui.watched_screen import Watched


@dataclass
class OverviewRead(Message):
    """The datasets under the data home, and the free bytes on their disk."""

    cards: list[Card]
    free: int

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, OverviewRead)


@dataclass
class JobsRead(Message):
    """The jobs as they are now, newest first."""

    jobs: list[Job]

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, JobsRead)


@dataclass
class FormChecked(Message):
    """What the checks said of a form.

    Attributes:
        form: the form as it was then.
        said: its answers; None if something is wrong.
        why: what is wrong.
        line: the command that does the same.
        spots: positions it asks for [m].
    """

    form: Form
    said: dict[str, Any] | None
    why: str
    line: str
    spots: tuple[tuple[float, ...], ...]


@dataclass
class EditSeen(Message):
    """What an edit would do.

    Attributes:
        number: of the question.
        words: of the command that does it; None if it would refuse.
        text: what it would do, or why not.
    """

    number: int
    words: list[str] | None
    text: str


@dataclass
class PublishSeen(Message):
    """What publishing would change, with the card.

    Attributes:
        number: of the question.
        text: in words.
        ready: whether it can be published.
    """

    number: int
    text: str
    ready: bool


@dataclass
class PlacementsRead(Message):
    """Where the episodes of a dataset began, shape (M, 2) [m]."""

    root: Path | None
    data: NDArray[np.float64]


@dataclass
class EntriesRead(Message):
    """The episodes of a dataset, and the mark of its files when they were read."""

    entries: list[Entry]
    seen: object


@dataclass
class TriageRead(Message):
    """The saved episodes of a dataset, the classifiers that scored them, and the mark of its files."""

    entries: list[Entry]
    known: dict[str, Classifier]
    seen: object


@dataclass
class TrainingSeen(Message):
    """A training as it is now.

    Attributes:
        following: with the folder, as soon as it is known.
        job: that writes it, if one does.
        sight: of its folder; None before there is one.
        said: the end of what the job said.
    """

    following: Following
    job: Job | None
    sight: TrainingSight | None
    said: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, TrainingSeen)


@dataclass
class PreflightSeen(Message):
    """What preflight says of a training.

    Attributes:
        number: of the question.
        found: its findings, gravest first, as JSON values.
        refused: why it did not look; "" if it did.
    """

    number: int
    found: list[dict[str, Any]]
    refused: str


@dataclass
class EvaluationSeen(Message):
    """An evaluation as it is now; as `TrainingSeen`."""

    following: Following
    job: Job | None
    sight: EvaluationSight | None
    said: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, EvaluationSeen)


@dataclass
class EvaluatePlanned(Message):
    """What an evaluation would do, or why it cannot; `number` is of the question."""

    number: int
    seen: Planned | WrongAnswer


@dataclass
class GenerationSeen(Message):
    """A generation as it is now; as `TrainingSeen`."""

    following: Following
    job: Job | None
    sight: GenerationSight | None
    said: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, GenerationSeen)


@dataclass
class GeneratePlanned(Message):
    """What a generation would do.

    Attributes:
        number: of the question.
        words: of the command.
        told: what it said, JSON values; empty where it refuses.
        wrong: why it refuses.
    """

    number: int
    words: list[str]
    told: dict[str, Any]
    wrong: str


@dataclass
class LedgerRead(Message):
    """The trainings and evaluations as they are now, and the jobs, newest first."""

    entries: list[Run]
    jobs: list[Job]

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, LedgerRead)


@dataclass
class WatchSeen(Message):
    """A watched episode as far as it is known; None before its first frame."""

    sight: Sight | None

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, WatchSeen)


@dataclass
class WatchedRead(Message):
    """The histories on disk, the newest first."""

    found: list[Watched]

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, WatchedRead)
