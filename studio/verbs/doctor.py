"""doctor: what this machine can do; drawing and codecs are really tried."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import numpy as np

from curation.errors import FAILED, OK, CannotWrite, StudioError
from curation.frames import Image
from curation.staging import unfinished
from curation.video import Encoding, VideoWriter, read_video
from studio.console import Console
from studio.paths import data_home

_PACKAGES = ("teleop-studio", "lerobot", "mujoco", "torch", "datasets", "pyarrow", "av", "numpy", "huggingface_hub")
_GB_FOR_EPISODES = 0.0015
"""Two 640x480 h264 videos and the journal of a five-second episode [GB]."""


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Check this machine: OpenGL, codecs, disk, versions, devices. Exit code 1 if recording cannot work."""

    json: bool = False
    """Print the findings as JSON."""


@dataclass(frozen=True)
class Finding:
    """One thing that was tried."""

    what: str
    state: Literal["ok", "note", "fails"]
    detail: str


def doctor(options: Doctor, console: Console) -> int:
    """Try everything and print one line each."""
    findings = [
        _python(),
        *_versions(),
        _tried("drawing", _draw),
        _tried("codec h264", lambda: _codec("h264")),
        _tried("codec libsvtav1", lambda: _codec("libsvtav1", preset="12"), needed=False),
        _tried("codec h264_nvenc", lambda: _codec("h264_nvenc", preset="p4"), needed=False),
        _disk(),
        *_unfinished(),
        *_devices(),
        *_keys(),
        *_headset(),
        *_leader(),
    ]
    marks = {"ok": "ok   ", "note": "note ", "fails": "FAILS"}
    width = max(len(finding.what) for finding in findings)
    lines = [f"{marks[finding.state]}  {finding.what:<{width}}  {finding.detail}" for finding in findings]
    console.result("\n".join(lines), [asdict(finding) for finding in findings])
    return FAILED if any(finding.state == "fails" for finding in findings) else OK


def _tried(what: str, attempt: Callable[[], str], *, needed: bool = True) -> Finding:
    try:
        return Finding(what, "ok", attempt())
    except (StudioError, OSError, ValueError, RuntimeError, subprocess.SubprocessError) as error:
        reason = str(error).splitlines()[0]
        return Finding(what, "fails" if needed else "note", reason if needed else f"not usable here: {reason}")


def _python() -> Finding:
    fits = (3, 12) <= sys.version_info[:2] < (3, 14)
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return Finding("python", "ok" if fits else "fails", detail if fits else f"{detail}; 3.12 or 3.13 is needed")


def _versions() -> list[Finding]:
    found = []
    for package in _PACKAGES:
        try:
            found.append(Finding(package, "ok", version(package)))
        except PackageNotFoundError:
            found.append(Finding(package, "fails", "not installed; run: uv sync"))
    try:
        found.append(Finding("pyopenxr", "ok", version("pyopenxr")))
    except PackageNotFoundError:
        found.append(Finding("pyopenxr", "note", "not installed; for VR run: uv sync --extra vr"))
    return found


