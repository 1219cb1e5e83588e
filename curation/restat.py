"""Statistics computed anew from the data: compared with those stored, and written in their place.

LeRobot's recomputation leaves the statistics of episodes as they were, and its next deletion brings them back into
stats.json; it does not know images at all. Here both are computed, from every row and every image.

Images are counted where they can be trusted most: in the histograms that were taken before the video was encoded, or,
where there are none or if asked, in the decoded video.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation import layout
from curation.atomic import one_at_a_time, write_aside
from curation.commit import histograms_bytes, kept_histograms
from curation.episodes import EpisodeRow, SavedEpisode
from curation.errors import DataError
from curation.frames import Feature
from curation.histograms import Images, Progress, counted_images, pictures
from curation.info import require_writable
from curation.stats import ImageStats, Stats
from curation.store import Store
from curation.tally import Tally

ROUNDING = 1e-9
"""Largest difference, relative to 1 or the value, that is rounding: numbers and kept histograms are compared by it."""
CODING = 0.02
"""Largest difference of an image's mean or standard deviation (of 0..1) that encoding and LeRobot's sampling make."""

_TINY = 1e-2
"""A column that hardly moves is measured by this share of its values instead."""
_SINGLE = 2e-6
"""Error of a variance, relative to the square of the largest value: LeRobot takes it from a difference of squares."""
_LEAST = 1e-12
"""Keeps a column of zeros from being divided by zero."""

_STATISTICS = ("min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A stored statistic that is not what the data says.

    Attributes:
        feature: key of the feature.
        statistic: min, max, mean, std, count or a quantile.
        episode: which episode's, None for the whole dataset's.
        stored: the value of the column, or colour, that is farthest off for its own spread; None if there is none.
        computed: the value that belongs there.
        column: which column or colour that is.
        spread: standard deviation of it in the data; what a normalised value is divided by.
        reach: its largest absolute value in the data.
    """

    feature: str
    statistic: str
    episode: int | None
    stored: float | None
    computed: float
    column: int
    spread: float
    reach: float

    @property
    def share(self) -> float:
        """How far off the stored value is, in standard deviations; infinite if there is none or it is no number.

        None of it if it is what LeRobot's single precision makes of a standard deviation.
        """
        if self.stored is None or not math.isfinite(self.stored):
            return math.inf
        if self.statistic == "std" and abs(self.stored**2 - self.computed**2) <= _SINGLE * self.reach**2:
            return 0.0
        return abs(self.stored - self.computed) / (self.spread + _TINY * self.reach + _LEAST)


@dataclass(kw_only=True)
class Restated:
    """Statistics as the data has them.

    Attributes:
        whole: feature to statistics, of the dataset.
        episodes: the same of each episode, by index.
        histograms: of each episode, by index, those that were decoded; the others are exact before encoding.
        skipped: features whose statistics cannot be computed here.
        broken: why images of (episode, feature) cannot be counted.
        still: of those that were decoded, the longest stretch in which nothing changes: first, and one after the last.
    """

    whole: dict[str, Stats] = field(default_factory=dict)
    episodes: list[dict[str, Stats]] = field(default_factory=list)
    histograms: list[dict[str, ImageStats]] = field(default_factory=list)
    skipped: tuple[str, ...] = ()
    broken: dict[tuple[int, str], DataError] = field(default_factory=dict)
    still: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)

    @property
    def decoded(self) -> set[str]:
        """Image features of which any image was decoded."""
        return {key for images in self.histograms for key in images}


