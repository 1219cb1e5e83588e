"""A dataset that is built beside its target and gets its name once it is whole."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curation.atomic import make_folder, sync_dir
from curation.errors import CannotWrite, TargetExists


@contextmanager
def building(to: Path) -> Iterator[Path]:
    """A name beside `to` for the folder to be filled; it becomes `to` at the end, and is removed after an error.

    A kill leaves the folder behind, under a name that no listing shows; the next one who builds in the same place on
    the same machine removes it.

    Raises:
        TargetExists: something is at `to`, before or after.
        CannotWrite: the disk refused.
    """
    require_free(to)
    make_folder(to.absolute().parent)
    partial = _partial(to)
    try:
        yield partial
        put(partial, to)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def require_free(to: Path) -> None:
    """Refuse a target where something is.

    Raises:
        TargetExists: something is, if only a broken link.
    """
    if os.path.lexists(to):
        raise TargetExists(to, "Choose another --to.")


@dataclass(frozen=True)
class Unfinished:
    """A dataset in the making.

    Attributes:
        path: the folder.
        name: of its target.
        host, pid: who builds it.
        alive: whether that process still runs; None on another host, where nobody can ask.
    """

    path: Path
    name: str
    host: str
    pid: int
    alive: bool | None


def unfinished(folder: Path) -> list[Unfinished]:
    """What is being built in a folder, and what killed processes left there."""
    found = []
    for path in sorted(folder.glob(".*.partial")):
        if named := _NAMED.fullmatch(path.name):
            pid = int(named["pid"])
            alive = _runs(pid) if named["host"] == this_host() else None
            found.append(Unfinished(path, named["name"], named["host"], pid, alive))
    return found


_NAMED = re.compile(r"\.(?P<name>.+)\.(?P<host>[A-Za-z0-9_-]+)-(?P<pid>\d{1,9})\.partial")


def this_host() -> str:
    """This machine's name, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", platform.node())[:40] or "nameless"


def _partial(to: Path) -> Path:
    """One name per process; what dead processes of this machine left beside it is removed, whatever it was to be."""
    for left in unfinished(to.parent):
        own = left.alive and left.pid == os.getpid() and left.name == to.name
        if left.alive is False or own:
            shutil.rmtree(left.path, ignore_errors=True)
    return to.with_name(f".{to.name}.{this_host()}-{os.getpid()}.partial")


def _runs(pid: int) -> bool:
    """Whether a process is there; taken for granted on Windows, where asking by signal would end it."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def put(partial: Path, to: Path) -> None:
    """Give a finished dataset its name, unless something has appeared there.

    Raises:
        TargetExists: something has.
        CannotWrite: the disk refused.
    """
    appeared = TargetExists(to, "It appeared meanwhile. Choose another --to.")
    if os.path.lexists(to):
        raise appeared
    try:
        partial.rename(to)
    except OSError as error:
        if not os.path.lexists(to):
            raise CannotWrite(to, error) from error
        raise appeared from error
    sync_dir(to.absolute().parent)
