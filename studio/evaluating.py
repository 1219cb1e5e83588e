"""Wires an evaluation together: worlds, the loop, the policy operator, and processes where they help."""

from __future__ import annotations

import math
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from curation.errors import UsageError
from curation.frames import Ending, Phase, Vector
from recorders.crew import Crew
from recorders.placements import Placing, start_as_asked
from recorders.rollout import Start, rollout
from recorders.world import reach
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld, worlds_of
from training.rows import Row, facts

if TYPE_CHECKING:
    from training.checkpoint_card import Card
    from training.policy import PolicyOperator, PolicySettings
    from training.policy_model import PolicyModel

WORTH_A_PROCESS = 24
"""Episodes with images below which starting further processes takes longer than they save."""
BATCH = {"cpu": 8, "cuda": 32}
"""Worlds in a forward pass by default: two cores are saturated by 8 (measured)."""
CHEAP = 0.1
"""Cost of an episode without images, of one with (measured)."""


@dataclass(frozen=True)
class Setup:
    """Everything that a process needs to run episodes.

    Attributes:
        checkpoint: folder of the weights.
        scene: to run in.
        settings: how the policy is carried out, resolved.
        device: of the policy.
        threads: of PyTorch on a CPU.
        task: the instruction.
        label: of the policy.
        limit: most frames of an episode.
        samples: further answers to every question, for rows that say how far they spread.
    """

    checkpoint: Path
    scene: Scene
    settings: PolicySettings
    device: str
    threads: int
    task: str
    label: str
    limit: int
    samples: int = 0


@dataclass(frozen=True)
class Trial:
    """One episode to run: number `index` of an evaluation, from `start`; `row` is what is known beforehand."""

    index: int
    start: Start
    row: Row


@dataclass(frozen=True)
class Finished:
    """A trial's row, complete."""

    row: Row


class Evaluator:
    """K worlds on one model and one painter, and the policy that drives them.

    Args:
        setup: what to run.
        model: the policy, if it is loaded already.
    """

    def __init__(self, setup: Setup, model: PolicyModel | None = None) -> None:
        from training.policy import PolicyOperator
        from training.policy_model import PolicyModel
        from training.unsure import Unsure

        self._setup = setup
        self.worlds = worlds_of(setup.scene, setup.settings.batch)
        self.operator: PolicyOperator = PolicyOperator(
            model or PolicyModel(setup.checkpoint, device=setup.device, threads=setup.threads),
            setup.settings,
            fps=setup.scene.fps,
            task=setup.task,
            label=setup.label,
            poses=[pose_of(world) for world in self.worlds],
        )
        self._heard = Unsure(self.operator, setup.samples)

    def run(self, batch: Sequence[Trial]) -> Iterator[Finished]:
        """Run trials in lockstep, each in its own world; they come as they end.

        Raises:
            StudioError: the policy cannot go on; no row is made of what it left.
        """
        setup, operator = self._setup, self.operator
        began = time.perf_counter()
        seen: list[set[Phase]] = [set() for _ in batch]
        frames = [0] * len(batch)
        worlds = self.worlds[: len(batch)]
        for number, event in rollout(worlds, self._heard, [trial.start for trial in batch], limit=setup.limit):
            if operator.failure is not None:
                raise operator.failure
            if not isinstance(event, Ending):
                seen[number].add(event.phase)
                frames[number] += 1
                continue
            # Judged again, because the last step was not a frame that anyone saw.
            seen[number].add(worlds[number].phase)
            call_ms, share = operator.call_ms, operator.spans[number]
            yield Finished({
                **batch[number].row,
                **facts(event, seen[number], frames[number], setup.scene.fps),
                "calls": operator.calls[number],
                "call_ms": None if call_ms is None else round(call_ms, 3),
                "wall_s": round(time.perf_counter() - began, 3),
                "action_span": None if share is None else round(share, 4),
                **self._heard.columns(number),
            })  # fmt: skip

    def close(self) -> None:
        """Free the OpenGL context."""
        self.worlds[0].close()


def pose_of(world: SimWorld) -> Callable[[], Vector]:
    """Privileged: where the block is, as the column observation.environment_state has it, shape (5,)."""

    def pose() -> Vector:
        block, yaw = world.block_pose()
        return np.array([*block, math.sin(yaw), math.cos(yaw)])

    return pose


def trial_of(placing: Placing, scene: Scene, seed: int, index: int) -> Trial:
    """Trial `index`: never moved and never refused; where the arm cannot do it, the row says why."""
    start, asked, target = start_as_asked(placing, seed, index), placing.nominal(index), placing.target(index)
    why = reach.problems(scene, start.placement)
    at = start.placement
    return Trial(index, start, {
        "index": index, "seed": start.seed, "x": at.x, "y": at.y, "yaw_deg": at.yaw_deg,
        "asked_x": None if asked is None else asked[0], "asked_y": None if asked is None else asked[1],
        "cell": target.id if target else _cell(placing, index), "feasible": not why,
        "why_not": " and ".join(why) or None,
    })  # fmt: skip


