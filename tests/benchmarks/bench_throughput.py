"""Throughput: `studio generate` beside `lerobot-record` on the same world and expert, and beside the machine's cap.

    .venv/bin/python tests/benchmarks/bench_throughput.py [--episodes 60] [--peer-episodes 4]

The cap is what rendering and encoding alone would allow: processor cores over CPU seconds per episode, measured in
this run on one thread. The peer drives the plugin's robot and expert with its defaults and with its best settings.
"""

from __future__ import annotations

import argparse
import os

os.environ["LP_NUM_THREADS"] = "1"

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from curation.frames import Placement
from curation.store import Store
from curation.video import Encoding, VideoWriter
from recorders.operators.named import Who, make_operator
from recorders.rollout import Start, rollout
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld

PEER = [
    "--robot.discover_packages_path=recorders.plugin", "--robot.type=studio_sim", "--robot.seed=7",
    "--robot.x=0.337", "--robot.y=-0.015", "--robot.jitter=0.02",
    "--teleop.type=studio_expert", "--dataset.repo_id=bench/peer", "--dataset.no_stamp=true",
    "--dataset.single_task=Pick up the red cube", "--dataset.episode_time_s=5.2", "--dataset.reset_time_s=0",
    "--dataset.fps=30", "--dataset.push_to_hub=false", "--display_data=false", "--play_sounds=false",
]  # fmt: skip
BEST = [
    "--dataset.streaming_encoding=true", "--dataset.rgb_encoder.vcodec=h264", "--dataset.rgb_encoder.preset=ultrafast",
    "--dataset.encoder_threads=1",
]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--episodes", type=int, default=60)
    parser.add_argument("--peer-episodes", type=int, default=4)
    asked = parser.parse_args()
    cores = os.cpu_count() or 1
    cpu, frames = cpu_seconds()
    cap = 60 * cores / cpu
    print(f"render + encode: {cpu:.2f} CPU s per episode of {frames} frames -> cap {cap:.1f}/min on {cores} cores")
    ours = generate(asked.episodes)
    print(f"studio generate: {ours:.1f} episodes/min = {100 * ours / cap:.0f} % of the cap")
    for name, more in (("defaults", []), ("best settings", BEST)):
        theirs, kept = peer(asked.peer_episodes, more)
        print(f"lerobot-record, {name}: {theirs:.2f}/min ({kept} frames an episode); ours is {ours / theirs:.1f} times")


def cpu_seconds() -> tuple[float, int]:
    """CPU seconds of drawing and encoding one episode on one thread, and its frames; the mean of three."""
    world = SimWorld(Scene())
    operator = make_operator(Who(), world)
    total, frames = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(3):
            start = Start(seed, Placement(0.337, -0.015 + 0.005 * seed, 40.0 * seed))
            rows = [frame for _, frame in rollout([world], operator, [start], limit=300)][:-1]
            rows[0].observation.render()
            began = time.process_time()
            writers = [
                VideoWriter(Path(folder) / f"{seed}{c}.mp4", 30, 640, 480, Encoding(threads=1)) for c in range(2)
            ]
            for row in rows:
                for writer, image in zip(writers, row.observation.render().values(), strict=True):
                    writer.add(image)
            for writer in writers:
                writer.close()
            total += time.process_time() - began
            frames += len(rows)
    world.close()
    return total / 3, frames // 3


def generate(episodes: int) -> float:
    """Episodes per minute of wall clock, from the command's start to its end."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "studio.cli", "generate", "--to", f"{folder}/ours", "-n", str(episodes),
             "--at", "0.337", "-0.015", "--jitter", "0.02"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip
        wall = time.monotonic() - began
        assert Store.open(Path(folder) / "ours").total_episodes == episodes
    return 60 * episodes / wall


def peer(episodes: int, more: list[str]) -> tuple[float, int]:
    """The same of `lerobot-record`, with its ten seconds of imports taken off; ours are counted."""
    command = shutil.which("lerobot-record", path=str(Path(sys.executable).parent))
    assert command is not None
    imports = _import_seconds()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "peer"
        began = time.monotonic()
        subprocess.run(
            [command, *PEER, *more, f"--dataset.num_episodes={episodes}", f"--dataset.root={root}"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip
        wall = time.monotonic() - began - imports
        info = json.loads((root / "meta" / "info.json").read_text())
        assert info["total_episodes"] == episodes
    return 60 * episodes / wall, info["total_frames"] // episodes


def _import_seconds() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import lerobot.scripts.lerobot_record"], check=True, capture_output=True)
    return time.monotonic() - began


def _environment() -> dict[str, str]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    environment.pop("LP_NUM_THREADS")
    return environment


if __name__ == "__main__":
    main()
