"""The studio's verdicts are LeRobot's, episode by episode; a killed evaluation loses and repeats nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.apply import apply
from curation.columns import DropFeature
from curation.plan import Columns, begin, edited
from curation.store import Store
from recorders.world.scene import Scene, scene_from
from tests.end_to_end.commands import BIN, ROOT, Commands
from tests.training.runs import TINY_ACT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
EPISODES, LIMIT = 16, 7
PLACES = ("--at", "0.337", "-0.015", "--jitter", "0.03", "--yaw", "0", "--limit", str(LIMIT), "--device", "cpu")


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    home = tmp_path_factory.mktemp("evaluated")
    return Commands(home, {"STUDIO_RUNS": str(home / "runs")})


@pytest.fixture(scope="module")
def half_trained(commands: Commands) -> Path:
    """A policy that sees the block's pose and has learnt the task half: some episodes succeed, some do not."""
    commands.studio(
        "generate", "--at", "0.337", "-0.015", "--jitter", "0.02", "--yaw", "0", "--privileged", "-n", "40",
        "--width", "64", "--height", "48", "--to", "near",
    )  # fmt: skip
    plan = begin([Store.open(commands.home / "near")])
    for camera in Scene().cameras:
        plan = edited(plan, Columns(DropFeature(f"observation.images.{camera}")))
    apply(plan, commands.home / "state", tell=lambda *told: None)
    commands.studio(
        "train", "state", "--preset", "cpu-state", "--steps", "300", "--seed", "1", "--to", "half", "--device", "cpu"
    )
    return commands.home / "runs/half/train/checkpoints/000300/pretrained_model"


