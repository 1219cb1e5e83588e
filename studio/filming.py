"""Films of evaluated episodes: run again as they were, checked against their rows, drawn from three angles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from curation.frames import Ending, Frame, Placement, Vector
from curation.video import Encoding, VideoWriter
from recorders.rollout import Start, rollout
from recorders.views import VIEWS, Follower
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene
from studio import evaluating
from studio.again import setup_again
from training.evaluated import Evaluation, Row

SHOWN = ("overview", "top", "gripper")
TILE_WIDTH, TILE_HEIGHT, GAP = 320, 240, 4
SPEED = 2
"""Every so many frames are shown, at the world's rate."""
ENCODING = Encoding(crf=26, gop=60)


@dataclass(frozen=True)
class Film:
    """One episode.

    Attributes:
        mp4: the file.
        faithful: whether it went as its row says; another machine's last bits may turn an episode.
        outcome: how it went this time.
    """

    mp4: bytes
    faithful: bool
    outcome: str


def films(evaluation: Evaluation, wanted: Sequence[int], tell: Callable[[str], None]) -> dict[int, Film]:
    """Run episodes again and film them.

    Args:
        evaluation: whose they are.
        wanted: their indices.
        tell: is told of progress.

    Raises:
        CannotRepeat: the checkpoint is gone, is another one, or what was evaluated is not known well enough.
    """
    setup = setup_again(evaluation)
    evaluator = evaluating.Evaluator(setup)
    drawn: dict[int, Film] = {}
    size = setup.settings.batch
    try:
        for number in sorted({index // size for index in wanted}):
            batch = [row for row in evaluation.rows if row.index // size == number]
            tell(f"episodes {batch[0].index} to {batch[-1].index} are run again")
            driven = _driven(evaluator, batch, set(wanted), setup.limit)
            for row in batch:
                if row.index in driven:
                    physics, ending = driven[row.index]
                    faithful = (ending.outcome.value, len(physics)) == (row.outcome, row.told.get("frames"))
                    mp4 = _draw(setup.scene, physics)
                    drawn[row.index] = Film(mp4, faithful, ending.outcome.value)
        return drawn
    finally:
        evaluator.close()


def _driven(
    evaluator: evaluating.Evaluator, batch: Sequence[Row], wanted: set[int], limit: int
) -> dict[int, tuple[list[Vector], Ending]]:
    """States of the wanted episodes of one batch, which is run whole, as it was."""
    starts = [Start(row.seed, Placement(row.x, row.y, row.yaw_deg)) for row in batch]
    physics: list[list[Vector]] = [[] for _ in batch]
    endings: dict[int, tuple[list[Vector], Ending]] = {}
    for number, event in rollout(evaluator.worlds[: len(batch)], evaluator.operator, starts, limit=limit):
        if isinstance(event, Frame):
            if batch[number].index in wanted:
                physics[number].append(event.physics)
        elif batch[number].index in wanted:
            endings[batch[number].index] = physics[number], event
    if evaluator.operator.failure is not None:
        raise evaluator.operator.failure
    return endings


def _draw(scene: Scene, physics: Sequence[Vector]) -> bytes:
    small = replace(scene, width=TILE_WIDTH, height=TILE_HEIGHT, depth=False)
    model = compile_scene(small)
    painter = Painter(small, model)
    views = [view for view in VIEWS if view.label in SHOWN]
    width = len(views) * TILE_WIDTH + (len(views) - 1) * GAP
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer = VideoWriter(path, scene.fps, width, TILE_HEIGHT, ENCODING)
        try:
            # The state begins with the time.
            states = [state[1 : 1 + model.nq] for state in physics]
            follower = Follower(painter.gripper(states[0]))
            shown = range(0, len(states), SPEED)
            for index in shown:
                canvas: Any = np.zeros((TILE_HEIGHT, width, 3), np.uint8)
                tracked = follower.see(painter.gripper(states[index]))
                for place, view in enumerate(views):
                    left = place * (TILE_WIDTH + GAP)
                    canvas[:, left : left + TILE_WIDTH] = painter.look(states[index], view.camera(tracked))
                writer.add(canvas)
            writer.close()
        except BaseException:
            writer.abort()
            raise
        finally:
            painter.close()
        return path.read_bytes()
