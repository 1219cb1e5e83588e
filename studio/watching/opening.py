"""A session out of what an evaluation would run: the same worlds, policy and settings, one episode of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from recorders.rollout import Start
from recorders.world.sim import SimWorld
from studio import evaluating

from .session import Session

if TYPE_CHECKING:
    from training.policy import PolicySettings
    from training.policy_model import PolicyModel
    from training.thinking import Seat, Thinker


@dataclass(frozen=True)
class Watched:
    """One episode to watch.

    Attributes:
        setup: what to run, as an evaluation has it.
        start: of the episode.
        told: what is known of checkpoint and source, for `History.told`.
        seat: in a batch; None for a batch of copies.
        samples: further answers to every question.
        whiskers: simulate ahead what is thought.
    """

    setup: evaluating.Setup
    start: Start
    told: dict[str, Any] = field(default_factory=dict)
    seat: Seat | None = None
    samples: int = 0
    whiskers: bool = True


def opened(watched: Watched, model: PolicyModel) -> Session:
    """A session at the beginning of an episode; closing its world frees the OpenGL context.

    Raises:
        UsageError: settings that this policy cannot have, or that cannot be repeated.
    """
    from training.policy import PolicyOperator
    from training.thinking import Thinker

    setup = watched.setup
    world = SimWorld(setup.scene)
    places = setup.settings.batch

    def make(settings: PolicySettings, alarm: Callable[[str], None]) -> Thinker:
        operator = PolicyOperator(
            model,
            replace(settings, batch=places),
            fps=setup.scene.fps,
            task=setup.task,
            label=setup.label,
            poses=[evaluating.pose_of(world)] * places,
            alarm=alarm,
        )
        return Thinker(operator, samples=watched.samples, seat=watched.seat)

    start = watched.start
    told = {
        **watched.told,
        "fps": setup.scene.fps,
        "task": setup.task,
        "seed": start.seed,
        "placement": asdict(start.placement),
        "limit_frames": setup.limit,
        "batch": places,
        "device": setup.device,
        "threads": setup.threads,
        "samples": watched.samples,
    }
    return Session(
        world, make, setup.settings, start, limit=setup.limit, told=told, whiskers=watched.whiskers
    )  # fmt: skip
