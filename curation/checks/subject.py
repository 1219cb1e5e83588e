"""What checks look at: a dataset's metadata, and its episodes one by one with numbers and physics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation import layout
from curation.checks.finding import Finding, listed
from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.frames import Feature
from curation.names import ACTION, STATE
from curation.notes import masked, read_notes
from curation.restat import numeric_features
from curation.store import Store
from curation.units import Units, read_units
from curation.vectors import NoValue

Numbers = Mapping[str, NDArray[Any]]

EPISODE = "episode_index"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A dataset under examination.

    Attributes:
        store: the dataset.
        records: its rows of meta/episodes without statistics, in order.
        features: its numeric columns, bookkeeping included.
        units: what its joints are measured in.
        hidden: ids of masked episodes.
        deep: whether every image is decoded.
        tell: told how many of how many frames are decoded.
    """

    store: Store
    records: list[dict[str, Any]]
    features: dict[str, Feature]
    units: Units
    hidden: set[str]
    deep: bool = False
    tell: Callable[[int, int], None] | None = None

    @classmethod
    def of(cls, store: Store, *, deep: bool = False, tell: Callable[[int, int], None] | None = None) -> Subject:
        """Collect what is small enough to keep.

        Raises:
            DataError: metadata is damaged.
        """
        paths = sorted({episode.record for episode in store.episodes})
        found = {record["episode_index"]: record for record in layout.read_episodes(paths)}
        return cls(
            store=store,
            records=[found[episode.index] for episode in store.episodes],
            features=numeric_features(store.features),
            units=read_units(store.root),
            hidden=masked(read_notes(store.root)),
            deep=deep,
            tell=tell,
        )

    @property
    def root(self) -> Path:
        return self.store.root

    @property
    def fps(self) -> int:
        return self.store.fps

    @cached_property
    def scene(self) -> dict[str, Any]:
        """What scene.json holds; nothing where it is absent or damaged, which is a finding of its own."""
        with suppress(DataError):
            scene: Any = self.store.scene
            return scene if isinstance(scene, dict) else {}
        return {}

    def size(self, camera: str) -> tuple[int, int]:
        """Height and width of a camera's images."""
        shape = self.store.features[camera].shape
        return (shape[1], shape[2]) if shape[0] in (1, 3) else (shape[0], shape[1])

    def names(self, key: str) -> tuple[str, ...]:
        """What the columns of a feature are called: its names, or its numbers where those do not fit."""
        feature = self.features[key]
        width = feature.shape[0]
        return feature.names if len(feature.names) == width else tuple(map(str, range(width)))

    @cached_property
    def paired(self) -> list[tuple[str, int, int]]:
        """Joints that are both driven and measured: name, column of the action, column of the state."""
        if ACTION not in self.features or STATE not in self.features:
            return []
        driven, measured = self.names(ACTION), self.names(STATE)
        if len(driven) == len(measured) and not set(driven) & set(measured):
            return [(name, column, column) for column, name in enumerate(measured)]
        return [(name, driven.index(name), measured.index(name)) for name in driven if name in measured]


@dataclass(frozen=True, kw_only=True)
class Motion:
    """One episode's rows.

    Attributes:
        subject: the dataset.
        episode: which one.
        numbers: every numeric column of it, shape (N, D); N at least 1, and not always its length.
        rows: where the rows lie in their file, shape (N,).
        first: how many rows the data has before that file; None where a file before it cannot be read.
    """

    subject: Subject
    episode: SavedEpisode
    numbers: Numbers
    rows: NDArray[np.int64]
    first: int | None = None

    @property
    def index(self) -> int:
        return self.episode.index

    @property
    def action(self) -> NDArray[np.float64] | None:
        """Where the joints were sent, shape (N, D)."""
        return self._wide(ACTION)

    @property
    def state(self) -> NDArray[np.float64] | None:
        """Where the joints were, shape (N, D)."""
        return self._wide(STATE)

    @property
    def begins(self) -> bool:
        """Whether its first frame is the first of its recording; a stretch that an edit kept may begin anywhere."""
        cut = self.episode.row.extra.get("cut")
        return not (isinstance(cut, Mapping) and cut.get("start"))

    @cached_property
    def physics(self) -> dict[str, NDArray[np.float64]]:
        """Positions of every joint of the simulation by its name, shape (N, 1 or 7) [m, rad]; empty without them."""
        with suppress(OSError, pa.ArrowException, KeyError, ValueError, TypeError, DataError):
            places = self.subject.scene["physics"]["layout"]
            column = pq.read_table(self.episode.frames, columns=["physics"], use_threads=False)["physics"]
            flat = column.combine_chunks()
            values = np.asarray(flat.flatten(), dtype=np.float64).reshape(len(flat), -1)
            if len(values) == len(self.rows):
                return {name: values[:, 1 + int(a) : 1 + int(a) + int(n)] for name, (a, n) in places.items()}
        return {}

    def _wide(self, key: str) -> NDArray[np.float64] | None:
        return self.numbers[key].astype(np.float64) if key in self.numbers else None


