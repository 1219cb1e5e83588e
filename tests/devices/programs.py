"""Programs of the system that tests drive: a virtual display, a browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"


def need(*programs: str) -> None:
    """Skip, loudly, where a program is missing; in continuous integration that is a failure."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    text = f"not installed: {', '.join(missing)}. Run .ci/setup, or: apt-get install -y xvfb xdotool chromium"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


@contextmanager
def virtual_display() -> Iterator[str]:
    """An X server without a screen; gives its name, such as ":7"."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "320x240x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        assert number, f"Xvfb did not start: exit code {server.poll()}"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def xdotool(display: str, *words: str) -> None:
    """Press keys as a person would, below the X server's clients."""
    subprocess.run(["xdotool", *words], env={**os.environ, "DISPLAY": display}, check=True, timeout=20)
