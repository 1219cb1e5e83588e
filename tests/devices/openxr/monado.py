"""Monado, a real OpenXR runtime, with controllers that a test moves: its "remote" driver.

It comes with Debian 13 (`apt-get install monado-service libopenxr1-monado mesa-vulkan-drivers`). Elsewhere unpack those
packages and what they need into a folder and name it: STUDIO_MONADO=FOLDER. Its programs then run under their own libc.
The driver listens on all interfaces, so service and sender have a network of their own (`unshare -rn`).
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from recorders.devices.controller import Button, ControllerSample, Side

FOLDER = os.environ.get("STUDIO_MONADO", "/")
LIBRARIES = "usr/lib/x86_64-linux-gnu"
POSE, NUMBERS = struct.Struct("<7f"), struct.Struct("<11f8f")
START_S = 20.0
RELAY = """
import socket, subprocess, sys, time
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
service = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
while True:
    try:
        line = socket.create_connection(("127.0.0.1", 4242), 1)
        break
    except OSError:
        assert service.poll() is None, "monado-service ended"
        time.sleep(0.05)
print(service.pid, flush=True)
while data := sys.stdin.buffer.read1():
    line.sendall(data)
service.kill()
"""


def require_monado() -> None:
    """Skip, loudly, where there is no Monado."""
    if not (Path(FOLDER) / "usr/bin/monado-service").exists() or shutil.which("unshare") is None:
        pytest.skip("no Monado: install Debian 13's, or name a folder it is unpacked in, STUDIO_MONADO=FOLDER")


class Monado:
    """The service and what its controllers do.

    Args:
        folder: for its socket and manifests.

    Attributes:
        surroundings: of clients.
        python: starts an interpreter that can load the runtime.
        hands: what each hand does.
    """

    def __init__(self, folder: Path) -> None:
        root = Path(FOLDER)
        libraries = root / LIBRARIES
        runtime = {"name": "Monado", "library_path": str(libraries / "libopenxr_monado.so")}
        (folder / "runtime.json").write_text(json.dumps({"file_format_version": "1.0.0", "runtime": runtime}))
        driver = {"api_version": "1.4.305", "library_path": str(libraries / "libvulkan_lvp.so")}
        (folder / "vulkan.json").write_text(json.dumps({"ICD": driver, "file_format_version": "1.0.1"}))
        self.surroundings: Mapping[str, str] = {
            "XDG_RUNTIME_DIR": str(folder),
            "XR_RUNTIME_JSON": str(folder / "runtime.json"),
            "VK_DRIVER_FILES": str(folder / "vulkan.json"),
            "XRT_COMPOSITOR_NULL": "1",
            "P_OVERRIDE_ACTIVE_CONFIG": "remote",
        }
        self._folder = folder
        self._loader = [] if FOLDER == "/" else [
            str(root / "usr/lib64/ld-linux-x86-64.so.2"), "--library-path",
            ":".join(str(libraries / name) for name in ("", "../", "pulseaudio", "blas", "lapack")),
        ]  # fmt: skip
        self.python = self._wrap()
        self.hands: dict[Side, tuple[ControllerSample, bool]] = {
            hand: (ControllerSample(0.0, hand, (0.2, 1.1, -0.4), tracked=True), True) for hand in ("left", "right")
        }
        self.start()

    def start(self) -> None:
        """Start the service."""
        for name in ("monado_comp_ipc", "monado.pid"):
            (self._folder / name).unlink(missing_ok=True)
        service = [*self._loader, str(Path(FOLDER) / "usr/bin/monado-service")]
        self._relay = subprocess.Popen(
            ["unshare", "-rn", sys.executable, "-c", RELAY, *service],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **self.surroundings},
        )  # fmt: skip
        assert self._relay.stdout is not None
        self._service = int(self._relay.stdout.readline())
        end = time.monotonic() + START_S
        while not (self._folder / "monado_comp_ipc").exists():
            assert time.monotonic() < end, "monado-service opened no socket"
            time.sleep(0.02)
        self._send()

    def move(self, sample: ControllerSample) -> None:
        """Let a hand be like this."""
        self.hands[sample.hand] = sample, True
        self._send()

    def kill(self) -> None:
        """Kill the service, as a crash would."""
        os.kill(self._service, 9)
        self._end()

    def close(self) -> None:
        """End everything."""
        if self._relay.poll() is None:
            self.kill()

    def _end(self) -> None:
        self._relay.kill()
        for stream in (self._relay.stdin, self._relay.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()
        self._relay.wait()

    def _send(self) -> None:
        if self._relay.poll() is not None:
            return
        view = struct.pack("<4f", -0.7, 0.7, 0.7, -0.7) + _pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0)) + bytes(4)
        head = view + view + _pose((0.0, 1.6, 0.0), (0.0, 0.0, 0.0, 1.0)) + bytes(4)
        assert self._relay.stdin is not None
        # Killed meanwhile, it has no ears: a broken pipe, or one that was closed.
        with suppress(BrokenPipeError, ValueError):
            self._relay.stdin.write(b"mndrmt3\0" + head + _hand(self.hands["left"][0]) + _hand(self.hands["right"][0]))
            self._relay.stdin.flush()

    def _wrap(self) -> Path:
        """A program that starts this interpreter, with the packages of this environment, under the runtime's libc."""
        path = self._folder / "python"
        packages = sysconfig.get_paths()["purelib"]
        words = " ".join([*self._loader, str(Path(sys.executable).resolve())])
        path.write_text(f'#!/bin/sh\nexport PYTHONPATH="{packages}:$PYTHONPATH"\nexec {words} "$@"\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path


def _pose(position: tuple[float, ...], rotation: tuple[float, ...]) -> bytes:
    return POSE.pack(*rotation, *position)


def _hand(sample: ControllerSample) -> bytes:
    """One controller of a packet of the remote driver: pose, speeds, curls, trigger, squeeze, stick, buttons."""
    numbers = NUMBERS.pack(*[0.0] * 11, sample.trigger, sample.squeeze, 0.0, *sample.stick, 0.0, 0.0, 0.0)
    down = [int(button in sample.buttons) for button in (Button.LOWER, Button.UPPER, Button.STICK)]
    lower, upper, stick = down
    flags = bytes([1, 1, 0, 0, lower, 0, upper, 0, 0, 0, 0, 0, stick, 0, 0, 0])
    return _pose(sample.position, sample.rotation) + numbers + flags
