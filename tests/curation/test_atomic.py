"""Files are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from curation.atomic import one_at_a_time, place, write_aside
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


def test_only_one_holds_a_folder(tmp_path: Path) -> None:
    with one_at_a_time(tmp_path) as first, one_at_a_time(tmp_path, wait=False) as second:
        assert (first, second) == (True, False)
    with one_at_a_time(tmp_path, wait=False) as third:
        assert third
