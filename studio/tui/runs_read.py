"""The ledger as lines of a table, read in a worker: only trainings whose files changed are read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from curation.errors import StudioError, UsageError
from studio.tui.evaluation_sight import require_whole
from training.evaluated import EVALUATION, FOLDER, ROWS, Evaluation, read_evaluation
from training.ledger import Line, line_of
from training.runs import BEAT, PROGRESS, RUN, Run

DAMAGED = "damaged"
TRAINING, EVALUATED = "training", "evaluation"
FIELDS = ("run", "policy", "dataset", "state", "kind")
"""What a filter may name."""


@dataclass(frozen=True)
class Entry:
    """A line of the ledger: a training, one evaluation of it, or a folder that cannot be read.

    Attributes:
        folder: of the training or evaluation.
        line: of the training; None where it cannot be read or was made elsewhere.
        evaluation: None for a training.
        wrong: why it cannot be read.
    """

    folder: Path
    line: Line | None = None
    evaluation: Evaluation | None = None
    wrong: str = ""

    @property
    def kind(self) -> str:
        """What it is."""
        inside = self.folder.parent.name == FOLDER
        return EVALUATED if self.evaluation is not None or inside else TRAINING

    @property
    def state(self) -> str:
        """Of a training; damaged; or nothing for an evaluation."""
        if self.wrong:
            return DAMAGED
        return self.line.state if self.line is not None and self.evaluation is None else ""

    def words(self, field: str) -> str:
        """One of `FIELDS`, for filters."""
        told = self.line.told if self.line is not None else {}
        match field:
            case "run":
                if self.evaluation is not None:
                    return self.evaluation.name
                return self.folder.name if self.kind == TRAINING else self.folder.parent.parent.name
            case "policy":
                return str(told.get("policy", ""))
            case "dataset":
                return str(dict(told.get("dataset") or {}).get("name", ""))
            case "state":
                return self.state
        return self.kind


class RunsRead:
    """The trainings and evaluations under a folder of runs.

    Args:
        home: the folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._known: dict[Path, tuple[object, list[Entry]]] = {}

    def entries(self) -> list[Entry]:
        """The newest training first, each followed by its evaluations, the newest first; then those made elsewhere."""
        found = {path.parent: self._of(path.parent) for path in self._home.glob(f"*/{RUN}")}
        self._known = {folder: self._known[folder] for folder in found}
        listed = [each for each in found.values() if each]
        listed.sort(key=_begun, reverse=True)
        return [entry for each in (*listed, list(_elsewhere(Path(FOLDER)))) for entry in each]

    def _of(self, folder: Path) -> list[Entry]:
        mark = _mark(folder)
        known = self._known.get(folder)
        # Whether a process still runs is in no file.
        if known is None or known[0] != mark or any(entry.state == "running" for entry in known[1]):
            self._known[folder] = (mark, list(_read(folder)))
        return self._known[folder][1]


def filtered(text: str) -> Callable[[Entry], bool]:
    """Which lines fit: every word occurs in them, or in the field that stands before its colon.

    Raises:
        UsageError: there is no such field.
    """
    tests = [_test(word) for word in text.lower().split()]
    return lambda entry: all(test(entry) for test in tests)


def _test(word: str) -> Callable[[Entry], bool]:
    field, colon, value = word.partition(":")
    if not colon:
        return lambda entry: any(word in entry.words(name).lower() for name in FIELDS)
    if field not in FIELDS:
        raise UsageError(f"There is no {field}: to filter by. There are {', '.join(f'{name}:' for name in FIELDS)}")
    return lambda entry: value in entry.words(field).lower()


def _read(folder: Path) -> Iterator[Entry]:
    try:
        line = line_of(Run(folder))
        _require_whole(line)
    except (StudioError, OSError, KeyError, TypeError, ValueError) as error:
        wrong = str(error) if isinstance(error, StudioError) else f"{folder / RUN} is not whole: {error!r}."
        yield Entry(folder, wrong=wrong)
        return
    yield Entry(folder, line)
    for one in reversed(line.evaluations):
        yield _evaluated(one, line)
    read = {one.folder for one in line.evaluations}
    for path in sorted((folder / FOLDER).glob("*/")):
        if path not in read:
            yield Entry(path, line, wrong=_why(path))


def _elsewhere(folder: Path) -> Iterator[Entry]:
    """Evaluations of checkpoints that were not trained here."""
    for path in sorted(folder.glob(f"*/{EVALUATION}")):
        try:
            yield _evaluated(read_evaluation(path.parent), None)
        except StudioError as error:
            yield Entry(path.parent, wrong=str(error))


def _evaluated(one: Evaluation, line: Line | None) -> Entry:
    try:
        require_whole(one)
    except StudioError as error:
        return Entry(one.folder, line, wrong=str(error))
    return Entry(one.folder, line, one)


def _why(folder: Path) -> str:
    try:
        read_evaluation(folder)
    except StudioError as error:
        return str(error)
    return "It was not read."


def _require_whole(line: Line) -> None:
    """What every line of the table says is there."""
    told = line.told
    for name in ("name", "group", "policy", "seed", "steps"):
        told[name]
    int(told["steps"])
    told["dataset"]["name"], told["dataset"]["episodes"]
    if line.shown is not None:
        require_whole(line.shown)


def _begun(entries: list[Entry]) -> str:
    line = entries[0].line
    return str(line.told.get("when", "")) if line is not None else ""


def _mark(folder: Path) -> tuple[object, ...]:
    """What tells whether anything in a training's folder changed."""
    files = [folder / name for name in (RUN, BEAT, PROGRESS)]
    files += [folder / "train" / "checkpoints", *sorted((folder / FOLDER).glob("*"))]
    files += sorted((folder / FOLDER).glob(f"*/{ROWS}"))
    return tuple((path, _stat(path)) for path in files)


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size