def require_different(placing: Placing, seed: int, indices: Sequence[int]) -> None:
    """Refuse episodes that would be copies: at the same placement a policy does the same again, and proves nothing.

    Raises:
        UsageError: two are at the same placement.
    """
    places = Counter(start_as_asked(placing, seed, index).placement for index in indices)
    if len(places) == len(indices):
        return
    most, times = places.most_common(1)[0]
    raise UsageError(
        f"{len(indices)} episodes would be at {len(places)} different placements, {times} of them at ({most.x:g}, "
        f"{most.y:g}, {most.yaw_deg:g} deg): copies of one trial, and no sample. Give --jitter 0.005 or --yaw free, or "
        f"ask for {len(places)} (-n {len(places)}, or --per-position 1)."
    )


def batches(trials: Sequence[Trial], size: int, missing: Iterable[int]) -> list[list[Trial]]:
    """Trials in batches of `size`, of which only those with a missing trial.

    A batch is always run whole: who shares a batch is then the same in an evaluation that was interrupted, and so are
    its rows, to the last bit.
    """
    wanted = set(missing)
    cut = [list(trials[at : at + size]) for at in range(0, len(trials), size)]
    return [batch for batch in cut if any(trial.index in wanted for trial in batch)]


def run_all(setup: Setup, work: Sequence[Sequence[Trial]], processes: int, model: PolicyModel) -> Iterator[Finished]:
    """Every trial of the batches, as they end; in this process, or in several.

    Raises:
        StudioError: the policy or a world cannot go on.
    """
    if processes == 1:
        evaluator = Evaluator(setup, model)
        try:
            for batch in work:
                yield from evaluator.run(batch)
        finally:
            evaluator.close()
        return
    crew = Crew("evaluating", processes, _work, setup)
    try:
        for batch in work:
            crew.give(list(batch), results=len(batch))
        while crew.open_jobs:
            yield from crew.results(wait=True)
    finally:
        crew.stop()


def batch_size(device: str) -> int:
    """Worlds in a forward pass by default, on a device such as "cuda:0"."""
    return BATCH.get(device.partition(":")[0], BATCH["cpu"])


def process_count_for(asked: int, trials: int, work: int, card: Card, *, images: bool, real_time: bool) -> int:
    """How many processes help.

    Args:
        asked: on the command line; 0 leaves it to this.
        trials: to run.
        work: batches they are in.
        card: of the checkpoint, whose weights every process holds.
        images: whether the policy sees any.
        real_time: whether the time that it takes counts.
    """
    if real_time or work <= 1:
        return 1
    if asked:
        return min(asked, work)
    heavy = any(path.stat().st_size > 1 << 30 for path in card.folder.glob("*.safetensors"))
    if heavy or trials * (1.0 if images else CHEAP) < WORTH_A_PROCESS:
        return 1
    return min(os.cpu_count() or 1, work)


def cameras_of(scene: Scene) -> dict[str, tuple[int, int]]:
    """Images of a scene with their height and width."""
    depth = [f"{camera}_depth" for camera in scene.cameras if scene.depth]
    return dict.fromkeys((*scene.cameras, *depth), (scene.height, scene.width))


def placements_of(placing: Placing, seed: int) -> dict[str, Any]:
    """Where blocks go, as evaluation.json says it."""
    kind = next(name for name in ("at", "grid", "box", "targets") if getattr(placing, name))
    listed = [[target.id, target.x, target.y, target.rotation] for target in placing.targets]
    return {
        "kind": kind,
        "at": list(placing.at) if placing.at else None,
        "box": list(placing.box) if placing.box else None,
        "grid": list(placing.grid) if placing.grid else None,
        "targets": listed or None,
        "seed": seed,
        "jitter": placing.jitter,
        "yaw": placing.yaw,
    }


def differences(ours: Scene, theirs: Sequence[Mapping[str, Any]]) -> str:
    """What sets a scene apart from the one that a checkpoint was trained in, in words; "" where it was several.

    Args:
        ours: of the world.
        theirs: the checkpoint's, as its card has them.
    """
    there = (theirs[0].get("scene") or {}) if len(theirs) == 1 else {}
    return ", ".join(
        f"{name} {there[name]} there, {value} here"
        for name, value in asdict(ours).items()
        if name in there and there[name] != value
    )


def _cell(placing: Placing, index: int) -> str | None:
    if not placing.grid:
        return None
    columns, rows = placing.grid
    return f"{index % columns},{(index // columns) % rows}"


def _work(jobs: Iterator[list[Trial]], send: Callable[[Any], None], setup: Setup) -> None:
    # The software rasteriser would start a thread per core in every worker; read when the context is made.
    os.environ["LP_NUM_THREADS"] = "1"
    evaluator = Evaluator(setup)
    for batch in jobs:
        for finished in evaluator.run(batch):
            send(finished)
