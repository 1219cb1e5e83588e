"""A missing OpenGL library is named before anything heavy runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from recorders.world import gl


def test_a_backend_that_does_not_exist_is_one_line_and_exit_code_1() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "studio.cli", "record", "--to", "nowhere", "-n", "1"],
        capture_output=True, text=True, check=False, env={**os.environ, "MUJOCO_GL": "nonsense"},
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stdout == ""
    assert len(run.stderr.strip().splitlines()) == 1
    assert "MUJOCO_GL=nonsense" in run.stderr
    assert "apt-get install" in run.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems draw natively")
def test_a_missing_library_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setattr(gl.ctypes.util, "find_library", lambda name: None)
    with pytest.raises(gl.MissingOpenGL, match="libegl1"):
        gl.require_opengl()
