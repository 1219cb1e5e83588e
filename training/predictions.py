"""What a policy would have done in recorded frames: asked for a chunk in each, beside what was demonstrated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from curation.episodes import SavedEpisode
from curation.errors import UsageError
from curation.instructions import said_in
from curation.names import ACTION, IMAGES, POSE, STATE
from curation.rows import Rows
from curation.store import Store
from curation.video import read_video

if TYPE_CHECKING:
    from .policy_model import PolicyModel

Numbers = NDArray[np.float64]
BATCH = 8
"""Frames in one forward pass."""
HORIZON = 50
"""Actions of a chunk that are looked at."""


@dataclass(frozen=True)
class Predictions:
    """A policy beside demonstrations, frame by frame; A numbers in an action.

    Attributes:
        predicted: first action of the chunk asked for in each frame, shape (N, A), in the dataset's units.
        demonstrated: the recorded action, shape (N, A).
        state: what the joints were, shape (N, S).
        episode, frame: where, shape (N,).
        ahead: mean error of the action h frames later in the chunk, shape (H, A); NaN where no episode is so long.
        squares: summed squared error over whole chunks, shape (A,).
        staying: that of staying where it is instead, shape (A,); zeros where the state is not of the action's joints.
    """

    predicted: Numbers
    demonstrated: Numbers
    state: Numbers
    episode: NDArray[np.int64]
    frame: NDArray[np.int64]
    ahead: Numbers
    squares: Numbers
    staying: Numbers

    def __len__(self) -> int:
        return len(self.predicted)


def predict(
    model: PolicyModel,
    store: Store,
    episodes: Sequence[int],
    *,
    every: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Predictions:
    """Ask a policy in frames of a dataset.

    A policy that keeps its chunk to itself is asked in every frame of an episode, and carries out one action of each.

    Args:
        model: the policy.
        store: the dataset.
        episodes: indices, at least one.
        every: ask in every so many frames.
        seed: of what the policy draws.
        progress: told frames asked and frames in all.

    Raises:
        UsageError: the dataset lacks what the policy looks at.
        StudioError: the policy fails.
    """
    require_seen(model, store)
    frames = {index: range(0, store.episodes[index].length, every) for index in episodes}
    total, done = sum(map(len, frames.values())), 0
    # A policy that remembers sees every frame of one episode after the other.
    size, step = (BATCH, every) if model.chunked else (1, 1)
    predicted, demonstrated, states, where = [], [], [], []
    error = np.zeros((min(model.chunk_size, HORIZON), model.actions))
    counted = np.zeros(len(error))
    squares, staying = np.zeros(model.actions), np.zeros(model.actions)
    rows = Rows(store)
    for index in episodes:
        model.reset(1)
        numeric = store.numeric(index)
        actions = np.asarray(numeric[ACTION], float)
        said = said_in(store, store.episodes[index], rows)
        for batch in _batches(model, store.episodes[index], numeric, said, step, size):
            state = batch.state
            seen = model.see(batch.images, state, batch.pose, batch.tasks)
            draw = int(np.random.SeedSequence([seed, index, batch.at[0]]).generate_state(1, np.uint64)[0]) >> 1
            chunk = model.finish(model.chunk(seen, draw) if model.chunked else model.select(seen, draw)[:, None])
            for row, frame in enumerate(batch.at):
                if frame not in frames[index]:
                    continue
                predicted.append(chunk[row, 0])
                demonstrated.append(actions[frame])
                states.append(state[row])
                where.append((index, frame))
                told = actions[frame : frame + len(error)]
                error[: len(told)] += np.abs(chunk[row, : len(told)] - told)
                counted[: len(told)] += 1
                squares += ((chunk[row, : len(told)] - told) ** 2).sum(axis=0)
                if state.shape[1] == model.actions:
                    staying += ((state[row] - told) ** 2).sum(axis=0)
                done += 1
            progress(done, total)
    places = np.array(where, np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        ahead = np.where(counted[:, None] > 0, error / counted[:, None], np.nan)
    return Predictions(
        np.array(predicted), np.array(demonstrated), np.array(states, float), places[:, 0], places[:, 1], ahead,
        squares, staying,
    )  # fmt: skip


def require_seen(model: PolicyModel, store: Store) -> None:
    """Refuse a dataset in which the policy would be blind.

    Raises:
        UsageError: what is missing is named.
    """
    lacking = [key for key in (*model.wants, ACTION) if key not in store.features]
    if lacking:
        raise UsageError(
            f"The policy looks at {', '.join(lacking)}, which {store.root} does not have; it has "
            f"{', '.join(store.features)}."
        )
    width = int(store.features[ACTION].shape[0])
    if width != model.actions:
        raise UsageError(f"The policy's actions have {model.actions} numbers, those of {store.root} have {width}.")


@dataclass(frozen=True)
class Batch:
    """Frames that are looked at together; `at` are those asked for, all else has `size` rows."""

    at: list[int]
    images: dict[str, NDArray[np.uint8]]
    state: NDArray[np.float32]
    pose: NDArray[np.float32] | None
    tasks: list[str]


def _batches(
    model: PolicyModel,
    episode: SavedEpisode,
    numeric: dict[str, NDArray[Any]],
    said: Sequence[str],
    every: int,
    size: int,
) -> Iterator[Batch]:
    """Always `size` rows: a last short batch repeats its last frame."""
    wanted = list(range(0, episode.length, every))
    videos = {
        camera: read_video(episode.videos[IMAGES + camera], episode.video_starts[IMAGES + camera], episode.length)
        for camera in model.cameras
    }
    held: dict[str, list[NDArray[np.uint8]]] = {camera: [] for camera in videos}
    at: list[int] = []
    for frame in range(episode.length):
        images = {camera: next(video) for camera, video in videos.items()}
        if frame % every:
            continue
        at.append(frame)
        for camera, image in images.items():
            held[camera].append(image)
        if len(at) == size or frame == wanted[-1]:
            rows = [*at, *[at[-1]] * (size - len(at))]
            filled = {camera: np.stack([kept[min(n, len(kept) - 1)] for n in range(size)])
                      for camera, kept in held.items()}  # fmt: skip
            pose = np.asarray(numeric[POSE], np.float32)[rows] if model.privileged else None
            state = np.asarray(numeric[STATE], np.float32)[rows]
            yield Batch(at, filled, state, pose, [said[row] for row in rows])
            at = []
            held = {camera: [] for camera in videos}
