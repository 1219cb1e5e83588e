"""A dataset that is built beside its target and gets its name once it is whole."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.atomic import make_folder, sync_dir
from curation.errors import CannotWrite, TargetExists


@contextmanager
def building(to: Path) -> Iterator[Path]:
    """A name beside `to` for the folder to be filled; it becomes `to` at the end, and is removed after an error.

    A kill leaves the folder behind, under a name that no listing shows; the next one who builds there removes it.

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


def _partial(to: Path) -> Path:
    """One name per process; what dead processes left is removed."""
    pattern = re.compile(rf"\.{re.escape(to.name)}\.(\d{{1,9}})\.partial")
    for path in to.parent.glob(".*.partial"):
        named = pattern.fullmatch(path.name)
        if named and (int(named[1]) == os.getpid() or not _runs(int(named[1]))):
            shutil.rmtree(path, ignore_errors=True)
    return to.with_name(f".{to.name}.{os.getpid()}.partial")


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
