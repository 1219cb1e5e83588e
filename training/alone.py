"""One process trains a run at a time, and everybody can see whether one does.

The sign of life is a lock on `runs/<name>/.lock`: it is held by who started the training and by the training itself,
and the system lets go of it when both are gone, however they ended. A process's number alone says nothing: after a
restart, in a container or on a shared disk it is somebody else's.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from curation.atomic import if_free, is_held
from curation.errors import UsageError
from training.runs import Run

LOCK = ".lock"


@dataclass(frozen=True)
class Held:
    """A run that nobody else may train.

    Attributes:
        run: it.
        lock: its open lock file, for the process that trains.
    """

    run: Run
    lock: IO[bytes]


@contextmanager
def alone(run: Run) -> Iterator[Held]:
    """Hold a run, before anything in it is changed.

    Raises:
        UsageError: another process trains it, which is named.
        CannotWrite: its folder cannot be written to.
    """
    if _child_without_lock(run.read(), run.folder):
        raise UsageError(_taken(run))
    with if_free(run.folder / LOCK) as lock:
        if lock is None:
            raise UsageError(_taken(run))
        yield Held(run, lock)


def require_free(run: Run) -> None:
    """Refuse a run that somebody trains, without holding it.

    Raises:
        UsageError: another process trains it, which is named.
    """
    if is_trained(run):
        raise UsageError(_taken(run))


def is_trained(run: Run) -> bool:
    """Whether a process trains a run now.

    Raises:
        DataError: run.json is damaged.
    """
    return is_held(run.folder / LOCK) or bool(_child_without_lock(run.read(), run.folder))


def here() -> str:
    """This machine's name, as run.json has it beside the number of a process."""
    return socket.gethostname()


def trains(pid: int, folder: Path) -> bool:
    """Whether the process of that number is the training of a run's folder; False where nobody can say."""
    if sys.platform != "linux":
        return False
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return b"training.child" in words and os.fsencode(folder.absolute()) in words
    return False


def _child_without_lock(told: Mapping[str, Any], folder: Path) -> int | None:
    """The process that trains where locks are not seen: begun by an older version, or on a disk without them."""
    pid = told.get("pid")
    if told.get("host", here()) != here() or not isinstance(pid, int):
        return None
    return pid if trains(pid, folder) else None


def _taken(run: Run) -> str:
    told = run.read()
    pid = told.get("pid")
    who = f"process {pid} on {told.get('host', here())}" if pid else "another process"
    return f"{run.name} is being trained by {who}. Wait for it, or stop it first."
