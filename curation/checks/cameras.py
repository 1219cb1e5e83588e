"""Whether cameras show what happens: pictures that stand still while the arm moves, cameras exchanged for an episode.

Quickly, the sizes of compressed frames tell: one in which nothing changed takes almost no bytes. Deeply, pictures do.
"""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray

from curation.checks.finding import Finding, listed
from curation.checks.scale import scales
from curation.checks.subject import Motion, Subject
from curation.checks.videos import reels
from curation.errors import DataError
from curation.histograms import STILL_S, pictures
from curation.names import ACTION, STATE
from curation.restat import Restated
from curation.rows import Rows

MOVES = 0.15
"""Share of its range by which a body joint must move for every camera to see it (assumed)."""
EMPTY = 17.0, 12000.0
"""Bytes of a compressed frame in which nothing changed, at most, and pixels for each further byte. x264 takes 34 at
640x480 and 14 at 64x48; where a block of 60 by 30 pixels moves by two pixels a frame, 110 to 180."""
MOST = 0.9
"""Share of an episode's frames that must take so few bytes: a still picture is coded better now and then."""
QUIET = 0.05
"""Share of the camera's usual bytes at which an episode's pictures stand still as well."""
NEARER, APART = 0.5, 0.05
"""An episode's colours are another camera's if they are at most this share as far from them as from its own, and at
least so far from its own (of 0..1)."""
_LEAST = 4
"""Episodes from which a camera's usual colours are known."""

Sizes = NDArray[np.int64]


def moves(subject: Subject, key: str, values: NDArray[np.float64]) -> bool:
    """Whether an arm moves in a stretch of a vector's rows, shape (N, D), so that every camera must see it."""
    if len(values) < 2 or not np.isfinite(values).all():
        return False
    spans = np.ptp(values, axis=0)
    return any(
        span > MOVES * scale.width
        for span, scale in zip(spans, scales(subject, key), strict=True)
        if scale.width is not None and not scale.gripper
    )


class Cameras:
    """Remembers in which episodes the arm moves, and looks there at the sizes of compressed frames."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._key = next((key for key in (STATE, ACTION) if key in subject.features), None)
        self._moved: set[int] = set()

    def see(self, motion: Motion) -> None:
        if self._key is None or len(motion.rows) < STILL_S * self._subject.fps:
            return
        if moves(self._subject, self._key, motion.numbers[self._key].astype(np.float64)):
            self._moved.add(motion.index)

    def findings(self) -> Iterator[Finding]:
        if self._subject.deep or not self._moved:
            return  # deeply, the pictures themselves are compared
        by_camera: dict[str, dict[int, float]] = {}
        for reel in reels(self._subject):
            by_camera.setdefault(reel.camera, {}).update(_bytes(reel.path, reel.spans))
        for camera, found in by_camera.items():
            height, width = self._subject.size(camera)
            usual = float(np.median(list(found.values()))) if found else 0.0
            limit = max(EMPTY[0] + height * width / EMPTY[1], QUIET * usual)
            still = tuple(index for index, size in sorted(found.items()) if size <= limit and index in self._moved)
            if still:
                size = max(found[index] for index in still)
                what = f"{camera} does not change in {listed(still)}, although the arm moves"
                yield _frozen(f"{what}: {MOST:.0%} of its frames take {size:.0f} bytes or less", still)


def _bytes(path: object, spans: list[tuple[int, float, int]]) -> dict[int, float]:
    """The quantile `MOST` of the bytes of an episode's frames but key frames; what cannot be read is left out."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            step = 1 / (stream.average_rate * stream.time_base)
            packets = [
                (round(packet.pts / step), packet.size)
                for packet in container.demux(stream)
                if packet.size and packet.pts is not None and not packet.is_keyframe
            ]
    except (av.FFmpegError, IndexError, TypeError, ZeroDivisionError):
        return {}  # the rules about videos say so
    if not packets:
        return {}
    places, sizes = np.array(sorted(packets)).T
    found = {}
    for episode, start, count in spans:
        mine = sizes[(places >= round(start)) & (places < round(start) + count)]
        if len(mine):
            found[episode] = float(np.quantile(mine, MOST))
    return found


def frozen(subject: Subject, found: Restated) -> Iterator[Finding]:
    """Decoded pictures that stay the same for a second or more while the arm moves."""
    rows = Rows(subject.store)
    by_camera: dict[str, list[int]] = {}
    for (index, camera), (begin, end) in sorted(found.still.items()):
        if end - begin < STILL_S * subject.fps:
            continue
        try:
            numbers = rows.numbers(subject.store.episodes[index])
        except DataError:
            continue  # the rules about rows say so
        key = next((key for key in (STATE, ACTION) if key in numbers), None)
        if key is not None and moves(subject, key, numbers[key][begin:end].astype(np.float64)):
            by_camera.setdefault(camera, []).append(index)
    for camera, episodes in by_camera.items():
        begin, end = found.still[episodes[0], camera]
        yield _frozen(
            f"{camera} shows one picture for {(end - begin) / subject.fps:.1f} s of episode {episodes[0]} while the "
            f"arm moves ({listed(episodes)})",
            tuple(episodes),
        )


def exchanged(subject: Subject, found: Restated) -> Iterator[Finding]:
    """Episodes whose colours, as one camera has them, are those that another camera has elsewhere."""
    keys = pictures(subject.store)
    colours = {
        key: {index: _colours(own[key]) for index, own in enumerate(found.episodes) if key in own} for key in keys
    }
    usual = {
        key: np.median(np.array(list(mine.values())), axis=0) for key, mine in colours.items() if len(mine) >= _LEAST
    }
    for key in usual:
        others = [other for other in usual if other != key]
        strange: dict[int, str] = {}
        for index, mine in colours[key].items():
            own = _away(mine, usual[key])
            nearest = min(others, key=lambda other: _away(mine, usual[other]), default=None)
            if nearest is not None and own > APART and _away(mine, usual[nearest]) < NEARER * own:
                strange[index] = nearest
        if strange and len(strange) < len(colours[key]):
            yield Finding(
                "pictures",
                "warning",
                f"{key} shows what {next(iter(strange.values()))} shows elsewhere in {listed(tuple(strange))}",
                "Cameras were exchanged: the policy is shown one view under the name of another.",
                "Look at them (studio inspect --video); studio drop leaves them out.",
                tuple(strange),
            )


def _colours(stats: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Quantiles and mean of the three colours, in one row."""
    return np.concatenate([np.ravel(stats[name]) for name in ("q10", "q50", "q90", "mean")])


def _away(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.abs(one - other).mean())


def _frozen(what: str, episodes: tuple[int, ...]) -> Finding:
    return Finding(
        "pictures",
        "warning",
        what,
        "The camera hung, and its last picture was stored again and again: the policy learns to act on what is not "
        "there.",
        "Look at them (studio inspect --video); studio drop leaves them out. Where the physics was stored, studio "
        "rerender draws pictures anew.",
        episodes,
    )