def rows(folder: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    return sorted(found, key=lambda row: row["index"])


def evaluations(commands: Commands) -> set[Path]:
    return set((commands.home / "runs/half/evaluations").glob("*"))


@pytest.fixture(scope="module")
def evaluated(commands: Commands, half_trained: Path) -> list[dict[str, Any]]:
    before = evaluations(commands)
    commands.studio("evaluate", "half", "-n", str(EPISODES), *PLACES, "--batch", "1")
    (folder,) = evaluations(commands) - before
    return rows(folder)


def test_outcomes_are_those_of_lerobots_loop_in_the_env(half_trained: Path, evaluated: list[dict[str, Any]]) -> None:
    assert len({row["outcome"] for row in evaluated}) > 1, "equal outcomes would prove nothing"
    assert [outcome_in_env(half_trained, row) for row in evaluated] == [
        (row["outcome"], row["frames"]) for row in evaluated
    ]


def outcome_in_env(checkpoint: Path, row: dict[str, Any]) -> tuple[str, int]:
    """One episode by LeRobot's own rollout, at batch size 1: the judge's word, and frames driven."""
    (outcome, _), frames = driven_in_env(checkpoint, row, environment_state=True)
    return outcome.value, frames


@contextmanager
def one_thread() -> Iterator[None]:
    """As `studio evaluate` computes by itself: sums of floats depend on how many threads share them."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def driven_in_env(
    checkpoint: Path, row: dict[str, Any], limit_s: int = LIMIT, **options: Any
) -> tuple[tuple[Any, dict[str, Any]], int]:
    """One episode by LeRobot's own rollout: the judge's verdict, and frames driven."""
    import gymnasium as gym
    from lerobot.envs.factory import make_env_pre_post_processors
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors
    from lerobot.scripts.lerobot_eval import rollout

    from recorders.plugin.env import StudioEnv
    from recorders.plugin.env_config import StudioEnvConfig

    card = json.loads((checkpoint / "studio.json").read_text())
    scene = scene_from(card["scene"]["scene"])
    policy = ACTPolicy.from_pretrained(checkpoint)
    before, after = make_pre_post_processors(policy.config, pretrained_path=str(checkpoint))
    places = {"positions": [[row["x"], row["y"], row["yaw_deg"]]], "start_seed": row["seed"]}
    one = StudioEnv(scene, episode_length=limit_s * 30, **options, **places)
    config = StudioEnvConfig(scene=scene, **options)
    processors = make_env_pre_post_processors(env_cfg=config, policy_cfg=policy.config)
    told = rollout(gym.vector.SyncVectorEnv([lambda: one]), policy, *processors, before, after, seeds=[row["seed"]])
    done = told["done"][0].numpy()
    return one.verdict(), int(np.argmax(done)) + 1


@pytest.fixture(scope="module")
def seeing(commands: Commands) -> Path:
    """A policy of two cameras, whose images are resized before it: it moves by what it sees, and no further."""
    commands.studio(
        "generate", "--at", "0.337", "-0.015", "--jitter", "0.03", "--yaw", "0", "-n", "4", "--width", "64",
        "--height", "48", "--to", "look",
    )  # fmt: skip
    commands.studio(
        "train", "look", "--steps", "20", "--batch-size", "8", "--resize", "32x48", "--seed", "1", "--to", "seeing",
        "--device", "cpu", "--set", *TINY_ACT,
    )  # fmt: skip
    return commands.home / "runs/seeing/train/checkpoints/000020/pretrained_model"


def test_episodes_of_a_policy_that_sees_are_those_of_lerobots_loop(commands: Commands, seeing: Path) -> None:
    """The closest approach depends on every action before it: one other pixel, and it is another number."""
    places = [word if word != str(LIMIT) else "2" for word in PLACES]

    def evaluated(*more: str) -> list[dict[str, Any]]:
        folder = json.loads(
            commands.studio("evaluate", "seeing", "-n", "3", *places, "--batch", "1", *more, "--json").out
        )
        return rows(Path(folder["folder"]))

    ours = evaluated()
    for row in ours:
        with one_thread():
            (outcome, report), frames = driven_in_env(seeing, row, limit_s=2)
        assert (outcome.value, frames, report["closest_approach"]) == (row["outcome"], row["frames"], row["closest_m"])
    closest = [row["closest_m"] for row in ours]
    assert len(set(closest)) == len(ours)
    for camera in Scene().cameras:
        assert [row["closest_m"] for row in evaluated("--blind", camera)] != closest, f"{camera} counts"


def test_successes_are_those_of_lerobot_eval(
    commands: Commands, half_trained: Path, evaluated: list[dict[str, Any]]
) -> None:
    places = json.dumps([[row["x"], row["y"], row["yaw_deg"]] for row in evaluated])
    out = commands.home / "lerobot_eval"
    commands.run(
        "lerobot-eval", "--env.discover_packages_path=recorders.plugin", "--env.type=studio",
        f"--env.episode_length={LIMIT * 30}", f"--env.positions={places}", "--env.scene.width=64",
        "--env.scene.height=48", "--env.environment_state=true", f"--policy.path={half_trained}", "--policy.device=cpu",
        f"--eval.n_episodes={EPISODES}", "--eval.batch_size=1", "--eval.use_async_envs=false", "--seed=1000",
        f"--output_dir={out}", more={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    told = json.loads((out / "eval_info.json").read_text())["per_task"][0]["metrics"]["successes"]
    assert told == [row["success"] for row in evaluated]


def test_a_killed_evaluation_goes_on_and_has_every_row_once(
    commands: Commands, half_trained: Path, evaluated: list[dict[str, Any]]
) -> None:
    asked = ("evaluate", "half", "-n", "40", *PLACES, "--batch", "2", "--processes", "2")
    before = evaluations(commands)
    for least in (3, 11, 20):
        process = started(commands, asked)
        waited_for(lambda least=least: written(commands, before) >= least, process)
        process.kill()
        process.wait()
    commands.studio(*asked)
    (folder,) = evaluations(commands) - before
    found = rows(folder)
    assert [row["index"] for row in found] == list(range(40))
    whole = {row["index"]: row for row in found}
    (folder / "rows.jsonl").unlink()
    commands.studio(*asked[:-1], "1")
    fast = ("call_ms", "wall_s")
    for row in rows(folder):
        assert {k: v for k, v in row.items() if k not in fast} == {
            k: v for k, v in whole[row["index"]].items() if k not in fast
        }


def test_an_interrupted_evaluation_says_so_and_keeps_its_rows(commands: Commands, half_trained: Path) -> None:
    before = evaluations(commands)
    process = started(commands, ("evaluate", "half", "-n", "60", *PLACES, "--batch", "2", "--seed", "5"))
    waited_for(lambda: written(commands, before) >= 2, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert written(commands, before) >= 2


def started(commands: Commands, asked: tuple[str, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [BIN / "studio", *asked], env=commands.surroundings, cwd=commands.home, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def written(commands: Commands, before: set[Path]) -> int:
    return sum(
        (folder / "rows.jsonl").read_bytes().count(b"\n")
        for folder in evaluations(commands) - before
        if (folder / "rows.jsonl").is_file()
    )


def waited_for(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 300
    while not holds():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.02)
