"""Reading training frames: from the cache of decoded images beside LeRobot's video decoding, in one run.

    .venv/bin/python tests/benchmarks/bench_training.py DATASET [--items 500] [--resize 96x128] [--folder /big/disk]

DATASET has cameras. Items are read in a random order, one process, as a training without workers reads them; making the
cache is timed by itself. LeRobot decodes with what it finds: torchcodec, or else PyAV.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from curation.fingerprint import fingerprint
from curation.store import Store

CHUNK = 40


def main() -> None:
    """Print items a second of both."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("dataset", type=Path)
    asked.add_argument("--items", type=int, default=500)
    asked.add_argument("--resize", default="")
    asked.add_argument("--folder", type=Path, default=None)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        os.environ |= {"STUDIO_CACHE": folder, "HF_DATASETS_CACHE": folder, "HF_HUB_OFFLINE": "1"}
        from lerobot.datasets import LeRobotDataset

        from training.frames_cache import frames_cache
        from training.frames_reader import reader

        store = Store.open(options.dataset)
        size = tuple(map(int, options.resize.split("x"))) if options.resize else None
        deltas = {"action": [frame / store.fps for frame in range(CHUNK)]}
        began = time.monotonic()
        cache = frames_cache(store, fingerprint(store), size)  # type: ignore[arg-type]
        print(f"cache of {cache.frames} frames, {len(cache.sizes)} cameras: made in {time.monotonic() - began:.1f} s")
        dataset = LeRobotDataset("bench/data", root=options.dataset, delta_timestamps=deltas, return_uint8=True)
        order = np.random.default_rng(0).permutation(len(dataset))[: options.items]
        theirs = timed(dataset, order)
        reader(cache)(dataset)
        ours = timed(dataset, order)
        print(f"LeRobot: {theirs:8.1f} items/s\ncache:   {ours:8.1f} items/s\n{ours / theirs:.1f} times as fast")


def timed(dataset: Any, order: Any) -> float:
    """Items a second."""
    dataset[int(order[0])]
    began = time.monotonic()
    for index in order:
        dataset[int(index)]
    return len(order) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
