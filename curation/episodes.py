"""An episode on its way into a dataset, and one that is saved there.

A staged episode is a folder that a rendering process fills with what an episode consists of.
Its `episode.json` is written last, so a folder that has one is complete by definition; all
else in it is already flushed to the disk by then.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from curation.atomic import place, sync_file, write_aside
from curation.errors import DataError
from curation.frames import Feature
from curation.info import features_of
from curation.layout import EPISODES, Position, cameras, frames_path, known_column
from curation.stats import ImageStats
from curation.video import check_video

EPISODE, NUMERIC, FRAMES = "episode.json", "numeric.npz", "frames.parquet"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SEED_LIMIT = 2**63


@dataclass(frozen=True, kw_only=True)
class EpisodeRow:
    """What is known about an episode as a whole; the `studio/` columns of meta/episodes.

    Attributes:
        episode_id: permanent and unique; names files.
        x: where the block was put, metres in the robot's base frame; NaN if unknown.
        y: as x.
        yaw_deg: the block's yaw, degrees; NaN if unknown.
        seed: of the world's reset.
        operator: who drove.
        outcome: the judge's word.
        success: whether that counts as success.
        extra: everything else; JSON values only.
    """

    episode_id: str
    x: float
    y: float
    yaw_deg: float
    seed: int
    operator: str
    outcome: str
    success: bool
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.episode_id):
            raise DataError(f"Episode id '{self.episode_id}' cannot name a file: use letters, digits, . _ -")
        if not -_SEED_LIMIT <= self.seed < _SEED_LIMIT:
            raise DataError(f"Episode {self.episode_id}: seed {self.seed} does not fit in 64 bits.")

    def columns(self) -> dict[str, Any]:
        """The per-episode columns."""
        plain = asdict(self)
        extra = json.dumps(plain.pop("extra"), sort_keys=True, ensure_ascii=False, allow_nan=False)
        # str() and bool() because an enum or a numpy scalar may be given for either.
        text = {key: str(plain[key]) for key in ("operator", "outcome")}
        named = {**plain, **text, "success": bool(self.success), "json": extra}
        return {f"studio/{key}": value for key, value in named.items()}

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> Self:
        """What `columns` gave, found among other columns."""
        own = {key.removeprefix("studio/"): v for key, v in columns.items() if key.startswith("studio/")}
        names = ("episode_id", "x", "y", "yaw_deg", "seed", "operator", "outcome", "success")
        own["seed"] = int(own["seed"])  # LeRobot's merge makes it a float where other episodes have none
        own |= {name: np.nan for name in ("x", "y", "yaw_deg") if own[name] is None}  # its merge has no NaN
        return cls(**{name: own[name] for name in names}, extra=json.loads(own["json"]))

    @classmethod
    def unknown(cls, index: int) -> Self:
        """The row of an episode of a dataset that has no `studio/` columns."""
        nan = float("nan")
        episode_id = f"episode-{index:06d}"
        return cls(episode_id=episode_id, x=nan, y=nan, yaw_deg=nan, seed=0, operator="", outcome="", success=False)


@dataclass(frozen=True, kw_only=True)
class StagedEpisode:
    """A complete episode in a folder, not yet in a dataset.

    Attributes:
        folder: where its files are: `<camera key>.mp4`, numeric.npz, perhaps frames.parquet.
        row: what is known about it.
        task: the instruction, in words.
        length: frames.
        images: statistics of each camera's images.
        tasks: the instruction of every frame, where they have several; else empty.
    """

    folder: Path
    row: EpisodeRow
    task: str
    length: int
    images: dict[str, ImageStats]
    tasks: tuple[str, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a complete stage folder.

        Raises:
            DataError: it has no readable episode.json, so it is not complete.
        """
        try:
            stored = json.loads((folder / EPISODE).read_bytes())
            images = {key: ImageStats.from_json(value) for key, value in stored["images"].items()}
            row, tasks = EpisodeRow(**stored["row"]), tuple(stored.get("tasks") or ())
            return cls(folder=folder, row=row, task=stored["task"], length=stored["length"], images=images, tasks=tasks)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{folder} holds no complete staged episode: {error}") from error

    def video(self, camera: str) -> Path:
        """The mp4 of one camera."""
        return self.folder / f"{camera}.mp4"

    @property
    def frames(self) -> Path | None:
        """The physics sidecar, if there is one."""
        path = self.folder / FRAMES
        return path if path.exists() else None

    @property
    def said(self) -> tuple[str, ...]:
        """The instruction of every frame."""
        return self.tasks or (self.task,) * self.length

    def numeric(self) -> dict[str, NDArray[Any]]:
        """Every numeric feature, shape (length, D).

        Raises:
            DataError: numeric.npz is not whole.
        """
        try:
            with np.load(self.folder / NUMERIC, allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        except Exception as error:  # zipfile, zlib, numpy and the disk each raise their own
            raise DataError(f"Episode {self.row.episode_id}: {NUMERIC} cannot be read: {error}") from error

    def drop(self) -> None:
        """Remove the episode's files, and the folder unless it holds something else."""
        names = [EPISODE, NUMERIC, FRAMES, *(f"{camera}.mp4" for camera in self.images)]
        with suppress(OSError):
            for name in names:
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()


@dataclass(frozen=True, kw_only=True)
class SavedEpisode:
    """An episode of a dataset.

    Attributes:
        row: what is known about it.
        index: its place in the dataset.
        start: index of its first frame in the whole dataset.
        length: frames.
        tasks: the instructions of its frames, in words, as its row names them; almost always one.
        others: columns of its row that neither LeRobot nor the studio knows.
        data: the parquet file that holds its frames, perhaps among others'.
        videos: the mp4 of each camera.
        video_starts: for each camera the first frame of this episode within its mp4.
        frames: where its physics sidecar belongs; no file is there after a tool that does not know it.
        record: the parquet file of meta/episodes that holds its row, perhaps among others'.
    """

    row: EpisodeRow
    index: int
    start: int
    length: int
    tasks: tuple[str, ...]
    others: dict[str, Any]
    data: Path
    videos: dict[str, Path]
    video_starts: dict[str, int]
    frames: Path
    record: Path

    @property
    def task(self) -> str:
        """The instruction; of several, the one that is named first."""
        return next(iter(self.tasks), "")

    @property
    def task_words(self) -> str:
        """All its instructions, for people."""
        return "; ".join(self.tasks)

    @classmethod
    def of(cls, root: Path, info: Mapping[str, Any], record: Mapping[str, Any]) -> Self:
        """The episode that a row of meta/episodes describes.

        Args:
            root: the dataset's folder.
            info: its info.json.
            record: column name to value, without statistics.
        """
        index = record["episode_index"]
        known = record.get("studio/episode_id") is not None
        row = EpisodeRow.from_columns(record) if known else EpisodeRow.unknown(index)
        keys = cameras(features_of(info))

        def file(name: str, pattern: str, camera: str = "") -> Path:
            return root / Position.recorded(record, name).path(pattern, camera)

        return cls(
            row=row,
            index=index,
            start=record["dataset_from_index"],
            length=record["length"],
            tasks=tuple(record["tasks"]),
            others={name: value for name, value in record.items() if not known_column(name)},
            data=file("data", info["data_path"]),
            videos={key: file(f"videos/{key}", info["video_path"], key) for key in keys},
            video_starts={key: round(record[f"videos/{key}/from_timestamp"] * info["fps"]) for key in keys},
            frames=root / frames_path(row.episode_id),
            record=file("meta/episodes", EPISODES),
        )


def stage(
    folder: Path,
    *,
    row: EpisodeRow,
    task: str,
    numeric: Mapping[str, NDArray[Any]],
    images: Mapping[str, ImageStats],
    frames_parquet: Path | None = None,
    tasks: Sequence[str] = (),
) -> StagedEpisode:
    """Complete a stage folder that already holds `<camera key>.mp4` for every key of `images`.

    Args:
        folder: the stage folder.
        row: what is known about the episode.
        task: the instruction, in words.
        numeric: every numeric feature, shape (frames, D).
        images: statistics of each camera's images.
        frames_parquet: the physics sidecar. It is linked into the folder; the file stays its owner's.
        tasks: the instruction of every frame, where they have several.

    Raises:
        DataError: lengths differ or a video is absent.
        CannotWrite: the disk refused.
    """
    length = _common_length(row.episode_id, numeric, images)
    staged = StagedEpisode(folder=folder, row=row, task=task, length=length, images=dict(images), tasks=tuple(tasks))
    for camera in images:
        if not staged.video(camera).exists():
            raise DataError(f"Episode {row.episode_id}: {staged.video(camera)} is missing.")
        sync_file(staged.video(camera))
    if frames_parquet is not None and frames_parquet != folder / FRAMES:
        place(frames_parquet, folder / FRAMES)
    if staged.frames is not None:
        sync_file(staged.frames)
    write_aside(folder / NUMERIC, npz_bytes(numeric))
    described = {
        "row": asdict(row),
        "task": task,
        "length": length,
        "images": {camera: stats.to_json() for camera, stats in images.items()},
        "tasks": list(tasks),
    }
    write_aside(folder / EPISODE, json.dumps(described).encode())
    return staged


def check_staged(staged: StagedEpisode, info: Mapping[str, Any], features: Mapping[str, Feature]) -> None:
    """Check that a staged episode fits a dataset.

    Args:
        staged: the episode.
        info: the dataset's info.json.
        features: the dataset's features.

    Raises:
        DataError: what does not fit, with its value.
        UnreadableVideo: a video is damaged or has other frames than the episode has rows.
    """
    name = f"Episode {staged.row.episode_id}"
    if not all((staged.task, *staged.tasks)):
        raise DataError(f"{name}: the task is empty.")
    if len(staged.said) != staged.length:
        raise DataError(f"{name} has {staged.length} frames and an instruction for {len(staged.tasks)} of them.")
    wanted = [key for key in features if key not in cameras(features)]
    numeric = staged.numeric()
    _same_keys(f"{name}, numeric features", numeric, wanted)
    _same_keys(f"{name}, cameras", staged.images, cameras(features))
    for key in wanted:
        _check_values(f"{name}, {key}", numeric[key], (staged.length, *features[key].shape), features[key].names)
    for camera in cameras(features):
        _check_camera(staged, camera, info["features"][camera]["info"])


def npz_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A compressed npz file; keys may be any text."""
    sink = io.BytesIO()
    # Keys such as "observation.state" are fine; a key named "file" would clash with savez's argument.
    np.savez_compressed(sink, **arrays)  # type: ignore[arg-type]
    return sink.getvalue()


def _common_length(episode_id: str, numeric: Mapping[str, NDArray[Any]], images: Mapping[str, ImageStats]) -> int:
    lengths = {key: len(values) for key, values in numeric.items()}
    lengths |= {key: stats.images for key, stats in images.items()}
    if len(set(lengths.values())) != 1 or not next(iter(lengths.values())):
        raise DataError(f"Episode {episode_id}: one number of frames above 0 is needed, there are {lengths}.")
    return next(iter(lengths.values()))


def _same_keys(what: str, have: Iterable[str], wanted: Iterable[str]) -> None:
    missing, surplus = sorted(set(wanted) - set(have)), sorted(set(have) - set(wanted))
    if missing or surplus:
        raise DataError(f"{what}: missing {missing or 'none'}, unknown {surplus or 'none'}.")


def _check_values(what: str, values: NDArray[Any], shape: tuple[int, ...], names: tuple[str, ...]) -> None:
    if values.shape != shape:
        raise DataError(f"{what} has shape {values.shape}, {shape} is needed.")
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        frame, column = bad[0]
        which = names[column] if column < len(names) else column
        raise DataError(f"{what} is {values[frame, column]} at frame {frame}, {which}; it must be finite.")


def _check_camera(staged: StagedEpisode, camera: str, info: Mapping[str, Any]) -> None:
    stream = check_video(staged.video(camera))
    for key, have, want in (
        ("frames", stream.frames, staged.length),
        ("images counted", staged.images[camera].images, staged.length),
        *((key, getattr(stream, key), info[f"video.{key}"]) for key in _VIDEO_FACTS),
    ):
        if have != want:
            raise DataError(f"Episode {staged.row.episode_id}, {camera}: {key} is {have}, {want} is needed.")


_VIDEO_FACTS = ("width", "height", "fps", "codec", "pix_fmt")
