"""Read and append LeRobot v3.0 datasets, durably.

LeRobot's own writer keeps its parquet footers open until `finalize()`, overwrites JSON in
place and writes data before videos before episodes, so a kill loses the session; and importing
it takes ten seconds. This one needs neither LeRobot nor torch, and every commit leaves a
dataset that LeRobot 0.6.1 opens, merges and trains on.

The order of a commit is what makes a kill harmless at any point of it. LeRobot reads every
`data/*/*.parquet` and every `meta/episodes/*/*.parquet`, but asks only for the episodes and
frames that info.json counts. So files that are not counted yet are never looked at, provided
that (1) they sort after all others, (2) an episode's row appears after what it points at, and
(3) info.json, which counts it, appears last:

    videos, sidecar, histograms, tasks, data, meta/episodes, stats, info

Rows before info.json leave one episode too many in `meta/episodes`, with data and videos in
place; info.json before rows would make LeRobot look for an episode that has none, and fail.
A reader passes over what an interrupted or unfinished commit left, and changes nothing. It is
removed when the dataset is next opened for writing or appended to. The staged episode is linked,
not moved, and dropped only once it is saved: rolling a commit back destroys nothing, and
committing again completes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.atomic import ASIDE, one_at_a_time, place, remove, write_aside
from curation.commit import (
    Commit,
    frames_in_stats,
    histograms_bytes,
    kept_histograms,
    last_positions,
    prepare,
    strays,
)
from curation.episodes import EpisodeRow, SavedEpisode, StagedEpisode, check_staged, stage
from curation.errors import CannotWrite, DataError, NoScene, NotADataset, TargetExists, UnknownChoice, UsageError
from curation.frames import Feature
from curation.info import NUMBERS, check_features, features_of, new_info, parse_info, read_info, require_writable
from curation.stats import ImageStats, NumericStats, Running, lerobot_stats, merged
from curation.video import Encoding, read_video

__all__ = ["EpisodeRow", "SavedEpisode", "StagedEpisode", "Store", "stage"]


class Store:
    """A dataset on disk. Make one with `create` or `open`.

    Several stores may append to one dataset, in one process or many: a commit holds the dataset's
    lock file, and catches up with what others saved before it adds its own.

    Attributes:
        root: the dataset's folder.
        fps: frames per second.
        features: the recorded columns, without LeRobot's bookkeeping.
        robot_type: LeRobot's name of the robot.
        tasks: instructions in words; the index in this list is `task_index`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # What a commit left before this store was made is only looked for by who may remove it.
        self._unfinished = True
        self._load()

    @classmethod
    def create(
        cls,
        root: Path,
        *,
        fps: int,
        features: Mapping[str, Feature],
        robot_type: str,
        scene: Mapping[str, Any],
        encoding: Encoding,
    ) -> Self:
        """Start an empty dataset.

        On disk it is meta/info.json, which counts 0 episodes, and meta/studio/scene.json. `open`
        accepts it; LeRobot reads its metadata and needs a first episode for the rest.

        Args:
            root: a path where nothing is, or what an interrupted `create` left.
            fps: frames per second.
            features: video features of shape (height, width, 3), numeric ones of shape (D,).
            robot_type: LeRobot's name of the robot.
            scene: JSON values that describe scene, reach and views.
            encoding: how images become video.

        Raises:
            TargetExists: something is there.
            UsageError: a feature cannot be stored.
            CannotWrite: the disk refused.
        """
        check_features(features)
        if not _is_free(root):
            raise TargetExists(root, "Choose another place, or continue it with --resume.")
        info = new_info(fps, features, robot_type, encoding)
        write_aside(root / layout.SCENE, layout.json_bytes(dict(scene)))
        write_aside(root / layout.INFO, layout.json_bytes(info))
        return cls(root)

    @classmethod
    def open(cls, root: Path, *, writing: bool = False) -> Self:
        """Read a dataset.

        Args:
            root: the dataset's folder.
            writing: also remove what an interrupted commit left in it; for the one recorder that
                holds the dataset. Without it nothing is written or removed.

        Raises:
            NotADataset: it is none.
            UsageError: if `writing`, it is of a version that is only read.
            DataError: its metadata is damaged, or, if `writing`, it holds more than a commit can leave.
            CannotWrite: if `writing`, the disk refused.
        """
        if not root.is_dir():
            raise NotADataset(root, "there is no such folder")
        store = cls(root)
        if writing:
            require_writable(root, store._info)
        if writing and store._appendable:
            with one_at_a_time(root / layout.COMMIT_LOCK):
                store._catch_up()
        return store

    @property
    def fps(self) -> int:
        return int(self._info["fps"])

    @property
    def info(self) -> dict[str, Any]:
        """What info.json holds."""
        return dict(self._info)

    @property
    def robot_type(self) -> str:
        return self._info.get("robot_type") or ""

    @property
    def total_episodes(self) -> int:
        return len(self.episodes)

    @property
    def total_frames(self) -> int:
        return int(self._info["total_frames"])

    @property
    def scene(self) -> dict[str, Any]:
        """What `create` was told about the scene; empty for other people's datasets."""
        try:
            scene: dict[str, Any] = json.loads((self.root / layout.SCENE).read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise DataError(f"{self.root / layout.SCENE} cannot be read: {error}") from error
        return scene

    def require_scene(self) -> dict[str, Any]:
        """`scene`, for those who cannot do without.

        Raises:
            NoScene: it has none.
        """
        scene = self.scene
        if "scene" not in scene:
            raise NoScene(self.root)
        return scene

    @property
    def encoding(self) -> Encoding:
        """How this dataset's images became video; as far as it says, else the defaults."""
        cameras = layout.cameras(self.features)
        return self.encoding_of(cameras[0]) if cameras else Encoding()

    def encoding_of(self, camera: str) -> Encoding:
        """How the images of one camera became video; as far as the dataset says, else the defaults."""
        info = self._info["features"][camera].get("info") or {}
        named = {"codec": "codec", "preset": "preset", "crf": "crf", "gop": "g", "pix_fmt": "pix_fmt"}
        known = {name: info.get(f"video.{key}") for name, key in named.items()}
        return Encoding(**{name: value for name, value in known.items() if value is not None})

    def rows(self) -> list[EpisodeRow]:
        """What is known about every episode, in order."""
        return [episode.row for episode in self.episodes]

    def episode(self, which: int | str) -> SavedEpisode:
        """The episode with this index or id.

        Raises:
            UnknownChoice: there is none.
        """
        index = self._index_of.get(which, -1) if isinstance(which, str) else which
        if not 0 <= index < len(self.episodes):
            choices = self._index_of if isinstance(which, str) else [f"0 to {len(self.episodes) - 1}"]
            raise UnknownChoice("episode", which, choices)
        return self.episodes[index]

    def numeric(self, which: int | str) -> dict[str, NDArray[Any]]:
        """The numeric features of an episode, shape (length, D) each.

        Raises:
            UnknownChoice: there is no such episode.
            DataError: its data cannot be read.
        """
        episode = self.episode(which)
        vectors = {key: f for key, f in self.features.items() if f.dtype in NUMBERS and len(f.shape) == 1}
        return layout.read_columns(episode.data, vectors, episode.index)

    def commit(self, staged: StagedEpisode) -> int:
        """Save a staged episode; when this returns, it survives a power cut. The stage is dropped.

        Args:
            staged: complete, on the same file system if it shall not be copied.

        Returns:
            Its index in the dataset. An episode whose id is there already is not added again.

        Raises:
            DataError: it does not fit, or is damaged. Nothing was written.
            UsageError: the dataset was not written by this studio, so no episode can be added.
            CannotWrite: the disk refused, or the dataset cannot be locked. It is as it was, the stage is whole.
        """
        self._require_appendable()
        with one_at_a_time(self.root / layout.COMMIT_LOCK):
            self._catch_up()
            index = self._index_of.get(staged.row.episode_id)
            if index is None:
                index = self._append(staged)
        staged.drop()
        return index

    # Reading.

    def _load(self) -> None:
        self._info_bytes = read_info(self.root)
        self._info = parse_info(self.root, self._info_bytes)
        self.features = features_of(self._info)
        self.tasks = _read_tasks(self.root)[: self._info["total_tasks"]]
        records = self._read_records()
        self._position = last_positions(records, layout.cameras(self.features))
        self.episodes = [SavedEpisode.of(self.root, self._info, record) for record in records]
        self._index_of = {episode.row.episode_id: episode.index for episode in self.episodes}
        self._appendable = self._is_ours()
        self._running: Running | None = None

    def _read_records(self) -> list[dict[str, Any]]:
        total = self._info["total_episodes"]
        paths = sorted((self.root / "meta/episodes").glob("*/*.parquet")) if total else []
        found: dict[int, dict[str, Any]] = {}
        for record in layout.read_episodes(paths):
            if record["episode_index"] < total:
                found[record["episode_index"]] = record
            if len(found) == total:  # what follows is not counted, and may vanish while it is read
                break
        absent = [index for index in range(total) if index not in found]
        if absent:
            raise DataError(f"{self.root} counts {total} episodes, meta/episodes has none numbered {absent[0]}.")
        return [found[index] for index in range(total)]

    def _is_ours(self) -> bool:
        """Whether its first episode, or else its scene, was written by this studio."""
        if not self.episodes:
            return (self.root / layout.SCENE).exists()
        return layout.has_studio_columns(min((self.root / "meta/episodes").glob("*/*.parquet")))

    # Appending.

    def _catch_up(self) -> None:
        """See what other stores saved, and clear what they or this one left unfinished."""
        if read_info(self.root) != self._info_bytes:
            self._load()
            self._unfinished = True
        if self._unfinished:
            self._roll_back()

    def _require_appendable(self) -> None:
        require_writable(self.root, self._info)
        if not self._appendable:
            raise UsageError(
                f"{self.root} has no studio/ columns, so no episode can be added to it. "
                "Record a new dataset and merge the two."
            )

    def _append(self, staged: StagedEpisode) -> int:
        self._require_appendable()
        check_staged(staged, self._info, self.features)
        commit = prepare(staged, self._info, self.features, self.tasks, self._position, self._totals())
        self._unfinished = True
        try:
            self._write(commit)
        except CannotWrite:
            with suppress(CannotWrite, DataError):
                self._roll_back()
            raise
        self._accept(commit)
        return int(commit.record["episode_index"])

    def _write(self, commit: Commit) -> None:
        for name, content in commit.writes:
            if isinstance(content, Path):
                place(content, self.root / name)
            else:
                write_aside(self.root / name, content)

    def _accept(self, commit: Commit) -> None:
        self._info, self._info_bytes = commit.info, commit.info_bytes
        self._position, self.tasks, self._running = commit.position, commit.tasks, commit.running
        episode = SavedEpisode.of(self.root, self._info, commit.record)
        self.episodes.append(episode)
        self._index_of[episode.row.episode_id] = episode.index
        self._unfinished = False

    def _totals(self) -> Running:
        """Statistics of all saved episodes, read from the disk the first time they are needed."""
        if self._running is None:
            self._running = self._rebuilt() if self.episodes else {}
        return self._running

    def _rebuilt(self) -> Running:
        stored = layout.columns(self.features)
        parts = [layout.read_columns(path, stored) for path in sorted({e.data for e in self.episodes})]
        running: Running = {key: NumericStats.of(np.concatenate([part[key] for part in parts])) for key in stored}
        for episode in self.episodes:
            running = running | merged(running, dict(self._histograms(episode)))
        return running

    def _histograms(self, episode: SavedEpisode) -> dict[str, ImageStats]:
        """An episode's image statistics; counted anew from its videos if a foreign tool dropped or damaged them."""
        kept = kept_histograms(self.root, episode)
        found = {key: kept.get(key) or ImageStats() for key in episode.videos}
        for key in found.keys() - kept.keys():
            for image in read_video(episode.videos[key], episode.video_starts[key], episode.length):
                found[key].add(image)
        if found.keys() - kept.keys():
            write_aside(self.root / layout.histograms_path(episode.row.episode_id), histograms_bytes(found))
        return found

    def _roll_back(self) -> None:
        """Remove what an interrupted commit left, then make tasks and statistics match info.json.

        The commit lock must be held: what looks left may be what another is about to count.
        """
        if not self._appendable:
            return
        for path in strays(self.root, self._position, set(self._index_of)):
            remove(path)
        if _read_tasks(self.root) != self.tasks:
            self._rewrite(layout.TASKS, layout.parquet_bytes(layout.tasks_table(self.tasks)))
        if frames_in_stats(self.root / layout.STATS) != self.total_frames:
            self._rewrite(layout.STATS, layout.json_bytes(layout.stats_json(lerobot_stats(self._totals()))))
        self._unfinished = False

    def _rewrite(self, name: str, data: bytes) -> None:
        """Write a file that only a dataset with episodes has."""
        if self.episodes:
            write_aside(self.root / name, data)
        else:
            remove(self.root / name)


def _is_free(root: Path) -> bool:
    """Whether `root` is absent, or holds nothing but what an interrupted `create` may leave."""
    if not root.exists():
        return True
    found = [path for path in root.rglob("*") if not path.is_dir()] if root.is_dir() else [root]
    return all(path == root / layout.SCENE or path.suffix == ASIDE for path in found)


def _read_tasks(root: Path) -> list[str]:
    path = root / layout.TASKS
    return layout.read_tasks(path) if path.exists() else []
