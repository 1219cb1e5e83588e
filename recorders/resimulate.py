"""Drive stored actions through a fresh world and see how far it strays from what was recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.frames import Ending, Frame, Placement, Vector

from .draw import Layout
from .journal import Take
from .operators import each
from .operators.replay import Replay
from .rollout import Start, rollout
from .session import INTERRUPTED
from .world.sim import SimWorld


@dataclass(frozen=True)
class Drift:
    """How a simulated repetition differs from the recording.

    Attributes:
        joint_deg: largest difference of any body joint in any frame [deg].
        block_mm: largest distance between the two blocks [mm].
        equal: every frame's complete physics state is bit for bit the same.
        recorded, repeated: the two outcomes.
    """

    joint_deg: float
    block_mm: float
    equal: bool
    recorded: str
    repeated: str

    @property
    def same_outcome(self) -> bool:
        """Whether the judge says the same; of an interrupted take, whether the physics is the same."""
        return self.equal if self.recorded == INTERRUPTED else self.recorded == self.repeated


def resimulate(take: Take, world: SimWorld, layout: Layout, actions: Vector | None = None) -> tuple[Drift, Ending]:
    """Repeat an episode from its seed and placement.

    Args:
        take: as recorded.
        world: of the same scene.
        layout: qpos layout of the recording.
        actions: to drive instead of the take's own, shape (N, 6); such as a dataset's action column.
    """
    driven = take.action if actions is None else actions
    start = Start(int(take.header["seed"]), Placement(**take.header["placement"]))
    states, physics = [], []
    ending: Ending | None = None
    # A frame more than recorded, so that the replay's own end closes the episode after its last step.
    operator = each(lambda _: Replay(driven))
    for _, event in rollout([world], operator, [start], limit=len(driven) + 1, until_success=False):
        if isinstance(event, Frame):
            states.append(event.observation.state)
            physics.append(event.physics)
        else:
            ending = event
    assert ending is not None
    seen = np.array(physics)
    # A repetition can end early, where the physics breaks: it is compared as far as it goes, and is not equal.
    both = min(len(seen), len(take))
    block = 1 + layout["block"][0]
    apart = np.linalg.norm(seen[:both, block : block + 3] - take.physics[:both, block : block + 3], axis=1)
    drift = Drift(
        joint_deg=float(np.abs(np.array(states)[:both] - take.state[:both])[:, :5].max()),
        block_mm=float(apart.max() * 1e3),
        equal=bool(np.array_equal(seen, take.physics)),
        recorded=(take.footer or {}).get("outcome", INTERRUPTED),
        repeated=ending.outcome.value,
    )
    return drift, ending


def judge_unfinished(take: Take, world: SimWorld, layout: Layout) -> dict[str, object]:
    """The footer of a take that stopped before its end: its outcome is that it was interrupted; no success.

    What the judge saw up to there is reported where repeating the take gives the very same physics.
    """
    drift, ending = resimulate(take, world, layout)
    report = {**ending.report, "judged_so_far": ending.outcome.value} if drift.equal else {}
    return {
        "end": INTERRUPTED,
        "outcome": INTERRUPTED,
        "report": report,
        "kept": True,
        "frames": len(take),
        "late": int(take.late.sum()),
    }
