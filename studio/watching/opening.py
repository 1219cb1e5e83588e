"""A session out of what an evaluation would run: the same world, policy and settings, one episode of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from curation.errors import UsageError
from recorders.rollout import Start
from recorders.world.scene import fingerprint
from recorders.world.sim import SimWorld
from studio import evaluating
from studio.loop_mark import loop_mark
from training.checkpoint_card import card, digest

from .session import Session

if TYPE_CHECKING:
    from training.policy import PolicySettings
    from training.policy_model import PolicyModel
    from training.thinking import Thinker


@dataclass(frozen=True)
class Watched:
    """One episode to watch.

    Attributes:
        setup: what to run, as an evaluation has it.
        start: of the episode.
        checkpoint: its name, as the command line has it.
        source: where the episode comes from, in JSON values with a "kind".
        seat: number and seeds of the batch's worlds, of which the watched one is the last; None for a batch of copies.
        samples: further answers to every question.
        whiskers: simulate ahead what is thought.
    """

    setup: evaluating.Setup
    start: Start
    checkpoint: str
    source: dict[str, Any] = field(default_factory=lambda: {"kind": "placement"})
    seat: tuple[int, ...] | None = None
    samples: int = 0
    whiskers: bool = True


def opened(watched: Watched, model: PolicyModel) -> Session:
    """A session at the beginning of an episode; closing its world frees the OpenGL context.

    Raises:
        UsageError: settings that this policy cannot have, or that nobody can repeat.
    """
    from training.policy import PolicyOperator
    from training.thinking import Seat, Thinker

    setup, seat = watched.setup, None
    if watched.samples and not model.rewindable:
        raise UsageError(
            f"--samples asks again from the same memory, and {model.kind} remembers inside its networks: what it then "
            "does would be another episode. Leave --samples away."
        )
    if watched.seat is not None:
        seat = Seat(len(watched.seat) - 1, watched.seat)
    world = SimWorld(setup.scene)

    def make(settings: PolicySettings, alarm: Callable[[str], None]) -> Thinker:
        if settings.latency.real:
            raise UsageError("--latency real is what each call takes here, and nobody can repeat that: give ms.")
        batch = setup.settings.batch
        operator = PolicyOperator(
            model,
            replace(settings, batch=batch),
            fps=setup.scene.fps,
            task=setup.task,
            label=setup.label,
            poses=[evaluating.pose_of(world)] * batch,
            alarm=alarm,
        )
        return Thinker(operator, samples=watched.samples, seat=seat)

    try:
        return Session(
            world,
            make,
            setup.settings,
            watched.start,
            limit=setup.limit,
            told=_told(watched, model),
            whiskers=watched.whiskers,
        )
    except BaseException:
        world.close()
        raise


def _told(watched: Watched, model: PolicyModel) -> dict[str, Any]:
    """What watch.json says of how the episode was made; `repeating` reads it."""
    setup, start, known = watched.setup, watched.start, card(watched.setup.checkpoint)
    return {
        "checkpoint": {
            "name": watched.checkpoint,
            "folder": str(setup.checkpoint.absolute()),
            "digest": digest(setup.checkpoint),
            "label": known.label,
            "run": known.run,
            "step": known.step,
            "policy": model.kind,
            "privileged": model.privileged,
        },
        "source": watched.source,
        "scene": {"fingerprint": fingerprint(setup.scene), "scene": asdict(setup.scene)},
        "seed": start.seed,
        "placement": asdict(start.placement),
        "task": setup.task,
        "fps": setup.scene.fps,
        "limit_frames": setup.limit,
        "began": setup.settings.as_json(),
        "seat": None if watched.seat is None else list(watched.seat),
        "device": setup.device,
        "threads": setup.threads,
        "samples": watched.samples,
        "whiskers": watched.whiskers,
        "versions": {**{name: version(name) for name in ("mujoco", "torch", "lerobot")}, "loop": loop_mark()},
    }