class Watcher(Protocol):
    """A rule about numbers: it sees every episode once, keeps little of each, and then says what it found."""

    def see(self, motion: Motion) -> None: ...

    def findings(self) -> Iterator[Finding]: ...


def motions(subject: Subject) -> Iterator[Motion | Finding]:
    """Every episode with its rows, file by file; a finding where there are none or a file cannot be read."""
    by_file: dict[Path, list[SavedEpisode]] = {}
    for episode in subject.store.episodes:
        by_file.setdefault(episode.data, []).append(episode)
    before = _before(subject.root)
    for path, episodes in by_file.items():
        try:
            table = layout.read_columns(path, subject.features)
        except NoValue as error:
            yield unfilled(subject, path, error, episodes)
            continue
        except (DataError, pa.ArrowException, OSError, KeyError, ValueError) as error:
            yield unreadable(path, error, tuple(episode.index for episode in episodes))
            continue
        owner = table["episode_index"].reshape(-1)
        surplus = ~np.isin(owner, [episode.index for episode in episodes])
        if surplus.any():
            yield uncounted(subject, path, owner[surplus], tuple(episode.index for episode in episodes))
        for episode in episodes:
            rows = np.flatnonzero(owner == episode.index)
            if not len(rows):
                yield absent(subject, path, episode)
                continue
            numbers = {key: values[rows] for key, values in table.items()}
            yield Motion(subject=subject, episode=episode, numbers=numbers, rows=rows, first=before.get(path))


def _before(root: Path) -> dict[Path, int]:
    """Rows before each data file as LeRobot lines them up, by name; none of the files that follow an unreadable one."""
    found: dict[Path, int] = {}
    count = 0
    with suppress(OSError, pa.ArrowException):
        for path in sorted(root.glob("data/*/*.parquet")):
            found[path] = count
            count += pq.read_metadata(path).num_rows
    return found


def uncounted(subject: Subject, path: Path, owners: NDArray[Any], episodes: tuple[int, ...]) -> Finding:
    """Rows of a counted data file that belong to none of the episodes that lie in it."""
    strangers = sorted({int(owner) for owner in owners})
    return Finding(
        "counts",
        "error",
        f"{path.relative_to(subject.root)} holds {len(owners)} rows of {listed(strangers)}, which "
        f"{'is' if len(strangers) == 1 else 'are'} not counted there",
        "LeRobot finds a frame by its place among all rows: every frame behind them is served with the numbers of "
        "another, and sampling runs past the end.",
        "studio merge DATASET --to NEW copies only the rows that count.",
        episodes,
    )


def unreadable(path: Path, error: Exception, episodes: tuple[int, ...]) -> Finding:
    """A data file that cannot be read."""
    return Finding(
        "data readable",
        "error",
        f"{path} cannot be read: {str(error).splitlines()[0]}",
        "LeRobot cannot open the dataset at all: the file was cut off or never finished.",
        "Restore the file from where the dataset was copied; a take that waits on disk comes back with studio recover.",
        episodes,
    )


def unfilled(subject: Subject, path: Path, error: NoValue, episodes: Sequence[SavedEpisode]) -> Finding:
    """Rows without a value where a whole number, a truth or a vector must be."""
    concerned = tuple(episode.index for episode in episodes)
    with suppress(DataError):
        owner = layout.read_columns(path, {EPISODE: layout.BOOKKEEPING[EPISODE]})[EPISODE][error.rows, 0]
        concerned = tuple(sorted({int(index) for index in owner} & {*concerned})) or concerned
    return Finding(
        "nulls",
        "error",
        f"{path.relative_to(subject.root)}: {error.said} ({listed(concerned)})",
        "Training stops at the row, or takes what is absent for a number. Nothing else in the file was looked at, and "
        "no edit reads it.",
        "Restore the file from where the dataset was copied, or write the values with the tool that made it.",
        concerned,
    )


def damaged_scene(subject: Subject) -> Iterator[Finding]:
    """A scene.json that says nothing."""
    try:
        if type(subject.store.scene) is dict:
            return
        what = f"{subject.root / layout.SCENE} holds no object"
    except DataError as error:
        what = str(error)
    yield Finding(
        "scene",
        "error",
        what,
        "LeRobot trains as before; but nobody can say in which world the episodes were recorded, so they cannot be "
        "replayed, drawn anew, merged or evaluated.",
        "Restore meta/studio/scene.json of the source dataset.",
    )


def absent(subject: Subject, path: Path, episode: SavedEpisode) -> Finding:
    """An episode without a single row."""
    return Finding(
        "counts",
        "error",
        f"{path.relative_to(subject.root)} has no row of episode {episode.index}, {episode.length} are counted",
        "LeRobot fails, or serves another episode's frames under its number.",
        "Make a dataset without it (studio drop), or restore the file.",
        (episode.index,),
    )
