"""Demonstrations as LeRobot's HIL-SERL learns from them: what its actor would have sent, had it driven these episodes.

Pictures are the classifier's cut-outs, actions are shares of the farthest step, and the reward is the classifier's word
about the picture that an action led to. As online, an episode ends with the first reward.

HIL-SERL asks the network about single pictures; an episode's verdict, which the card measures, weighs several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.checkpoint import Classifier
from classifiers.labels import Instant
from classifiers.look import SIDE
from classifiers.pictures import Pictures, pictures_of
from curation.episodes import EpisodeRow, SavedEpisode, stage
from curation.errors import DataError
from curation.frames import Feature, Vector
from curation.names import ACTION, STATE, camera_key
from curation.stats import ImageStats
from curation.store import Store
from curation.video import Encoding, VideoWriter

REWARD, DONE = "next.reward", "next.done"
"""LeRobot's names of what followed an action."""
EARLY_S = 1.0
"""A reward this long before the judge's word comes before the block lies still, for which the judge waits half [s]."""
ROUNDING = 0.02
"""By how much more than the farthest step an action may move: an encoder's rounding of the first pose."""


@dataclass(frozen=True)
class Demonstrations:
    """What became of the episodes that were looked at.

    Attributes:
        used: ids of those that were written.
        transitions: in all of them.
        unrewarded: ids of those in which the classifier never saw a success, or saw one at once.
        before_judge: of those used and judged a success, how many were rewarded more than `EARLY_S` before that.
    """

    used: tuple[str, ...]
    transitions: int
    unrewarded: tuple[str, ...]
    before_judge: int


def write_demonstrations(
    to: Path,
    store: Store,
    episodes: Sequence[SavedEpisode],
    classifier: Classifier,
    threshold: float,
    most: Vector,
    said: Callable[[int, int], None] = lambda done, total: None,
) -> Demonstrations:
    """Write those episodes that the classifier rewards into a new dataset.

    Args:
        to: where nothing is.
        store: their dataset.
        episodes: demonstrations.
        classifier: who rewards.
        threshold: probability above which one picture is a success.
        most: farthest step of each joint's target, shape (6,), in the dataset's units.
        said: told (episodes, of how many).

    Raises:
        DataError: the classifier rewards none of them, or an action is farther away than a step can be.
        TargetExists, CannotWrite: as `Store.create`.
    """
    look = classifier.fitted.look
    keys = [camera_key(camera) for camera in sorted(look)]
    features = {
        ACTION: store.features[ACTION],
        STATE: store.features[STATE],
        **dict.fromkeys(keys, Feature("video", (SIDE, SIDE, 3), ("height", "width", "channels"))),
        REWARD: Feature("float32", (1,), ("reward",)),
        DONE: Feature("bool", (1,), ("done",)),
    }
    encoding = Encoding()
    made = Store.create(
        to, fps=store.fps, features=features, robot_type=store.robot_type, scene=store.scene, encoding=encoding
    )
    used, unrewarded, before_judge = [], [], 0
    for number, episode in enumerate(episodes, start=1):
        pictures = pictures_of(
            [store], [Instant(0, episode.index, frame, False) for frame in range(episode.length)], look
        )
        first = rewarded(classifier, pictures, threshold)
        if first is None:
            unrewarded.append(episode.row.episode_id)
        else:
            numbers = _numbers(store, episode, first, most)
            _commit(made, episode, keys, pictures[:first], numbers, encoding)
            used.append(episode.row.episode_id)
            before_judge += _early(episode, first, store.fps)
        said(number, len(episodes))
    if not used:
        raise DataError(
            f"{classifier.name} sees a success in none of {len(episodes)} demonstrations of {store.root.name}, so "
            "nothing in them could be learned. studio score DATASET --by NAME --frames shows what it sees."
        )
    return Demonstrations(tuple(used), made.total_frames, tuple(unrewarded), before_judge)


def rewarded(classifier: Classifier, pictures: Pictures, threshold: float) -> int | None:
    """The first frame whose picture is a success; None if there is none, or it is the first of all."""
    from classifiers.network import predict

    log_odds = predict(classifier.fitted.network, pictures)
    found = np.flatnonzero(1.0 / (1.0 + np.exp(-log_odds)) > threshold)
    return int(found[0]) if len(found) and found[0] > 0 else None


def as_steps(action: NDArray[Any], state: NDArray[Any], most: Vector) -> NDArray[np.float32]:
    """Absolute targets as shares of the farthest step from the target before, shape (N, 6), -1 to 1.

    Args:
        action: targets, shape (N, 6).
        state: where the arm was, shape (N, 6); only its first row counts, from where the first step goes.
        most: farthest step, shape (6,).

    Raises:
        DataError: one is farther away.
    """
    before = np.concatenate([state[:1], action[:-1]]).astype(np.float64)
    share = (action.astype(np.float64) - before) / most
    if np.abs(share).max() > 1.0 + ROUNDING:
        frame, joint = np.unravel_index(int(np.abs(share).argmax()), share.shape)
        raise DataError(
            f"Frame {frame} moves joint {joint} by {abs(share[frame, joint]):.2f} of the farthest step, so this arm "
            "cannot have driven it. Demonstrations for HIL-SERL are recorded in the studio's world."
        )
    return np.asarray(share.clip(-1.0, 1.0), np.float32)


def _numbers(store: Store, episode: SavedEpisode, stop: int, most: Vector) -> dict[str, NDArray[Any]]:
    """Columns of the transitions before frame `stop`, the last of which is rewarded."""
    numbers = store.numeric(episode.index)
    try:
        steps = as_steps(numbers[ACTION], numbers[STATE], most)
    except DataError as error:
        raise DataError(f"Episode {episode.row.episode_id}: {error}") from error
    last = np.arange(stop)[:, None] == stop - 1
    return {
        ACTION: steps[:stop],
        STATE: numbers[STATE][:stop].astype(np.float32),
        REWARD: last.astype(np.float32),
        DONE: last,
    }


def _commit(
    made: Store,
    episode: SavedEpisode,
    keys: Sequence[str],
    pictures: Pictures,
    numbers: dict[str, NDArray[Any]],
    encoding: Encoding,
) -> None:
    folder = made.root / "meta/studio/staging" / episode.row.episode_id
    stats = {key: ImageStats() for key in keys}
    for camera, key in enumerate(keys):
        writer = VideoWriter(folder / f"{key}.mp4", made.fps, SIDE, SIDE, encoding)
        for image in pictures[:, camera]:
            writer.add(image)
            stats[key].add(image)
        writer.close()
    row = EpisodeRow(**{**vars(episode.row), "extra": {"demonstration": episode.row.episode_id}})
    made.commit(stage(folder, row=row, task=episode.task or "task", numeric=numbers, images=stats))


def _early(episode: SavedEpisode, first: int, fps: int) -> bool:
    success_s = episode.row.extra.get("success_s")
    return isinstance(success_s, int | float) and first / fps < success_s - EARLY_S
