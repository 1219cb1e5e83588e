"""Real time with a preview: how long the work of a frame takes, and how many frames are late.

    .venv/bin/python tests/benchmarks/bench_realtime.py [--minutes 10]

Runs `studio record` with the scripted expert on the wall clock in a pseudo-terminal that shows the preview, with the
drawing queue working between takes, and reads the timing back from the dataset.
"""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from curation.store import Store
from recorders.sidecar import read_sidecar

SECONDS_A_TAKE = 6.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "realtime"
        wall = _record(root, round(minutes * 60 / SECONDS_A_TAKE))
        _report(root, wall)


def _record(root: Path, episodes: int) -> float:
    shown, terminal = pty.openpty()
    threading.Thread(target=_drain, args=(shown,), daemon=True).start()
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "studio.cli", "record", "--to", str(root), "-n", str(episodes), "--preview",
         "--pause", "1", "--at", "0.337", "-0.015", "--jitter", "0.02"],
        check=True, stdout=subprocess.DEVNULL, stderr=terminal,
    )  # fmt: skip
    return time.monotonic() - began


def _drain(shown: int) -> None:
    while os.read(shown, 65536):
        pass


def _report(root: Path, wall: float) -> None:
    store = Store.open(root)
    extras = [row.extra for row in store.rows()]
    takes = [read_sidecar(store.episode(index).frames) for index in range(store.total_episodes)]
    frames, late = sum(map(len, takes)), sum(int(take.late.sum()) for take in takes)
    p99 = np.array([extra["tick_p99_ms"] for extra in extras])
    gaps = np.concatenate([np.diff(take.wall_s) for take in takes]) * 1e3
    print(f"episodes {len(takes)}, frames {frames} ({frames / 30:.0f} s recorded in {wall:.0f} s)")
    print(f"late frames {late} ({100 * late / frames:.3f} %), worst episode {max(int(t.late.sum()) for t in takes)}")
    print(f"work per frame: median {np.median([e['tick_median_ms'] for e in extras]):.1f} ms, "
          f"p99 median over episodes {np.median(p99):.1f} ms, worst episode's p99 {p99.max():.1f} ms, "
          f"worst frame {max(e['tick_max_ms'] for e in extras):.1f} ms")  # fmt: skip
    print(f"frame interval: median {np.median(gaps):.2f} ms, p99 {np.percentile(gaps, 99):.2f} ms")


if __name__ == "__main__":
    main()
