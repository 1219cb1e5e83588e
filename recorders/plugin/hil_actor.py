"""LeRobot's HIL-SERL actor on the studio's world: `python -m recorders.plugin.hil_actor --config_path=FILE`.

Configuration alone does not do it. `make_robot_env` knows the package gym_hil, which is another robot, and otherwise
wraps a LeRobot `Robot` into its own `RobotEnv`, which does not tell the robot that an episode begins (nobody would put
the block back), waits five seconds at each reset, because its `reset_time_s` is not handed over, and takes no policy's
actions without inverse kinematics, because these have a batch dimension. So that one call is answered by our env.
Three more are watched: what came of each step, when weights arrived, and when the actor is through and waits for ever.

Exit codes: 0 made all its steps or was stopped, 1 failed; LeRobot itself returns 0 in either case.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from curation.errors import FAILED, OK, UsageError
from curation.frames import Outcome

from .env import StudioEnv
from .hil_config import StudioHilConfig
from .hil_env import HilEnv
from .intervener import StudioIntervener

WRAPPED = ("make_robot_env", "step_env_and_process_transition", "update_policy_parameters", "act_with_policy")
EPISODES = "episodes.jsonl"
"""In the actor's output folder: one line per episode."""
DRAIN_S = 20.0
"""How long the last transitions may take to be sent [s]."""


@dataclass
class Acting:
    """What the watched calls share.

    Attributes:
        log: where episodes are told.
        weights: digest of the policy's weights in force, "" before any came from the learner.
        loads: how often weights came.
        frames, reward, driven: of the episode in progress; `driven` by the intervener.
    """

    log: Path | None = None
    env: HilEnv | None = None
    shutdown: Any = None
    failed: bool = False
    weights: str = ""
    loads: int = 0
    frames: int = 0
    reward: float = 0.0
    driven: int = 0
    parent: int = field(default_factory=os.getppid)

    def see(self, transition: Any) -> None:
        """Count a step; write the episode's line where it ended."""
        from lerobot.processor import TransitionKey
        from lerobot.teleoperators.utils import TeleopEvents

        self.frames += 1
        self.reward += float(transition[TransitionKey.REWARD])
        self.driven += bool(transition[TransitionKey.INFO].get(TeleopEvents.IS_INTERVENTION))
        done, truncated = transition[TransitionKey.DONE], transition[TransitionKey.TRUNCATED]
        if done or truncated:
            self._write("classifier" if done else "time")
            self.frames, self.reward, self.driven = 0, 0.0, 0
        if os.getppid() != self.parent:  # whoever started this is gone
            self.shutdown.set()

    def _write(self, ended: str) -> None:
        assert self.env is not None
        assert self.log is not None
        at, outcome = self.env.env.placement, self.env.judged()
        told = {
            "episode": self.env.episode,
            "seed": self.env.seed + self.env.episode,
            "placement": [at.x, at.y, at.yaw_deg],
            "frames": self.frames,
            "driven": self.driven,
            "reward": self.reward,
            "ended": ended,
            "outcome": outcome.value,
            "success": outcome is Outcome.SUCCESS,
            "weights": self.weights,
            "loads": self.loads,
            "at": time.time(),
        }
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


@contextmanager
def entered(module: ModuleType, acting: Acting) -> Iterator[None]:
    """Put our calls into the actor's module, and take them out again.

    Raises:
        AttributeError: this LeRobot has no such call.
    """
    real = {name: getattr(module, name) for name in WRAPPED}
    made: dict[str, Callable[..., Any]] = {
        "make_robot_env": _make_env(acting),
        "step_env_and_process_transition": _step(real["step_env_and_process_transition"], acting),
        "update_policy_parameters": _update(real["update_policy_parameters"], acting),
        "act_with_policy": _act(real["act_with_policy"], acting),
    }
    try:
        for name, call in made.items():
            setattr(module, name, call)
        yield
    finally:
        for name, call in real.items():
            setattr(module, name, call)


def _make_env(acting: Acting) -> Callable[..., Any]:
    def make_robot_env(cfg: Any) -> tuple[HilEnv, StudioIntervener]:
        from lerobot.teleoperators import make_teleoperator_from_config

        if not isinstance(cfg, StudioHilConfig):
            raise UsageError(
                f"This actor drives the env studio_hil, not {cfg.type}; see recorders/plugin/hil_config.py."
            )
        env = HilEnv(StudioEnv(scene=cfg.scene, positions=cfg.positions, start_seed=cfg.seed), cfg.seed)
        person = make_teleoperator_from_config(cfg.teleop)
        person.join(env)
        person.connect()
        acting.env = env
        return env, person

    return make_robot_env


def _step(real: Callable[..., Any], acting: Acting) -> Callable[..., Any]:
    def step_env_and_process_transition(*args: Any, **kwargs: Any) -> Any:
        transition = real(*args, **kwargs)
        acting.see(transition)
        return transition

    return step_env_and_process_transition


def _update(real: Callable[..., Any], acting: Acting) -> Callable[..., Any]:
    def update_policy_parameters(algorithm: Any, **kwargs: Any) -> None:
        real(algorithm=algorithm, **kwargs)
        now = _digest(algorithm.get_weights()["policy"])
        acting.loads += now != acting.weights
        acting.weights = now

    return update_policy_parameters


def _act(real: Callable[..., Any], acting: Acting) -> Callable[..., Any]:
    def act_with_policy(cfg: Any, shutdown_event: Any, transitions_queue: Any, **kwargs: Any) -> None:
        acting.log, acting.shutdown = Path(cfg.output_dir) / EPISODES, shutdown_event
        try:
            real(cfg=cfg, shutdown_event=shutdown_event, transitions_queue=transitions_queue, **kwargs)
        except BaseException:
            acting.failed = True
            raise
        # LeRobot then joins threads that only this event ends; what they hold is sent first.
        until = time.monotonic() + DRAIN_S
        while not (shutdown_event.is_set() or transitions_queue.empty()) and time.monotonic() < until:
            time.sleep(0.1)
        shutdown_event.set()

    return act_with_policy


def _digest(weights: Any) -> str:
    """Of tensors by name, the first 12 digits."""
    told = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        told.update(name.encode() + tensor.cpu().numpy().tobytes())
    return told.hexdigest()[:12]


def main() -> int:
    """Entry point of the process; the command line is LeRobot's."""
    import lerobot.rl.actor as module

    acting = Acting()
    with entered(module, acting):
        module.actor_cli()
    if acting.log is None:
        print("The learner never answered.", file=sys.stderr)
    return FAILED if acting.failed or acting.log is None else OK


if __name__ == "__main__":
    sys.exit(main())
