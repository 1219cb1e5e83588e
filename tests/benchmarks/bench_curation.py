"""Edits of a month's data beside `cp -r` and beside LeRobot's own functions, in one run.

    .venv/bin/python tests/benchmarks/bench_curation.py [--episodes 200] [--without-peer] [--folder /big/disk]

Episodes of 150 frames and two cameras of 640x480. Ours are whole commands, from the start of Python to a result that is
proved against its sources and flushed to the disk; LeRobot's are its functions alone, without ten seconds of imports.
Everything lies in the page cache before it is measured, for all alike.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.episodes import EpisodeRow, stage
from curation.frames import Feature
from curation.stats import ImageStats
from curation.store import Store
from curation.video import Encoding, VideoWriter, read_video
from recorders.journal import Take
from recorders.sidecar import write_sidecar

FRAMES, DISTINCT, FPS = 150, 4, 30
PEER = """
import json, os, sys, time, warnings
warnings.simplefilter("ignore")
from pathlib import Path
import lerobot.datasets as L
from lerobot.datasets.dataset_tools import recompute_stats
what, *names = sys.argv[1:]
opened = [L.LeRobotDataset("bench/" + Path(name).name, root=name, video_backend="pyav") for name in names[:-1]]
to = Path(names[-1])
began = time.monotonic()
if what == "merge":
    L.merge_datasets(opened, output_repo_id="bench/new", output_dir=to)
elif what == "delete":
    L.delete_episodes(opened[0], list(range(5, 5 + int(os.environ["DELETE"]))), output_dir=to, repo_id="bench/new")
elif what == "split":
    L.split_dataset(opened[0], {"train": 0.8, "test": 0.2}, output_dir=to)
elif what == "stats":
    recompute_stats(opened[0])
