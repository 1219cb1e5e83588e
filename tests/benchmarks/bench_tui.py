"""Does the screen slow the arm? The control loop under the record screen with two live views, against none.

Both record the same twenty seconds a take with the scripted expert in real time, on this machine, one after the other.

    .venv/bin/python tests/benchmarks/bench_tui.py [--takes 10]
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "end_to_end"))

from tmux import Terminal, require_tmux

from curation.store import Store
from recorders.sidecar import read_sidecar

BIN = Path(sys.executable).parent
PERIOD_MS = 1000 / 30


def bare(folder: Path, takes: int) -> Path:
    """Recorded by the plain command."""
    words = ["record", "--to", str(folder / "bare"), "--at", "0.337", "-0.015", "-n", str(takes)]
    subprocess.run([BIN / "studio", *words], check=True, capture_output=True, timeout=1200)
    return folder / "bare"


def screen(folder: Path, takes: int, columns: int, lines: int) -> Path:
    """Recorded under the record screen, driven by keys."""
    name = f"screen{columns}"
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment = {**kept, "STUDIO_DATA": str(folder), "STUDIO_RUNS": str(folder / "runs"), "LC_ALL": "C.UTF-8"}
    place = folder / name
    (folder / f"tmux{columns}").mkdir()
    terminal = Terminal(folder / f"tmux{columns}", columns, lines, [str(BIN / "studio")], environment)
    try:
        terminal.shows("Datasets|No datasets")
        terminal.type("n")
        terminal.shows("new recording")
        terminal.write(name)
        for key in ("Down", "Left", *["Down"] * 4, "BSpace", "BSpace", *str(takes)):
            terminal.type(key)
            time.sleep(0.1)
        terminal.shows(rf"--episodes {takes}")
        terminal.type("Enter")
        terminal.shows(rf"holds {takes} episodes", within_s=60 + 12 * takes)
    finally:
        terminal.end()
    return place


def measured(root: Path) -> str:
    """One row of the table."""
    store = Store.open(root)
    takes = [read_sidecar(episode.frames) for episode in store.episodes]
    gaps = np.concatenate([np.diff(take.wall_s) for take in takes]) * 1e3
    late = np.concatenate([take.late for take in takes])
    work = [float(row.extra["tick_p99_ms"]) for row in store.rows()]
    worst = [float(row.extra["tick_max_ms"]) for row in store.rows()]
    p99 = np.percentile(gaps, 99)
    return (
        f"{root.name:<12} {len(takes):>5} {len(late):>7} {np.median(work):>10.1f} {max(work):>10.1f} "
        f"{max(worst):>9.1f} {p99:>12.2f} {gaps.max():>9.1f} {int(late.sum()):>5} ({100 * late.mean():.2f} %)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--takes", type=int, default=10)
    takes = parser.parse_args().takes
    require_tmux()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        roots = [bare(folder, takes), screen(folder, takes, 80, 24), screen(folder, takes, 200, 50)]
        print(f"{os.cpu_count()} cores, frame period {PERIOD_MS:.1f} ms; work is of one frame, in ms")
        print("under        takes  frames  p99 median  p99 worst  max work  interval p99  max gap  late")
        for root in roots:
            print(re.sub(r"^bare ", "no screen", measured(root)))


if __name__ == "__main__":
    main()
