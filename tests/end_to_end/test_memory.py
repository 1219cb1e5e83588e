"""Memory stays flat however many episodes are generated."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_memory_is_flat_over_500_episodes(tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "studio.cli", "generate", "--to", str(tmp_path / "many"), "-n", "500",
        "--at", "0.337", "-0.015", "--jitter", "0.02", "--width", "64", "--height", "48",
    ]  # fmt: skip
    used: dict[int, float] = {}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            saved = re.search(r"saved episode (\d+)", line)
            if saved:
                used[int(saved[1])] = _tree_megabytes(process.pid)
    assert process.returncode == 0
    assert len(used) == 500
    early = float(np.median([used[i] for i in range(50, 150)]))
    late = float(np.median([used[i] for i in range(400, 500)]))
    print(f"memory of all processes: {early:.0f} MB around episode 100, {late:.0f} MB around episode 450")
    # 350 episodes of 150 rows keep 25 MB of numbers for exact quantiles; anything like a leaked frame would be GBs.
    assert late - early < 60


def _tree_megabytes(pid: int) -> float:
    parent = psutil.Process(pid)
    total = 0
    for process in [parent, *parent.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6
