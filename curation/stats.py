"""Exact statistics of columns and of images, mergeable episode by episode.

LeRobot averages the quantiles of episodes, which gives no quantile of anything. Here the
whole dataset's are exact: a column keeps its values sorted, a camera keeps a histogram of all
256 levels, and both merge without loss. Both are values: merging makes a new one, so that a
commit that fails leaves the running statistics as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
"""LeRobot's names of the quantiles it stores."""

Stats = dict[str, NDArray[Any]]
"""Statistic name to values: min, max, mean, std, count and the quantiles."""

_LEVELS = 256


@dataclass(frozen=True)
class NumericStats:
    """The values of one feature.

    Attributes:
        values: shape (D, N), every row sorted, in the dtype they were given in.
        mean: shape (D,), float64.
        squares: sum of squared deviations from the mean, shape (D,), float64.
    """

    values: NDArray[Any]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Statistics of `values`, shape (N, D) or (N,), N at least 1."""
        columns = np.atleast_2d(np.asarray(values).T)
        wide = columns.astype(np.float64)
        mean = wide.mean(axis=1)
        return cls(np.sort(columns, axis=1), mean, ((wide - mean[:, None]) ** 2).sum(axis=1))

    def merge(self, other: NumericStats) -> NumericStats:
        """Statistics of both sets of values together."""
        n, m = self.values.shape[1], other.values.shape[1]
        both = np.concatenate([self.values, other.values], axis=1)
        both.sort(axis=1, kind="stable")  # a merge of two sorted runs, linear in their length
        apart = other.mean - self.mean
        mean = self.mean + apart * (m / (n + m))
        return NumericStats(both, mean, self.squares + other.squares + apart**2 * (n * m / (n + m)))

    def as_lerobot(self) -> Stats:
        """LeRobot's statistics, shape (D,) each, count (1,)."""
        n = self.values.shape[1]
        basic: Stats = {
            "min": self.values[:, 0].astype(np.float64),
            "max": self.values[:, -1].astype(np.float64),
            "mean": self.mean,
            "std": np.sqrt(self.squares / n),
            "count": np.array([n]),
        }
        return basic | {name: self._quantile(q) for name, q in QUANTILES.items()}

    def _quantile(self, q: float) -> NDArray[np.float64]:
        below, above, part = _neighbours(self.values.shape[1], q)
        low, high = (self.values[:, i].astype(np.float64) for i in (below, above))
        return np.asarray(low + (high - low) * part)


class ImageStats:
    """Histograms of the images of one camera: 3 channels of 256 levels.

    Pixels are taken on the grid on which LeRobot samples images (every 4th row and column at
    640x480, every one below 300 pixels), which costs about 0.2 ms an image.

    Attributes:
        images: how many images were added.
        counts: shape (3, 256), int64.
    """

    def __init__(self, images: int = 0, counts: ArrayLike | None = None) -> None:
        self.images = images
        self.counts: NDArray[np.int64] = (
            np.zeros((3, _LEVELS), np.int64) if counts is None else np.array(counts, np.int64)
        )

    def add(self, image: NDArray[np.uint8]) -> None:
        """Count the pixels of one uint8 RGB image, shape (height, width, 3)."""
        stride = _stride(*image.shape[:2])
        sample = image[::stride, ::stride]
        for channel in range(3):
            self.counts[channel] += np.bincount(sample[:, :, channel].ravel(), minlength=_LEVELS)
        self.images += 1

    def merge(self, other: ImageStats) -> ImageStats:
        """Histograms of both sets of images together."""
        return ImageStats(self.images + other.images, self.counts + other.counts)

    def as_lerobot(self) -> Stats:
        """LeRobot's statistics in 0..1, shape (3, 1, 1) each; count (1,) is the number of images."""
        basic: Stats = {name: values.reshape(3, 1, 1) for name, values in self._levels().items()}
        return basic | {"count": np.array([self.images])}

    def to_json(self) -> dict[str, Any]:
        """JSON values from which `from_json` restores this exactly."""
        return {"images": self.images, "counts": self.counts.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(int(stored["images"]), stored["counts"])

    def _levels(self) -> dict[str, NDArray[np.float64]]:
        levels = np.arange(_LEVELS) / (_LEVELS - 1)
        pixels = self.counts.sum(axis=1)
        mean = self.counts @ levels / pixels
        spread = (self.counts * (levels - mean[:, None]) ** 2).sum(axis=1) / pixels
        wanted = {"min": 0.0, "max": 1.0, **QUANTILES}
        # As `np.quantile` would find them over all counted pixels, per channel.
        placed = np.array([_levels_at(np.cumsum(channel), list(wanted.values())) for channel in self.counts])
        found = dict(zip(wanted, (placed / (_LEVELS - 1)).T, strict=True))
        return {"min": found.pop("min"), "max": found.pop("max"), "mean": mean, "std": np.sqrt(spread), **found}


Running = dict[str, NumericStats | ImageStats]
"""Feature to statistics, of an episode or of a whole dataset."""


def merged(running: Running, more: Running) -> Running:
    """Statistics of both together; a feature that only one of them has is taken from it."""
    return {key: _merge(running.get(key), more.get(key)) for key in running | more}


def lerobot_stats(running: Running) -> dict[str, Stats]:
    """Statistics of every feature, as LeRobot stores them."""
    return {key: stats.as_lerobot() for key, stats in running.items()}


def _merge(one: NumericStats | ImageStats | None, other: NumericStats | ImageStats | None) -> NumericStats | ImageStats:
    match one, other:
        case NumericStats(), NumericStats():
            return one.merge(other)
        case ImageStats(), ImageStats():
            return one.merge(other)
        case None, (NumericStats() | ImageStats()) as only:
            return only
        case (NumericStats() | ImageStats()) as only, None:
            return only
    raise TypeError(f"{type(one)} and {type(other)} cannot be merged")


def _levels_at(cumulated: NDArray[np.int64], quantiles: Sequence[float]) -> NDArray[np.float64]:
    count = int(cumulated[-1])
    below, above, part = np.array([_neighbours(count, q) for q in quantiles]).T
    low, high = np.searchsorted(cumulated, [below, above], side="right")
    return np.asarray(low + (high - low) * part)


def _neighbours(count: int, q: float) -> tuple[int, int, float]:
    """The two sorted positions around quantile `q` of `count` values, and the part between them."""
    place = (count - 1) * q
    below = int(place)
    return below, min(below + 1, count - 1), place - below


def _stride(height: int, width: int) -> int:
    longer = max(height, width)
    return 1 if longer < 300 else longer // 150