def numeric_features(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """The columns of numbers, bookkeeping included; text and arrays of more dimensions are left out."""
    return {
        key: feature
        for key, feature in layout.columns(features).items()
        if len(feature.shape) == 1 and _kind(feature.dtype) in "biuf"
    }


def restate(
    store: Store, images: Images = "missing", *, processes: int | None = None, progress: Progress | None = None
) -> Restated:
    """Compute every statistic of a dataset from its data; nothing is written.

    Args:
        store: the dataset.
        images: which are decoded.
        processes: that decode; one per core by default.
        progress: told about decoded frames.

    Raises:
        DataError: data cannot be read, an image cannot be decoded, a row is missing or a number is not finite.
    """
    features = numeric_features(store.features)
    tally = Tally(features, store.total_episodes)
    for episode, numbers in _numbers(store, features):
        _require_numbers(episode, numbers)
        tally.add(episode.index, numbers)
    found = Restated(whole=tally.whole(), episodes=tally.episodes)
    add_images(store, found, images, processes=processes, progress=progress)
    for refused in found.broken.values():
        raise refused
    return found


def add_images(
    store: Store, found: Restated, images: Images, *, processes: int | None = None, progress: Progress | None = None
) -> None:
    """Complete numeric statistics by those of images. What cannot be decoded is put down in `found.broken`."""
    counted = dict(counted_images(store, images, processes, progress))
    found.broken = {place: one for place, one in counted.items() if isinstance(one, DataError)}
    found.histograms = [{} for _ in store.episodes]
    for key in pictures(store):
        whole, known = ImageStats(), 0
        for index in range(store.total_episodes):
            one = counted.get((index, key))
            if one is None or isinstance(one, DataError):
                continue
            found.episodes[index][key] = one.stats.as_lerobot()
            whole, known = whole.merge(one.stats), known + 1
            if one.decoded:
                found.histograms[index][key] = one.stats
                found.still[index, key] = one.still
        if known and known == store.total_episodes:
            found.whole[key] = whole.as_lerobot()
    found.skipped = tuple(key for key in store.features if key not in found.whole)


def differences(store: Store, found: Restated) -> list[Difference]:
    """Where the stored statistics are not those `found`: stats.json first, then each episode's.

    Raises:
        DataError: meta/episodes cannot be read. A damaged stats.json is taken for none.
    """
    stored = stored_whole(store.root)
    apart = list(_compared(None, stored, found.whole, found.decoded))
    for index, own in stored_episodes(store):
        apart += _compared(index, own, found.episodes[index], found.decoded)
    return apart


def repair(
    store: Store, images: Images = "missing", *, processes: int | None = None, progress: Progress | None = None
) -> list[Difference]:
    """Write the true statistics over those stored, if any differ, and histograms where there are none or damaged ones.

    Data and videos are not touched.

    Each file is replaced at once, the episodes' first and stats.json last: LeRobot opens every state between. A kill
    leaves some replaced; a second repair ends what the first began.

    Returns:
        What differed before.

    Raises:
        UsageError: the dataset is of a version that is only read.
        DataError: data cannot be read, an image cannot be decoded, a row is missing or a number is not finite. Nothing
            was written.
        CannotWrite: the disk refused, or the dataset cannot be locked.
    """
    with one_at_a_time(store.root / layout.COMMIT_LOCK):
        fresh = Store.open(store.root)  # an episode may have been saved since
        require_writable(fresh.root, fresh.info)
        found = restate(fresh, images, processes=processes, progress=progress)
        apart = differences(fresh, found)
        _renew_histograms(fresh, found, over=bool(apart))
        if not apart:
            return apart
        for path in sorted((fresh.root / "meta/episodes").glob("*/*.parquet")):
            _rewrite_episodes(path, found)
        _rewrite_whole(fresh.root, found)
    return apart


def stored_whole(root: Path) -> dict[str, dict[str, Any]]:
    """What stats.json holds; nothing if it is absent or damaged."""
    with suppress(OSError, ValueError):
        stored = json.loads((root / layout.STATS).read_bytes())
        if isinstance(stored, dict):
            return {key: values for key, values in stored.items() if isinstance(values, dict)}
    return {}


def stored_episodes(store: Store) -> Iterator[tuple[int, dict[str, dict[str, Any]]]]:
    """Index and stored statistics of each counted episode, read file by file.

    Raises:
        DataError: a file cannot be read.
    """
    for path in sorted({episode.record for episode in store.episodes}):
        with layout.whole_parquet(path) as file:
            names = [name for name in file.schema_arrow.names if name.startswith("stats/")]
            rows = file.read(columns=["episode_index", *names], use_threads=False).to_pylist()
        for row in rows:
            if row["episode_index"] < store.total_episodes:
                yield row["episode_index"], _nested(row)


def worst(apart: Iterable[Difference]) -> list[Difference]:
    """Of each feature and statistic, in the whole and among episodes, the difference that is largest for its spread."""
    found: dict[tuple[str, str, bool], Difference] = {}
    for one in apart:
        key = (one.feature, one.statistic, one.episode is None)
        if key not in found or one.share > found[key].share:
            found[key] = one
    return list(found.values())


# Numbers.


def _numbers(store: Store, features: Mapping[str, Feature]) -> Iterator[tuple[SavedEpisode, dict[str, NDArray[Any]]]]:
    """Every episode with its rows; each file is read once."""
    by_file: dict[Path, list[SavedEpisode]] = {}
    for episode in store.episodes:
        by_file.setdefault(episode.data, []).append(episode)
    for path, episodes in by_file.items():
        table = layout.read_columns(path, features)
        owner = table["episode_index"].reshape(-1)
        for episode in episodes:
            mine = owner == episode.index
            yield episode, {key: values[mine] for key, values in table.items()}


def _require_numbers(episode: SavedEpisode, numbers: Mapping[str, NDArray[Any]]) -> None:
    rows = len(numbers["episode_index"])
    if rows != episode.length:
        raise DataError(
            f"{episode.data} has {rows} rows of episode {episode.index}, {episode.length} are counted. "
            "Statistics of it would be wrong; studio check says what is damaged."
        )
    broken = [key for key, values in numbers.items() if not np.isfinite(values).all()]
    if broken:
        raise DataError(
            f"Episode {episode.index}: {', '.join(broken)} holds numbers that are not finite, so it has no statistics. "
            "Make a dataset without the episode (studio drop)."
        )


# Comparing.


def _compared(
    episode: int | None, stored: Mapping[str, Mapping[str, Any]], found: Mapping[str, Stats], decoded: Collection[str]
) -> Iterator[Difference]:
    for key, stats in found.items():
        tolerance = CODING if key in decoded else ROUNDING
        for name, right in stats.items():
            if key in decoded and name not in ("mean", "std", "count"):
                continue  # extremes and quantiles of sampled or encoded images say nothing
            value = stored.get(key, {}).get(name)
            pairs = _apart(value, right, 0.0 if name == "count" else tolerance)
            if pairs:
                yield max(
                    (
                        Difference(
                            feature=key, statistic=name, episode=episode, stored=given, computed=due, column=column,
                            spread=float(stats["std"].ravel()[column]), reach=_reach(stats, column),
                        )
                        for column, given, due in pairs
                    ),
                    key=lambda one: one.share,
                )  # fmt: skip


def _reach(stats: Stats, column: int) -> float:
    return max(abs(float(stats[name].ravel()[column])) for name in ("min", "max"))


def _apart(stored: Any, right: NDArray[Any], tolerance: float) -> list[tuple[int, float | None, float]]:
    """Columns whose stored value is not the right one, with both; the first with None if there is none to compare."""
    expected = right.astype(np.float64).ravel()
    try:
        given = np.asarray(stored, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        given = np.full(0, np.nan)
    if stored is None or given.shape != expected.shape:
        return [(0, None, float(expected[0]))]
    gap = np.abs(given - expected)
    gap[~np.isfinite(given)] = np.inf
    wrong = np.flatnonzero(gap > tolerance * np.maximum(1.0, np.abs(expected)))
    return [(int(place), float(given[place]), float(expected[place])) for place in wrong]


def _nested(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Columns "stats/<feature>/<statistic>" as feature -> statistic -> value; what is null is left out."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in row.items():
        if name.startswith("stats/") and value is not None:
            key, _, statistic = name.removeprefix("stats/").rpartition("/")
            found.setdefault(key, {})[statistic] = value
    return found


# Writing.


def _renew_histograms(store: Store, found: Restated, *, over: bool) -> None:
    """Keep what was decoded of our own episodes, over what was counted before encoding or only where that is lost."""
    # Ids of other people's episodes belong to a place, not to an episode.
    for episode, decoded in zip(store.episodes, found.histograms, strict=True):
        kept = kept_histograms(store.root, episode)
        new = decoded if over else {key: stats for key, stats in decoded.items() if key not in kept}
        if new and episode.row.episode_id != EpisodeRow.unknown(episode.index).episode_id:
            write_aside(store.root / layout.histograms_path(episode.row.episode_id), histograms_bytes(kept | new))


def _rewrite_episodes(path: Path, found: Restated) -> None:
    """Replace the statistics in one file of meta/episodes; every other column and every type stays."""
    with layout.whole_parquet(path) as file:
        table = file.read(use_threads=False)
    fresh = table
    owners = table["episode_index"].to_pylist()
    for key in found.whole:
        for name in _STATISTICS:
            column = f"stats/{key}/{name}"
            old = table[column].to_pylist() if column in table.column_names else [None] * len(owners)
            # A row that info.json does not count yet is somebody's who is still writing: it keeps what it has.
            new = [
                found.episodes[owner][key][name].tolist() if owner < len(found.episodes) else kept
                for owner, kept in zip(owners, old, strict=True)
            ]
            fresh = _with_column(fresh, column, new, found.episodes[0][key][name])
    if not fresh.equals(table):
        write_aside(path, layout.parquet_bytes(fresh))


def _with_column(table: pa.Table, name: str, values: list[Any], example: NDArray[Any]) -> pa.Table:
    if name in table.column_names:
        place = table.column_names.index(name)
        kind = table.schema.field(name).type
        return table.set_column(place, table.schema.field(name), pa.array(values, kind))
    kind = pa.int64() if example.dtype.kind == "i" else pa.float64()
    for _ in example.shape:
        kind = pa.list_(kind)
    # What Hugging Face's library notes about columns would no longer fit.
    metadata = {key: value for key, value in (table.schema.metadata or {}).items() if key != b"huggingface"}
    return table.append_column(name, pa.array(values, kind)).replace_schema_metadata(metadata)


def _rewrite_whole(root: Path, found: Restated) -> None:
    """Replace stats.json; what is said there of features that cannot be computed stays."""
    right = layout.stats_json(found.whole)
    stored = stored_whole(root)
    written = layout.json_bytes({**{key: right.get(key, values) for key, values in stored.items()}, **right})
    path = root / layout.STATS
    if not path.exists() or path.read_bytes() != written:
        write_aside(path, written)


def _kind(dtype: str) -> str:
    try:
        return np.dtype(dtype).kind
    except TypeError:
        return "O"
