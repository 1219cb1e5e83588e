"""A disk that is full or may not be written to is named, and what was saved before is intact."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from curation.fingerprint import fingerprint
from tests.faults.harness import (
    ALL,
    FAILED,
    SMALL,
    Here,
    Promised,
    check_with_store,
    counted,
    saved_ids,
    small_disk,
    studio,
)


@pytest.mark.parametrize("free", [70, 135, 260])
def test_the_disk_is_full(disks: None, two: Path, tmp_path: Path, free: int) -> None:
    """With so many KiB free: while driving, drawing or saving."""
    with small_disk(tmp_path / "disk", f"{free}k") as remount:
        root = tmp_path / "disk" / "data"
        done = studio("record", "-n", 4, *ALL, "--to", root, *SMALL)
        line = done.refuses(
            FAILED, "Cannot write", str(root), "No space left on device", "Everything saved before is intact"
        )
        promised = Promised()
        promised.hear(done.err, root)
        promised.must_hold(root)
        print(f"\n{free} KiB: {len(promised.kept)} kept, {counted(root)} saved; {line}")
        remount("size=64m")
        resume = ["--resume"] if (root / "meta/info.json").exists() else []
        asked = len(promised.kept) + 1
        again = studio("record", *resume, "-n", asked, *ALL, "--to", root, *SMALL)
        assert again.well, again
        promised.hear(again.err, root)
        promised.must_hold(root)
        ids = saved_ids(root)
        assert len(ids) == asked
        assert set(promised.kept.values()) <= set(ids)
        check_with_store(root)


def test_a_full_disk_stops_rerender_without_a_target(disks: None, two: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "120k"):
        to = tmp_path / "disk" / "new"
        studio("rerender", two, "--to", to, "--processes", 1).refuses(FAILED, "Cannot write", "No space left on device")
        assert not list(to.parent.glob("*new*"))


def test_a_read_only_dataset(disks: None, here: Here, two: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as remount:
        root = tmp_path / "disk" / "data"
        shutil.copytree(two, root)
        before = fingerprint(root)
        remount("ro")
        for command in (
            ("record", "--resume", "-n", 3, "--to", root, *SMALL),
            ("generate", "--resume", "-n", 3, "--to", root, *SMALL),
            ("recover", root),
        ):
            here(*command).refuses(FAILED, "Cannot write", str(root), "Read-only file system")
        here("record", "--to", tmp_path / "disk" / "new", *SMALL).refuses(
            FAILED, "Cannot write", "Read-only file system"
        )
        assert here("inspect", root).code == here("replay", root).code == 0
        assert fingerprint(root) == before
