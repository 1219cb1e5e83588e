"""Folders in which datasets are built: dead ones go, living ones and those of other machines stay and are named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curation.staging import building, unfinished
from studio.verbs.doctor import _unfinished

KILLED = """
import os, signal, sys
from pathlib import Path
from curation.staging import building
with building(Path(sys.argv[1])) as partial:
    (partial / "meta").mkdir(parents=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(to: Path) -> None:
    run = subprocess.run([sys.executable, "-c", KILLED, str(to)], cwd=Path(__file__).parents[2], check=False)
    assert run.returncode == -9


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be asked there whether it lives")
def test_what_a_kill_left_goes_with_the_next_edit_in_the_same_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path))
    killed(tmp_path / "one.v2")
    (left,) = unfinished(tmp_path)
    assert (left.name, left.alive, (left.path / "meta").is_dir()) == ("one.v2", False, True)
    elsewhere = tmp_path / ".two.other-host-77.partial"
    living = tmp_path / f".three.{left.host}-{os.getppid()}.partial"
    unlike = tmp_path / ".four.partial"
    for path in (elsewhere, living, unlike):
        path.mkdir()
    assert [(one.name, one.host, one.alive) for one in unfinished(tmp_path)] == [
        ("one.v2", left.host, False),
        ("three", left.host, True),
        ("two", "other-host", None),
    ]
    told = [finding.detail for finding in _unfinished()]
    assert "was left by a process that was killed" in told[0]
    assert "is being written" in told[1]
    assert "was begun on other-host by process 77" in told[2]
    with building(tmp_path / "new") as partial:
        partial.mkdir()
        assert [one.name for one in unfinished(tmp_path)] == ["new", "three", "two"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([elsewhere.name, living.name, unlike.name, "new"])
