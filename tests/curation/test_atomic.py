"""Files are whole or absent."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from curation.atomic import POLL_S, one_at_a_time, place, write_aside
from curation.errors import CannotWrite


def test_write_aside_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.json"
    write_aside(path, b"one")
    write_aside(path, b"two")
    assert path.read_bytes() == b"two"
    assert [each.name for each in path.parent.iterdir()] == ["file.json"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_refusing_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    path = tmp_path / "file.json"
    write_aside(path, b"one")

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(CannotWrite, match=os.strerror(code)):
        write_aside(path, b"two")
    assert path.read_bytes() == b"one"
    assert [each.name for each in tmp_path.iterdir()] == ["file.json"]


def test_place_copies_where_links_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")

    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "cross-device")

    monkeypatch.setattr(os, "link", refuse)
    place(source, tmp_path / "there" / "file")
    assert (tmp_path / "there" / "file").read_bytes() == b"x"
    assert source.exists()


def test_only_one_holds_a_lock(tmp_path: Path) -> None:
    path, held = tmp_path / "new" / "lock", threading.Event()

    def ask() -> None:
        with one_at_a_time(path):
            held.set()

    other = threading.Thread(target=ask)
    with one_at_a_time(path):
        other.start()
        assert not held.wait(5 * POLL_S)
    assert held.wait(10)
    other.join()
    assert path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="flock")
def test_a_lock_that_nobody_can_have_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(CannotWrite, match=rf"lock: {os.strerror(errno.ENOLCK)}"), one_at_a_time(tmp_path / "lock"):
        pytest.fail("it was given")
