"""Watching: ticks a second of a policy that nobody watches, that is watched, and that is watched with whiskers.

    .venv/bin/python tests/benchmarks/bench_watch.py [--frames 150] [--rounds 3]

An image ACT of 13 M parameters with random weights and chunks of 100, worlds of two cameras at 640x480, one PyTorch
thread. A tick is one frame: rendering and policy where it is asked, physics, judge, and with whiskers the whole plan
simulated ahead. Start-up is left out; of several rounds, which take turns, the median counts. CPU time is of all
threads, and hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench_evaluate import SCENE, make_policy

from curation.frames import Placement
from recorders.rollout import Start, rollout
from recorders.world.sim import SimWorld
from studio.evaluating import Setup
from studio.watching.files import read_history, write_history
from studio.watching.opening import Watched, opened
from training.policy import PolicyOperator, PolicySettings
from training.policy_model import PolicyModel

START = Start(1, Placement(0.3, 0.0))
CASES = {
    "20 of 100 actions": PolicySettings(n_action_steps=20),
    "asked in every frame": PolicySettings(n_action_steps=1),
    "temporal ensembling": PolicySettings(ensemble=0.01),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = make_policy(Path(folder) / "policy", chunk=100)
        model = PolicyModel(checkpoint, device="cpu")
        for name, settings in CASES.items():
            setup = Setup(checkpoint, SCENE, settings.resolved(model), "cpu", 1, "Pick", "bench", asked.frames)
            rates: dict[str, list[Rate]] = {"alone": [], "watched": [], "with whiskers": []}
            for _ in range(asked.rounds):
                rates["alone"].append(alone(setup, model))
                rates["watched"].append(watched(setup, model, whiskers=False))
                rates["with whiskers"].append(watched(setup, model, whiskers=True))
            told = ", ".join(
                f"{how} {median(one.ticks for one in found):.0f} ({median(one.cpu_ms for one in found):.1f} ms)"
                for how, found in rates.items()
            )
            print(f"{name}: ticks a second (CPU time of a tick): {told}", flush=True)
        history(setup, model, Path(folder) / "history")


@dataclass(frozen=True)
class Rate:
    """Ticks a second, and CPU time of a tick [ms]."""

    ticks: float
    cpu_ms: float


def timed(run: Callable[[], int]) -> Rate:
    """How fast it makes its frames."""
    began, cpu = time.perf_counter(), time.process_time()
    frames = run()
    return Rate(frames / (time.perf_counter() - began), 1e3 * (time.process_time() - cpu) / frames)


def alone(setup: Setup, model: PolicyModel) -> Rate:
    """The loop without anyone watching."""
    with closing(SimWorld(SCENE)) as world:
        world.painter.draw(world.physics()[1 : 1 + world.model.nq])  # the first picture opens a context
        operator = PolicyOperator(model, setup.settings, fps=SCENE.fps, task=setup.task)
        return timed(lambda: sum(1 for _ in rollout([world], operator, [START], limit=setup.limit)) - 1)


def watched(setup: Setup, model: PolicyModel, *, whiskers: bool) -> Rate:
    """A session that hands out every moment."""
    session = opened(Watched(setup, START, "bench", whiskers=whiskers), model)
    with closing(session.world) as world:
        world.painter.draw(world.physics()[1 : 1 + world.model.nq])
        return timed(lambda: sum(1 for _ in session.run()))


def history(setup: Setup, model: PolicyModel, folder: Path) -> None:
    """What a history weighs, and how long it takes to write, open and look through."""
    session = opened(Watched(setup, START, "bench"), model)
    with closing(session.world):
        session.finish()
    began = time.perf_counter()
    write_history(folder, session.history)
    wrote = time.perf_counter()
    read = read_history(folder)
    opened_at = time.perf_counter()
    looked = sum(len(moment.plan) > 0 for moment in read)
    done = time.perf_counter()
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(
        f"history of {looked} frames: {size / 1e6:.1f} MB, written in {wrote - began:.2f} s, opened in "
        f"{opened_at - wrote:.3f} s, looked through in {done - opened_at:.2f} s"
    )


if __name__ == "__main__":
    main()
