"""Six servos of a leader arm on a pseudo terminal: what is said on the wire is what an SO-101's STS3215 say.

Feetech's packets are FF FF, id, length, instruction or error, parameters, checksum (the complement of the sum of all
but the header); numbers are little-endian. Source: Feetech's STS3215 memory table and communication protocol manuals.
"""

from __future__ import annotations

import json
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

import numpy as np

from curation.frames import JOINTS, Vector
from recorders.world.units import JOINT_HIGH, JOINT_LOW

PING, READ, WRITE, SYNC_READ, SYNC_WRITE, EVERYONE = 0x01, 0x02, 0x03, 0x82, 0x83, 0xFE
FIRMWARE, MODEL, LOW_LIMIT, HIGH_LIMIT, OFFSET, POSITION = 0, 3, 9, 11, 31, 56
STS3215 = 777
TICKS = 4096


def ranges() -> list[tuple[int, int]]:
    """Each servo's range as a well-made calibration has it [ticks]; LeRobot gives the roll a whole turn."""
    halves = [round(float(half) / (2 * np.pi) * TICKS) for half in (JOINT_HIGH - JOINT_LOW) / 2]
    return [(0, TICKS - 1) if joint == "wrist_roll" else (2047 - h, 2047 + h) for joint, h in zip(JOINTS, halves)]


def calibrated(folder: Path, name: str = "blue", **changed: object) -> Path:
    """Write LeRobot's calibration of these servos; `changed` are numbers of the elbow's."""
    path = folder / "calibration" / "teleoperators" / "so_leader" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        joint: {"id": k + 1, "drive_mode": 0, "homing_offset": 0, "range_min": low, "range_max": high}
        for k, (joint, (low, high)) in enumerate(zip(JOINTS, ranges()))
    }
    told["elbow_flex"].update(changed)  # type: ignore[arg-type]
    path.write_text(json.dumps(told))
    return path


class ServoBus:
    """A leader arm that is plugged in.

    Args:
        port: path at which its port is found.

    Attributes:
        motion: where the joints are at a time of `time.monotonic()` [s]: shape (6,), degrees and gripper 0..100. The
            angle of the roll may go on beyond half a turn; its encoder does not.
        silent: whether no servo answers, as without power.
        broken: answers to come with a wrong checksum; -1 is all of them.
        answers: that were given.
        delay_s: before each answer.
    """

    def __init__(self, port: Path) -> None:
        self.port = port
        self.motion: Callable[[float], Vector] = lambda now: np.zeros(6)
        self.silent = False
        self.broken = 0
        self.answers = 0
        self.delay_s = 0.0
        self._memory = [bytearray(128) for _ in JOINTS]
        for memory, (low, high) in zip(self._memory, ranges()):
            memory[FIRMWARE : FIRMWARE + 2] = bytes((3, 9))
            memory[MODEL : MODEL + 2] = STS3215.to_bytes(2, "little")
            memory[LOW_LIMIT : LOW_LIMIT + 2] = low.to_bytes(2, "little")
            memory[HIGH_LIMIT : HIGH_LIMIT + 2] = high.to_bytes(2, "little")
        self._over = threading.Event()
        self._ends = (-1, -1)
        self._thread: threading.Thread | None = None
        self.plug()

    def hold(self, joints: Vector) -> None:
        """Keep the joints there."""
        self.motion = lambda now: joints

    def plug(self) -> None:
        """Plug it in."""
        self._ends = pty.openpty()
        tty.setraw(self._ends[1])
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self._ends[1]))
        self._over.clear()
        self._thread = threading.Thread(target=self._serve, args=(self._ends[0],), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Pull the plug."""
        if self._thread is None:
            return
        self._over.set()
        self._thread.join()
        self._thread = None
        self.port.unlink(missing_ok=True)
        for end in self._ends:
            os.close(end)

    close = unplug

    def _serve(self, end: int) -> None:
        heard = b""
        while not self._over.is_set():
            if select.select([end], [], [], 0.05)[0]:
                heard = self._take(end, heard + os.read(end, 4096))

    def _take(self, end: int, heard: bytes) -> bytes:
        """Answer every whole packet; what is left is the beginning of another."""
        while (start := heard.find(b"\xff\xff")) >= 0 and len(heard) >= start + 4:
            packet = heard[start : start + 4 + heard[start + 3]]
            if len(packet) < 4 + packet[3]:
                return heard[start:]
            heard = heard[start + len(packet) :]
            assert packet[-1] == _checksum(packet[2:-1]), f"the SDK sent {packet.hex()}"
            self._obey(end, packet[2], packet[4], packet[5:-1])
        return heard

    def _obey(self, end: int, servo: int, instruction: int, parameters: bytes) -> None:
        if instruction == SYNC_READ:
            for each in parameters[2:]:
                self._answer(end, each, self._read(each, parameters[0], parameters[1]))
        elif servo != EVERYONE and 1 <= servo <= len(JOINTS):
            told = b""
            if instruction == READ:
                told = self._read(servo, parameters[0], parameters[1])
            elif instruction == WRITE:
                self._memory[servo - 1][parameters[0] : parameters[0] + len(parameters) - 1] = parameters[1:]
            self._answer(end, servo, told)

    def _read(self, servo: int, address: int, length: int) -> bytes:
        memory = self._memory[servo - 1]
        memory[POSITION : POSITION + 2] = self._ticks(servo - 1).to_bytes(2, "little")
        return bytes(memory[address : address + length])

    def _ticks(self, joint: int) -> int:
        low, high = ranges()[joint]
        value = float(self.motion(time.monotonic())[joint])
        if JOINTS[joint] == "gripper":
            return round(low + value / 100 * (high - low))
        return round((low + high) / 2 + value * (TICKS - 1) / 360) % TICKS

    def _answer(self, end: int, servo: int, told: bytes) -> None:
        if self.silent:
            return
        time.sleep(self.delay_s)
        said = bytes((servo, len(told) + 2, 0)) + told
        wrong = 1 if self.broken else 0
        self.broken -= self.broken > 0
        self.answers += 1
        os.write(end, b"\xff\xff" + said + bytes(((_checksum(said) + wrong) & 0xFF,)))


def _checksum(said: bytes) -> int:
    return ~sum(said) & 0xFF