def _draw() -> str:
    """Draw one frame in a child, because a broken driver ends the process instead of raising."""
    from recorders.world.gl import require_opengl

    backend = require_opengl()
    code = (
        "import time\n"
        "from recorders.world.scene import Scene\nfrom recorders.world.sim import SimWorld\n"
        "from curation.frames import Placement\n"
        "w = SimWorld(Scene()); o = w.reset(0, Placement(0.337, -0.015)); o.render(); t = time.perf_counter()\n"
        "im = o.render()['overhead_cam']; ms = (time.perf_counter() - t) * 1e3; w.close()\n"
        "assert im.std() > 5, 'the picture is empty'\n"
        "print(f'{ms:.1f}')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    if run.returncode != 0:
        told = (run.stderr.strip().splitlines() or ["no message"])[-1]
        raise StudioError(f"MUJOCO_GL={backend} cannot draw: {told}")
    ms = float(run.stdout.split()[-1])
    paced = "keeps up with 30 fps" if ms < 25 else "too slow for 30 fps; record smaller images"
    return f"MUJOCO_GL={backend}, both cameras at 640x480 in {ms:.1f} ms: {paced}"


def _codec(codec: str, preset: str = "veryfast") -> str:
    """Encode and decode eight frames; a codec that is only listed is not a codec that works."""
    os.environ.setdefault("SVT_LOG", "0")  # or SVT-AV1 prints its settings on stderr
    rng = np.random.default_rng(0)
    base = np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "try.mp4"
        try:
            _encode(path, base, Encoding(codec=codec, preset=preset))
        except CannotWrite as refused:  # the disk is fine; it is the encoder that refuses
            raise StudioError("the encoder is listed but cannot be opened here") from refused
        back = list(read_video(path))
    error = float(np.mean((back[0].astype(float) - base) ** 2))
    return f"8 frames encoded and decoded, PSNR {10 * np.log10(255**2 / max(error, 1e-9)):.1f} dB"


def _encode(path: Path, picture: Image, encoding: Encoding) -> None:
    """Eight frames in which a picture moves sideways."""
    writer = VideoWriter(path, 30, picture.shape[1], picture.shape[0], encoding)
    try:
        for shift in range(8):
            writer.add(np.roll(picture, shift * 4, axis=1))
        writer.close()
    except BaseException:
        writer.abort()
        raise


def _disk() -> Finding:
    folder = data_home().absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    writable = os.access(folder, os.W_OK)
    detail = f"{free:.1f} GB free at {folder}, about {free / _GB_FOR_EPISODES:,.0f} episodes"
    if not writable:
        return Finding("disk", "fails", f"{folder} is not writable; set STUDIO_DATA to a folder that is")
    return Finding("disk", "ok" if free > 2 else "note", detail)


def _unfinished() -> list[Finding]:
    """What killed edits left among the datasets."""
    home = data_home()
    found = []
    for folder in (home, *(path for path in home.glob("*") if path.is_dir())):
        for left in unfinished(folder):
            if left.alive:
                detail = f"{left.path} is being written by process {left.pid}"
            elif left.alive is None:
                detail = f"{left.path} was begun on {left.host} by process {left.pid}; if that ended, delete the folder"
            else:
                detail = f"{left.path} was left by a process that was killed; the next edit there removes it"
            found.append(Finding("unfinished", "note", detail))
    return found


def _devices() -> list[Finding]:
    display = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    gpu = shutil.which("nvidia-smi")
    return [
        Finding("display", "ok" if display else "note", display or "none; everything works headless"),
        Finding("GPU", "ok" if gpu else "note", "nvidia-smi found" if gpu else "none; training will be slow"),
    ]


def _keys() -> list[Finding]:
    """Where a person's keys can come from, the best first."""
    from recorders.devices.choose import describe

    return [Finding(f"keys: {way.keys}", "ok" if way.there else "note", way.detail) for way in describe()]


def _headset() -> list[Finding]:
    """What driving by headset needs, up to what is missing, and the way without any of it."""
    from recorders.devices.openxr.support import describe

    parts = [Finding(f"vr: {part.name}", "ok" if part.there else "note", part.detail) for part in describe()]
    return [*parts, _page()]


def _page() -> Finding:
    """The way that needs nothing installed."""
    from recorders.devices.web.headset import NoNetwork, own_address

    try:
        there = f"--lan serves it at {own_address()}; without --lan over USB"
    except NoNetwork:
        there = "over USB only: this machine is in no network"
    return Finding("vr: browser", "ok", f"a headset's own browser, with --operator vr --headset web; {there}")


def _leader() -> list[Finding]:
    """What driving by a leader arm needs, up to what is missing."""
    from recorders.devices.leader.support import describe

    return [Finding(f"leader: {part.name}", "ok" if part.there else "note", part.detail) for part in describe()]
