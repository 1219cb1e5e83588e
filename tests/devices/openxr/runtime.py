"""The test-only OpenXR runtime: compiled once, and moved by a test through a file that both map."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import struct
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from recorders.devices.controller import Button, ControllerSample, Side

SOURCE = Path(__file__).with_name("runtime.c")
MAGIC = 0x53545852
HEAD = struct.Struct("=8I")
HAND = struct.Struct("=11f5I")
ANSWER = struct.Struct("=2I2f2q2I")
HANDS: tuple[Side, Side] = ("left", "right")
VISIBLE, FOCUSED, STOPPING, LOSS_PENDING = 4, 5, 6, 7
"""XrSessionState."""
NOTHING, TOUCH, INDEX, SIMPLE, MOTION, VIVE = range(6)
WELL, DEAD, HANGS, FLOODS = range(4)


def require_runtime() -> None:
    """Skip, loudly, where the runtime cannot be built; in continuous integration that is a failure."""
    missing = [] if shutil.which("cc") else ["gcc"]
    if not Path("/usr/include/openxr/openxr.h").exists():
        missing.append("libopenxr-dev")
    if not missing and sys.platform == "linux":
        return
    text = f"not installed: {', '.join(missing)}. Run .ci/setup, or: apt-get install -y gcc libopenxr-dev"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def build(folder: Path) -> Path:
    """Compile the runtime; returns its manifest, which XR_RUNTIME_JSON names."""
    require_runtime()
    library = folder / "libruntime.so"
    words = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-o", str(library)]
    subprocess.run([*words, str(SOURCE)], check=True, timeout=120)
    manifest = folder / "runtime.json"
    runtime = {"name": "test", "library_path": str(library)}
    manifest.write_text(json.dumps({"file_format_version": "1.0.0", "runtime": runtime}))
    return manifest


class Runtime:
    """What the headset does, and what was asked of it.

    Args:
        path: of the file that the runtime maps, named by STUDIO_TEST_XR.
    """

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(4096))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), 4096)
        self._generation = 0
        self._lock = threading.Lock()
        self.head: dict[str, int] = {
            "wanted": FOCUSED, "profile": TOUCH, "health": WELL, "headless": 1, "headset": 1, "recentred": 0
        }  # fmt: skip
        self.hands: dict[Side, tuple[ControllerSample, bool]] = {hand: (_resting(hand), True) for hand in HANDS}
        self.set()

    def set(self, **head: int) -> None:
        """Change what the headset does: wanted session state, profile, health, headless, headset, recentred."""
        with self._lock:
            self.head |= head
            self._flush()

    def move(self, sample: ControllerSample, *, active: bool = True) -> None:
        """Let a hand be like this; not active is a controller that is off."""
        with self._lock:
            self.hands[sample.hand] = sample, active
            self._flush()

    def lose(self, hand: Side = "right", *, active: bool = True) -> None:
        """Let the runtime lose sight of a hand."""
        sample, _ = self.hands[hand]
        self.move(replace(sample, tracked=False), active=active)

    @property
    def pulses(self) -> dict[Side, int]:
        """How often each hand vibrated."""
        return dict(zip(HANDS, self._answer()[:2], strict=True))

    def felt(self, hand: Side = "right") -> tuple[float, float]:
        """Strength and seconds of the last vibration."""
        answer, side = self._answer(), HANDS.index(hand)
        return round(answer[2 + side], 3), answer[4 + side] / 1e9

    @property
    def sessions(self) -> int:
        """How many sessions there were."""
        return int(self._answer()[7])

    def close(self) -> None:
        self._map.close()
        self._file.close()

    def _answer(self) -> tuple[Any, ...]:
        return ANSWER.unpack_from(self._map, HEAD.size + 2 * HAND.size)

    def _flush(self) -> None:
        head = (self.head[name] for name in ("wanted", "profile", "health", "headless", "headset", "recentred"))
        self._generation += 1
        HEAD.pack_into(self._map, 0, MAGIC, self._generation, *head)
        for side, hand in enumerate(HANDS):
            sample, active = self.hands[hand]
            down = [int(button in sample.buttons) for button in (Button.LOWER, Button.UPPER, Button.STICK)]
            HAND.pack_into(
                self._map, HEAD.size + side * HAND.size, *sample.position, *sample.rotation, sample.trigger,
                sample.squeeze, *sample.stick, int(active), int(sample.tracked), *down,
            )  # fmt: skip
        self._generation += 1
        struct.pack_into("=I", self._map, 4, self._generation)


def _resting(hand: Side) -> ControllerSample:
    return ControllerSample(0.0, hand, (0.2, 1.1, -0.4), tracked=True)


class Movable(Protocol):
    """A runtime whose hands can be moved."""

    def move(self, sample: ControllerSample) -> None: ...


@contextmanager
def moving(runtime: Movable, at: Callable[[float], ControllerSample], seconds: float) -> Iterator[threading.Thread]:
    """Move a hand in real time beside what the block does, a hundred times a second.

    A hand does not jump: while a busy machine holds this thread up, the hand stands.
    """
    stop = threading.Event()

    def move() -> None:
        now, last = 0.0, time.perf_counter()
        while now < seconds and not stop.is_set():
            runtime.move(at(now))
            time.sleep(0.01)
            last, passed = time.perf_counter(), time.perf_counter() - last
            now += min(passed, 0.02)

    thread = threading.Thread(target=move, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join()


def validation(log: Path) -> dict[str, str]:
    """Surroundings in which Khronos' core_validation layer, which pyopenxr brings, watches every call."""
    layers = Path(sysconfig.get_paths()["purelib"]) / "xr" / "api_layer" / "linux_x86_64"
    return {
        "XR_API_LAYER_PATH": str(layers),
        "XR_ENABLE_API_LAYERS": "XR_APILAYER_LUNARG_core_validation",
        "XR_CORE_VALIDATION_EXPORT_TYPE": "text",
        "XR_CORE_VALIDATION_FILE_NAME": str(log),
    }