os.sync()
print(json.dumps(time.monotonic() - began))
"""


@dataclass(frozen=True)
class Timed:
    """What a command took: wall-clock seconds and the most memory of its largest process [MB]."""

    wall: float
    rss: int


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    # As a person has it after the first start: modules are compiled once, not at every command.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder, count = Path(name), asked.episodes
        sources = scenes(folder)
        halves = [made(folder / half, sources, count // 2, number) for number, half in enumerate("ab")]
        whole = folder / "whole"
        ours = compare_copying(folder, halves, whole)
        ours |= compare_rest(whole, count)
        scaling(folder, sources, count)
        if not asked.without_peer:
            peers(folder, halves, whole, count, ours)


def compare_copying(folder: Path, halves: list[Path], whole: Path) -> dict[str, Timed]:
    """Merge first: what it makes is what the rest works on."""
    megabytes = sum(path.stat().st_size for half in halves for path in half.rglob("*")) / 1e6
    copied = best(lambda: run("cp", "-r", *halves, folder / "copy"), folder / "copy", before=(folder / "copy").mkdir)
    told(f"cp -r of both halves ({megabytes:.0f} MB)", copied)
    merged = best(lambda: studio("merge", *halves, "--to", whole), whole, keep=True)
    told("studio merge", merged, copied)
    one = best(lambda: run("cp", "-r", whole, folder / "copy"), folder / "copy")
    told("cp -r of the whole", one)
    new = whole.with_name("new")
    dropped = best(lambda: studio("drop", whole, *doomed(whole), "--to", new), new)
    told("studio drop, 1 episode in 10", dropped, one)
    parts = [whole.with_name(f"new-{part}") for part in ("train", "test")]
    halved = best(lambda: studio("split", whole, "train=0.8", "test=0.2", "--to", new), *parts)
    told("studio split 80/20", halved, one)
    trimmed = best(lambda: studio("trim", whole, "--frames", 10, 140, "--to", new), new, times=1)
    told("studio trim at key frames, 130 of 150 frames, image statistics made anew", trimmed, one)
    return {"merge": merged, "delete": dropped, "split": halved}


def compare_rest(whole: Path, count: int) -> dict[str, Timed]:
    few = [str(number) for number in range(min(10, count))]
    new = whole.with_name("new")
    cut = studio("trim", whole, "--frames", 11, 139, "--episodes", *few, "--to", new)
    shutil.rmtree(new)
    told(f"studio trim between key frames, {len(few)} episodes encoded anew", cut)
    stats = studio("stats", whole, "--verify")
    told("studio stats --verify, images from kept histograms", stats)
    told("studio check", studio("check", whole, fails=True))
    return {"stats": stats}


def scaling(folder: Path, sources: list[Any], count: int) -> None:
    """Cost must grow with the data and memory must not."""
    for share in (4, 2, 1):
        halves = [made(folder / f"{half}{share}", sources, count // share // 2, n) for n, half in enumerate("ab")]
        took = best(lambda halves=halves: studio("merge", *halves, "--to", folder / "new"), folder / "new")
        per = 1000 * took.wall / (count // share)
        told(f"studio merge of {count // share} episodes: {per:.1f} ms an episode", took)
        for half in halves:
            shutil.rmtree(half)


def peers(folder: Path, halves: list[Path], whole: Path, count: int, ours: dict[str, Timed]) -> None:
    """LeRobot on our datasets, with a video for each episode, and on those it makes of them, with videos joined."""
    joined = folder / "joined"
    os.environ["DELETE"] = str(len(doomed(whole)))
    told_peer("merge", peer("merge", *halves, joined), ours["merge"])
    new = folder / "new"
    for what in ("delete", "split"):
        told_peer(f"{what}, a video an episode", peer(what, whole, new), ours[what])
        shutil.rmtree(new)
    told_peer("recompute_stats, numbers only", peer("stats", whole, new), ours["stats"])
    # The same compressed frames are cut out of its long videos, where LeRobot encodes the rest of a file anew.
    dropped = best(lambda: studio("drop", joined, *doomed(joined), "--to", new), new)
    told("studio drop from joined videos", dropped)
    told_peer("delete, joined videos", peer("delete", joined, new), dropped)


def doomed(root: Path) -> list[str]:
    """One episode in ten, on end."""
    total = json.loads((root / "meta/info.json").read_text())["total_episodes"]
    return [str(number) for number in range(5, 5 + total // 10)]


# Making data.


def scenes(folder: Path) -> list[tuple[dict[str, Any], dict[str, Path], dict[str, ImageStats]]]:
    """A few episodes of the scripted expert: numbers, videos and their statistics, made `FRAMES` long."""
    studio("generate", "-n", DISTINCT, "--at", 0.337, -0.015, "--jitter", 0.02, "--to", folder / "seen", yes=False)
    store, found = Store.open(folder / "seen"), []
    for episode in store.episodes:
        numbers = {key: _long(values) for key, values in store.numeric(episode.index).items()}
        videos, stats = {}, {}
        for key, path in episode.videos.items():
            images = list(read_video(path))
            videos[key], stats[key] = folder / f"{episode.index}-{key}.mp4", ImageStats()
            height, width = images[0].shape[:2]
            writer = VideoWriter(videos[key], FPS, width, height, Encoding())
            for image in _long(np.stack(images)):
                writer.add(image)
                stats[key].add(image)
            writer.close()
        found.append((numbers, videos, stats))
    return found


def made(root: Path, sources: list[Any], episodes: int, part: int) -> Path:
    """A dataset whose episodes take turns with the pictures; its numbers are all different."""
    features = {key: Feature("float32", values.shape[1:], ()) for key, values in sources[0][0].items()}
    features |= {key: Feature("video", (480, 640, 3), ("height", "width", "channels")) for key in sources[0][1]}
    card = {"fingerprint": "bench", "scene": {}, "units": {"body": "degrees", "gripper": "0..100"}}
    store = Store.create(root, fps=FPS, features=features, robot_type="so_follower", scene=card, encoding=Encoding())
    rng = np.random.default_rng(part)
    for number in range(episodes):
        numbers, videos, stats = sources[number % len(sources)]
        own = {key: (values + rng.normal(0, 0.2, values.shape)).astype(np.float32) for key, values in numbers.items()}
        own = {key: values.clip(0.0, 99.0) if values.min() >= 0 else values for key, values in own.items()}
        name = f"bench-{root.name}-{number}"
        folder = root.with_name("stage")
        folder.mkdir()
        for key, path in videos.items():
            shutil.copyfile(path, folder / f"{key}.mp4")
        write_sidecar(folder / "frames.parquet", _take(name, own))
        row = EpisodeRow(
            episode_id=name, x=0.3 + 0.0005 * number, y=0.0, yaw_deg=0.0, seed=number, operator="expert",
            outcome="success", success=True, extra={"success_s": 4.5, "started": "2026-11-20T10:00:00"},
        )  # fmt: skip
        store.commit(stage(folder, row=row, task="Pick up the red cube", numeric=own, images=stats))
        shutil.rmtree(folder, ignore_errors=True)
    return root


def _take(name: str, numbers: dict[str, Any]) -> Take:
    return Take(
        header={"episode_id": name, "placement": {"x": 0.3, "y": 0.0, "yaw_deg": 0.0}, "seed": 1},
        state=numbers["observation.state"].astype(np.float64),
        action=numbers["action"].astype(np.float64),
        physics=np.arange(FRAMES * 40, dtype=np.float64).reshape(FRAMES, 40),
        by=("expert",) * FRAMES,
        phase=("reach",) * FRAMES,
        wall_s=np.arange(FRAMES) / FPS,
        late=np.zeros(FRAMES, bool),
        footer={"end": "success", "outcome": "success", "frames": FRAMES},
    )


def _long(values: Any) -> Any:
    """The first `FRAMES`, the last one repeated where there are fewer."""
    return values[np.minimum(np.arange(FRAMES), len(values) - 1)]


# Measuring.


def best(work: Any, *made: Path, before: Any = None, keep: bool = False, times: int = 2) -> Timed:
    """The fastest of some runs; what they make is removed."""
    found = []
    for number in range(times):
        if before is not None:
            before()
        found.append(work())
        if not (keep and number == times - 1):
            for path in made:
                shutil.rmtree(path)
    return min(found, key=lambda one: one.wall)


def studio(*arguments: object, yes: bool = True, fails: bool = False) -> Timed:
    verb = str(arguments[0])
    more = ("-y",) if yes and verb in ("merge", "drop", "split", "trim") else ()
    return run(sys.executable, "-m", "studio.cli", *arguments, *more, fails=fails)


def run(*command: object, fails: bool = False) -> Timed:
    os.sync()
    began = time.monotonic()
    child = subprocess.Popen(
        [str(word) for word in command], env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    memory = _Memory(child.pid)
    memory.start()
    _, said = child.communicate()
    if command[0] == "cp":
        os.sync()
    wall = time.monotonic() - began
    memory.join()
    if child.returncode and not fails:
        raise SystemExit(f"{command}: {said.decode(errors='replace')[-2000:]}")
    return Timed(wall, memory.most >> 10)


def _environment() -> dict[str, str]:
    """With compiled modules kept, as everybody has them but who forbids it."""
    own = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**own, "HF_HUB_OFFLINE": "1", "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "studio-bench-pyc")}


class _Memory(threading.Thread):
    """Watches how much memory a process has had [KiB], until it ends. The system's own count of a child that ended
    includes what its parent had when it was started."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.most = 0
        self._status = Path(f"/proc/{pid}/status")

    def run(self) -> None:
        while True:
            try:
                lines = self._status.read_text().splitlines()
            except OSError:
                return
            high = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
            if not high:  # a process that ended and was not waited for yet has no memory
                return
            self.most = max(self.most, *high)
            time.sleep(0.01)


def peer(what: str, *paths: Path) -> Timed:
    environment = {**_environment(), "HF_DATASETS_CACHE": str(paths[0].with_name("cache"))}
    done = subprocess.run(
        [sys.executable, "-c", PEER, what, *map(str, paths)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"LeRobot's {what}: {done.stderr[-2000:]}")
    return Timed(float(json.loads(done.stdout.splitlines()[-1])), 0)


def told(what: str, took: Timed, copied: Timed | None = None) -> None:
    share = f", {100 * copied.wall / took.wall:.0f} % of the speed of cp -r" if copied else ""
    print(f"{what}: {took.wall:.2f} s{share}; at most {took.rss} MB", flush=True)


def told_peer(what: str, took: Timed, ours: Timed) -> None:
    print(f"LeRobot's {what}: {took.wall:.2f} s; ours is {took.wall / ours.wall:.1f} times", flush=True)


if __name__ == "__main__":
    main()
