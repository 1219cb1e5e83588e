"""Toy datasets: a red block that lies in a blue bowl at an episode's end, or beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from classifiers.checkpoint import Classifier
from classifiers.evidence import Weighing
from classifiers.fit import Fitted, Settings
from classifiers.look import CutOut
from classifiers.network import new_network
from curation.frames import Image
from curation.store import Store
from tests.curation.checks.arm import record
from tests.curation.tiny import FPS, HEIGHT, WIDTH

LENGTH = 45
SINCE = 25
"""First frame in which the block lies in the bowl, of episodes that succeed."""
BOWL = (24, 40)
"""Its middle [px], in both cameras."""


def succeeds(episode: int) -> bool:
    return episode % 2 == 0


def picture(episode: int, frame: int, camera: int) -> Image:
    """A grey table, a bowl, and a block that is brought to it and, of every other episode, lies in it at the end."""
    rng = np.random.default_rng([episode, camera])
    image = np.full((HEIGHT, WIDTH, 3), 120 + 20 * camera, np.uint8)
    rows, columns = np.indices((HEIGHT, WIDTH))
    image[np.hypot(rows - BOWL[0], columns - BOWL[1]) < 13] = (60, 90, 170)
    start = np.array([rng.uniform(6, 42), rng.uniform(4, 14)])
    end = np.array(BOWL) + (rng.uniform(-6, 6, 2) if succeeds(episode) else (rng.choice([-19, 19]), rng.uniform(-9, 9)))
    row, column = start + (end - start) * min(1.0, frame / SINCE)
    image[(abs(rows - row) < 4) & (abs(columns - column) < 4)] = (200, 40, 40)
    return image


def judged(episode: int, session: int) -> dict[str, Any]:
    """What an episode's row says, as the judge would have it: content half a second after the block lies still."""
    extra: dict[str, Any] = {"session_seed": session, "success_s": None, "success_at_end": False}
    if succeeds(episode):
        extra |= {"success_s": SINCE / FPS + 0.5, "success_at_end": True}
    outcome = "success" if succeeds(episode) else "missed_goal"
    # Placements all over the table, so that squares of it can be held out.
    x, y = 0.20 + 0.05 * (episode % 4), -0.1 + 0.05 * (episode // 4 % 6)
    return {"x": x, "y": y, "outcome": outcome, "success": succeeds(episode), "extra": extra}


def toy(root: Path, episodes: int, length: int = LENGTH, session: int = 1, **row: Any) -> Store:
    """A dataset of them, so many frames each; `row` is said of every episode, over what `judged` says."""
    return record(
        root,
        episodes=episodes,
        length=lambda episode: length,
        image=picture,
        physics=False,
        row=lambda episode: judged(episode, session) | {"episode_id": f"{root.name}-{episode}"} | row,
    )


def nobody(root: Path, **look: CutOut) -> Classifier:
    """A classifier that has learned nothing; what it says differs from picture to picture all the same."""
    weighing = Weighing(mean=(0.0,) * 3, scale=(1.0,) * 3, weights=(1.0,) * 3, bias=0.0)
    fitted = Fitted(new_network(sorted(look), 4), look, weighing, Settings(), (), (0, 0), 0.0)
    return Classifier(root, root.name, "0" * 12, fitted, {}, FPS)
