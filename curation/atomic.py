"""Files that are either wholly on disk or not there at all.

Everything is written aside, in the folder where it will live, flushed to the disk and then
renamed: a kill or a power cut leaves the old file or the new one, never half of either.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from curation.errors import CannotWrite

ASIDE = ".aside"
"""Ending of a file that is not finished. LeRobot's globs (`*.parquet`, `*.mp4`) never match it."""

POLL_S = 0.02
"""How long to wait before asking again for a lock that is held [s]."""

_HELD = (errno.EACCES, errno.EDEADLK)
"""What Windows says of a lock that somebody else has."""
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS)


def write_aside(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace the file at `path` by `data`, durably; missing parent folders are made.

    Args:
        path: the file.
        data: all it shall hold.
        durable: flush it to the disk; without it, whoever writes many files flushes them together.

    Raises:
        CannotWrite: the disk is full, read-only or not permitted. The old file is intact.
    """
    with _explained(path), _aside(path, durable=durable) as aside, open(aside, "wb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def place(source: Path, path: Path) -> None:
    """Let the finished, flushed file `source` also appear at `path`, durably.

    It is linked, so nothing is copied and `source` stays until its owner drops it; where the
    file system cannot link, it is copied.

    Raises:
        CannotWrite: the disk is full, read-only or not permitted.
    """
    with _explained(path), _aside(path) as aside:
        _link_or_copy(source, aside)


def make_folder(folder: Path) -> None:
    """Make `folder` and its parents, each entry flushed to the disk.

    Raises:
        CannotWrite: the disk is full, read-only or not permitted.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with _explained(folder):
        folder.mkdir(exist_ok=True)
        sync_dir(folder.parent)


def remove(path: Path) -> None:
    """Remove the file at `path`, if there is one.

    Raises:
        CannotWrite: read-only or not permitted.
    """
    with _explained(path):
        path.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Flush a finished file to the disk.

    Raises:
        CannotWrite: the disk refused.
    """
    with _explained(path), open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_all(paths: Iterable[Path]) -> None:
    """Flush many finished files to the disk, and the names in their folders.

    Raises:
        CannotWrite: the disk refused.
    """
    if sys.platform == "linux":
        os.sync()  # one call for hundreds of files; elsewhere it need not wait
    else:
        for path in paths:
            sync_file(path)


def sync_dir(path: Path) -> None:
    """Flush the names in a folder to the disk; a no-op where folders cannot be opened (Windows)."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for the lock file `path` and hold it against everyone else who asks; a kill lets go of it.

    The lock is advisory. Its file is empty, made if it is missing, and stays: removing it would let two hold it.

    Raises:
        CannotWrite: the file cannot be opened for writing, or cannot be locked at all.
    """
    make_folder(path.parent)
    # Network file systems grant an exclusive lock only on a file that is open for writing.
    with _opened(path) as file:
        with _explained(path):
            while not _try_lock(file):
                time.sleep(POLL_S)
        yield


@contextmanager
def if_free(path: Path, patience_s: float = 0.5) -> Iterator[IO[bytes] | None]:
    """Hold the lock file `path` unless somebody else does: yields the open file, or None.

    A child process that is given the file holds the lock too, and as long as it lives; not on Windows.

    Args:
        path: the lock file, as in `one_at_a_time`.
        patience_s: how long to ask again; whoever looks with `is_held` has it for a moment.

    Raises:
        CannotWrite: the file cannot be opened for writing, or cannot be locked at all.
    """
    make_folder(path.parent)
    with _opened(path) as file:
        with _explained(path):
            ours = taken(file, patience_s)
        yield file if ours else None


def taken(file: IO[bytes], patience_s: float = 0.5) -> bool:
    """Whether the lock of an open file is ours, having asked for so long; closing the file lets go of it.

    Raises:
        OSError: it cannot be locked at all.
    """
    until = time.monotonic() + patience_s
    while not (ours := _try_lock(file)) and time.monotonic() < until:
        time.sleep(POLL_S)
    return ours


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock file `path`; False where nobody can say."""
    try:
        with path.open("rb") as file:
            return not _try_lock(file)
    except OSError:
        return False


def _opened(path: Path) -> IO[bytes]:
    with _explained(path):
        return path.open("ab")


def _try_lock(file: IO[bytes]) -> bool:
    """Whether the lock is now ours, False if somebody else has it.

    Raises:
        OSError: it can be nobody's.
    """
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in _HELD:
                return False
            raise
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _aside(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A name beside `path` to write to; renamed to `path` at the end, removed after an error."""
    make_folder(path.parent)
    aside = path.with_name(f"{path.name}.{os.getpid()}{ASIDE}")
    try:
        yield aside
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    if durable:
        sync_dir(path.parent)


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)
        sync_file(target)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotWrite(path, error) from error
