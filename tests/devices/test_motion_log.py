"""What a controller said comes back as it was said."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from curation.errors import BrokenMotionLog, TargetExists
from recorders.devices.controller import Batch, Button, ControllerSample, Pulse
from recorders.devices.motion_log import Logged, Replayed
from tests.operators.controller.phantom import Scripted

ROOT = Path(__file__).parents[2]
SAMPLE = ControllerSample(
    0.1 + 0.2, "left", (1 / 3, -2.0, math.pi), (0.0, 0.6, 0.0, 0.8), tracked=True, squeeze=0.123456789, trigger=1.0,
    stick=(-1.0, 0.25), buttons=frozenset({Button.LOWER, Button.STICK}),
)  # fmt: skip
BATCHES = [
    Batch(0.4, (SAMPLE,), ("The headset is ready.",)),
    Batch(0.5),
    Batch(0.6, (ControllerSample(0.55, "left", (math.nan, 0.0, 0.0)),)),
]


def logged(path: Path) -> list[Batch]:
    source = Scripted(BATCHES)
    log = Logged(source, path, "left")
    log.open()
    taken = [log.take() for _ in BATCHES]
    log.pulse(Pulse(1.0, 0.1))
    assert source.felt
    log.close()
    return taken


def test_a_log_says_again_what_was_said_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "hand.jsonl"
    assert logged(path) == BATCHES
    source = Replayed(path)
    again = [source.take() for _ in BATCHES]
    assert again[:2] == BATCHES[:2]
    assert repr(again[2]) == repr(BATCHES[2])
    over = [source.take(), source.take()]
    assert all(batch.over and not batch.samples for batch in over)
    assert 0.6 < over[0].now < over[1].now
    assert [bool(batch.said) for batch in over] == [True, False]


def test_a_log_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "hand.jsonl"
    path.write_text("mine")
    with pytest.raises(TargetExists, match="--motion-log"):
        Logged(Scripted(), path, "right")
    assert path.read_text() == "mine"


FULL = """
import resource, signal
from pathlib import Path
import pytest
import tests
tests.__path__.insert(0, "tests")
from curation.errors import CannotWrite
from recorders.devices.motion_log import Logged
from tests.devices.test_motion_log import BATCHES
from tests.operators.controller.phantom import Scripted

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = Logged(Scripted(BATCHES * 100), Path(PATH), "left")
log.open()
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
with pytest.raises(CannotWrite, match="hand.jsonl"):
    for _ in range(300):
        log.take()
log.close()
"""


def test_a_disk_that_is_full_is_told_once(tmp_path: Path) -> None:
    """In a process of its own, whose files may not grow."""
    script = f"PATH = {str(tmp_path / 'hand.jsonl')!r}\n{FULL}"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Replayed(tmp_path / "hand.jsonl").take() == BATCHES[0]


def test_a_last_line_that_was_cut_off_is_left_out_and_other_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "hand.jsonl"
    logged(path)
    whole = path.read_text()
    path.write_text(whole[:-20])
    source = Replayed(path)
    assert [source.take() for _ in range(2)] == BATCHES[:2]
    assert source.take().over
    lines = whole.splitlines()
    path.write_text("\n".join([lines[0], "rubbish", *lines[2:]]))
    with pytest.raises(BrokenMotionLog, match="line 2"):
        Replayed(path)
    for text in ("", "{}", "rubbish", '{"motion_log": 99, "hand": "left"}'):
        path.write_text(text)
        with pytest.raises(BrokenMotionLog, match="line 1"):
            Replayed(path)
    with pytest.raises(BrokenMotionLog):
        Replayed(tmp_path / "nowhere")
