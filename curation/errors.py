"""Everything that can go wrong and that a person can mend.

Each error is made from facts and formats them once: what failed, the value, the valid
choices, the next step. `exit_code` is what the command line returns for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

OK, FAILED, USAGE, BAD_DATA, INTERRUPTED = 0, 1, 2, 3, 130


class StudioError(Exception):
    """A failure that is explained in one line and never shown as a traceback."""

    exit_code = FAILED


class UsageError(StudioError):
    """What was asked for cannot be done as asked."""

    exit_code = USAGE


class DataError(StudioError):
    """Data on disk failed a check."""

    exit_code = BAD_DATA


class UnknownChoice(UsageError):
    """A name that is not among the valid ones.

    Args:
        what: the kind of thing named, such as "operator".
        value: the name that was given.
        choices: the valid names.
    """

    def __init__(self, what: str, value: object, choices: Iterable[object]) -> None:
        names = [str(choice) for choice in choices]
        near = get_close_matches(str(value), names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        super().__init__(f"Unknown {what} '{value}'. Valid: {', '.join(names)}.{hint}")


class NonePasses(UsageError):
    """No episode fits what was asked, though it could be asked."""


class TargetExists(UsageError):
    """New data was asked for at a place that already holds something."""

    def __init__(self, path: Path, next_step: str) -> None:
        super().__init__(f"{path} already exists and is never overwritten. {next_step}")


class NotADataset(UsageError):
    """A folder that holds no LeRobot v3 dataset."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a LeRobot v3 dataset: {why}.")


class NoScene(NotADataset):
    """A dataset that nobody can replay or draw, because no scene was stored with it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "it was not recorded by the studio (it has no meta/studio/scene.json)")


class CannotWrite(StudioError):
    """The disk refused: full, read-only or not permitted."""

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(
            f"Cannot write {path}: {cause.strerror or cause}. Everything saved before is intact. "
            "Free space or choose another place, then run the command again."
        )


class Mismatch(UsageError):
    """A dataset and what is about to be appended to it differ.

    Args:
        path: the dataset.
        differences: (name, value in the dataset, value asked for).
    """

    def __init__(self, path: Path, differences: Iterable[tuple[str, object, object]]) -> None:
        listed = "; ".join(f"{name} is {have}, asked {want}" for name, have, want in differences)
        super().__init__(f"Cannot resume {path}: {listed}. Record with the same settings, or use a new --to.")


class BadAction(StudioError):
    """An operator sent something that is not a finite action of the right shape."""


class BrokenJournal(DataError):
    """A take's journal cannot be read as written."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(
            f"Journal {path} is damaged at line {line}: {why}. The other takes are untouched; "
            "`studio recover` keeps the frames before the damage (--keep) or drops the take (--discard)."
        )


class UnreadableVideo(DataError):
    """A video cannot be decoded or does not hold the frames it should."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"Video {path} cannot be read: {why}. Its dataset is otherwise untouched.")


class BrokenMotionLog(DataError):
    """A motion log cannot be read as written."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(f"Motion log {path} cannot be read at line {line}: {why}. Record one with --motion-log.")
