"""What may be asked of a headset, and the code by which its browser finds the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from curation.errors import UsageError
from studio.qr import QUIET, modules, qr
from studio.verbs.asked import Asked
from studio.verbs.record import Record, require_device

ADDRESS = "https://192.168.178.123:8443/abcdefghjk/"


@pytest.mark.parametrize(
    ("operator", "asked", "words"),
    [
        ("keyboard", {"headset": "web"}, "--headset web is for --operator vr; keyboard has no controller"),
        ("expert", {"motion": Path("a.jsonl")}, "--motion a.jsonl is for --operator vr"),
        ("vr", {"lan": True}, "--lan and --page-port are for --headset web"),
        ("keyboard", {"page_port": 9000}, "--lan and --page-port are for --headset web"),
        ("vr", {"headset": "web", "motion": Path("a.jsonl")}, "leave --headset web away"),
        ("vr", {"headset": "web", "page_port": 70000}, "--page-port 70000 is none; valid: 1 to 65535"),
    ],
)
def test_what_is_asked_of_a_headset_needs_one(operator: str, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        require_device(Record(recording=Asked(to="mine", operator=operator), **asked))


def test_a_headset_of_either_kind_may_be_asked_for() -> None:
    for asked in (
        {},
        {"headset": "web"},
        {"headset": "web", "lan": True, "page_port": 0, "motion_log": Path("a.jsonl")},
    ):
        require_device(Record(recording=Asked(to="mine", operator="vr"), **asked))


def test_a_camera_reads_the_code() -> None:
    rows = modules(ADDRESS).splitlines()
    light = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    cells = np.array([[light[cell] for cell in row] for row in rows], dtype=np.uint8)
    image = 255 * cells.transpose(0, 2, 1).reshape(2 * len(rows), -1)
    seen = np.pad(np.kron(image, np.ones((8, 8), np.uint8)), 8 * QUIET, constant_values=255)
    assert cv2.QRCodeDetector().detectAndDecode(seen)[0] == ADDRESS
    assert len(rows) <= 18
    assert len(rows[0]) <= 78
    assert qr(ADDRESS).count("\x1b[97;40m") == len(rows), "light on dark, whatever the terminal's colours are"
