"""Statistics of images of which no histogram was kept, held against a sample of frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.checks.finding import Finding, listed
from curation.checks.subject import Subject
from curation.errors import UnreadableVideo
from curation.histograms import pictures
from curation.restat import Restated
from curation.video import read_video

EPISODES, FRAMES = 12, 2
"""Of a camera, episodes that are looked into, evenly over the dataset, and frames of each, evenly over the episode."""
SLACK = 0.06
"""What a sample's mean and standard deviation may be off, of 0..1, beside three standard errors of its frames."""
_MEND = "studio stats DATASET --repair"


def sampled(subject: Subject, whole: Mapping[str, Mapping[str, Any]], found: Restated) -> Iterator[Finding]:
    """Compare the stored mean and spread of cameras that were not counted in full, and say that no more was done.

    Args:
        subject: the dataset.
        whole: what stats.json holds.
        found: what was counted.
    """
    unseen: dict[str, tuple[int, ...]] = {}
    for key in pictures(subject.store):
        lacking = tuple(index for index, own in enumerate(found.episodes) if key not in own)
        broken = {index for index, camera in found.broken if camera == key}
        if lacking := tuple(index for index in lacking if index not in broken):
            unseen[key] = lacking
            yield from _compared(subject, key, whole.get(key, {}))
    if unseen:
        episodes = tuple(sorted({index for mine in unseen.values() for index in mine}))
        yield Finding(
            "statistics",
            "note",
            f"image statistics of {listed(episodes)} were not compared, but for a sample of frames",
            "Nothing as such: no histograms were kept when they were recorded, and counting anew decodes every image.",
            "studio check --deep compares them.",
            episodes,
        )


def _compared(subject: Subject, key: str, stored: Mapping[str, Any]) -> Iterator[Finding]:
    frames = _frames(subject, key)
    mean, spread = (_colours(stored.get(name)) for name in ("mean", "std"))
    if len(frames) < FRAMES or mean is None or spread is None:
        return
    means, squares = frames.mean(axis=1), (frames**2).mean(axis=1)
    error = 3 * means.std(axis=0) / np.sqrt(len(frames))
    seen = means.mean(axis=0)
    deviation = np.sqrt(np.maximum(squares.mean(axis=0) - seen**2, 0.0))
    for name, has, due in (("mean", mean, seen), ("std", spread, deviation)):
        off = np.abs(has - due) - error
        place = int(np.argmax(off))
        if off[place] > SLACK:
            yield Finding(
                "statistics",
                "error",
                f"stats.json is stale for {key}: {name} is {has[place]:.3g}, {due[place]:.3g} in {len(frames)} images",
                "Pixels are normalised by these: the policy is trained and run on pictures too bright or too flat.",
                _MEND,
            )
            return


def _frames(subject: Subject, key: str) -> NDArray[np.float64]:
    """Pixels of the sample in 0..1, shape (frames, pixels, 3); what cannot be decoded is left out."""
    episodes = [episode for episode in subject.store.episodes if key in episode.videos]
    places = np.unique(np.linspace(0, len(episodes) - 1, EPISODES).astype(int)) if episodes else []
    found = []
    for place in places:
        episode = episodes[place]
        for share in (np.arange(FRAMES) + 0.5) / FRAMES:
            start = episode.video_starts[key] + int(share * episode.length)
            try:
                image = next(iter(read_video(episode.videos[key], start, 1)))
            except (UnreadableVideo, StopIteration):
                continue  # the rules about videos say so
            stride = max(1, max(image.shape[:2]) // 160)
            found.append(image[::stride, ::stride].reshape(-1, 3) / 255.0)
    # Files of a damaged dataset may differ in size.
    return np.array([one for one in found if len(one) == len(found[0])]).reshape(
        -1, *(found[0].shape if found else (1, 3))
    )


def _colours(value: Any) -> NDArray[np.float64] | None:
    """Three numbers, or none."""
    try:
        colours = np.asarray(value, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        return None
    return colours if colours.shape == (3,) and np.isfinite(colours).all() else None
