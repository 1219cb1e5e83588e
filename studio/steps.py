"""One command of a chain: what it makes, and how it is gone on with after a kill."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from curation.atomic import make_folder
from curation.errors import UsageError
from curation.layout import INFO
from studio.paths import dataset_path, run_path
from training.alone import is_trained
from training.checkpoints import broken, listed
from training.runs import RUN, Run

PATIENCE_S = 120.0
"""How long a training that nobody follows any more may take to end [s]; then its own command says that it is held."""
_POLL_S = 0.2


@dataclass(frozen=True)
class Step:
    """One command.

    Attributes:
        name: unlike the others'.
        words: its command line, `studio` left away.
        dataset: name of the dataset that it makes, "" if it makes none.
        files: that it makes.
        runs: names of the trainings that it makes.
        ends: whether all is done, and well, where no episode passes it.
    """

    name: str
    words: tuple[str, ...]
    dataset: str = ""
    files: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    ends: bool = False

    @property
    def made(self) -> list[Path]:
        """Everything that it makes."""
        data = [dataset_path(self.dataset)] if self.dataset else []
        return [*data, *map(Path, self.files), *map(run_path, self.runs)]


def going_on(step: Step, left: Path) -> tuple[str, ...] | None:
    """The command line that does a step now, whatever a kill left of it; None if it is done but for being remembered.

    Args:
        step: that has begun, so that all it makes is its own.
        left: folder that takes what cannot be gone on with.
    """
    for path in map(Path, step.files):
        path.unlink(missing_ok=True)
    there = bool(step.dataset) and dataset_path(step.dataset).exists()
    if there and step.words[0] == "generate" and not (dataset_path(step.dataset) / INFO).is_file():
        # Killed before it was a dataset, so nothing was recorded.
        _clear(dataset_path(step.dataset), dataset_path(step.dataset).parent)
        there = False
    match step.words[0]:
        case "generate" if there:
            return (*step.words, "--resume")
        case "merge" | "filter" | "apply" if there:
            return None
        case "train" if len(step.runs) == 1:
            return _training(step, left)
        case _:
            return step.words


def _training(step: Step, left: Path) -> tuple[str, ...] | None:
    run = Run(run_path(step.runs[0]))
    if not run.folder.exists():
        return step.words
    if (run.folder / RUN).is_file() and run.read()["state"] == "done":
        return None
    if any(not broken(path) for path in listed(run.checkpoints)):
        return "train", "--resume", step.runs[0]
    if (run.folder / RUN).is_file() and is_trained(run):
        raise UsageError(f"{run.name} is being trained by somebody else. Repeat the command when that has ended.")
    # Nothing in it can be gone on with. Among the runs it would be taken for one.
    _clear(run.folder, left)
    return step.words


def _clear(path: Path, into: Path) -> None:
    """Let a step begin afresh: what is there is moved aside and not removed, unless it is an empty folder."""
    with suppress(OSError):
        path.rmdir()
        return
    make_folder(into)
    places = (into / f"{path.name}.left-{number}" for number in count(1))
    path.rename(next(place for place in places if not os.path.lexists(place)))


def wait_for_trainings(step: Step) -> None:
    """Wait while a training whose studio was killed writes its last checkpoint, which it does by itself."""
    until = time.monotonic() + PATIENCE_S
    for run in map(Run, map(run_path, step.runs)):
        while (run.folder / RUN).is_file() and is_trained(run) and time.monotonic() < until:
            time.sleep(_POLL_S)
