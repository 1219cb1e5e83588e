"""A dataset as it is given to others: frames and episodes in few files, and nothing that only its recorder needs.

A recorder closes a file of frames and one of episodes at every save, so that a kill costs nothing. For a reader on the
other side of a network they are joined; videos stay one file per episode and camera, so they are never written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from curation import layout
from curation.arrow import is_list
from curation.atomic import ASIDE, one_at_a_time
from curation.errors import CannotWrite, DataError, UsageError
from curation.layout import Position
from curation.store import Store

DATA_BYTES = 100 << 20
"""LeRobot's size of a data file, after which the next one begins; before compression."""
FEW = 20
"""Episodes per file from which files are left as they are."""

_PRIVATE = (layout.TAKES, layout.TRASH, layout.STAGING)
_PRIVATE_FILES = (
    layout.COMMIT_LOCK,
    layout.NOTES_LOCK,
    Path(layout.HUB),
    Path(layout.INTENDED),
    layout.SESSION_LOCK,
)
_NEVER_CHANGED = (layout.FRAMES, layout.HISTOGRAMS)
"""Folders with a file for each episode, which stays as it was written."""

Content = bytes | Path
"""What a file shall hold: bytes, or a file that holds it."""


@dataclass(frozen=True)
class Snapshot:
    """A dataset at one moment, while others may go on to record into it or to edit it.

    Attributes:
        store: as it was opened at that moment.
        files: path inside the dataset to content, joined. Every reader finds the same episodes in it as in the dataset.
            What may be written anew is held as bytes.
        seen: every file of it: its size, when it was written [ns], and which it was.
    """

    store: Store
    files: Mapping[str, Content]
    seen: Mapping[str, tuple[int, int, int]]

    @classmethod
    def of(cls, root: Path) -> Snapshot:
        """Take it while nobody commits; nothing is written.

        Raises:
            NotADataset: it is none.
            DataError: a file of it cannot be read.
        """
        with ExitStack() as held:
            with suppress(CannotWrite):  # where nobody may write, nobody commits
                held.enter_context(one_at_a_time(root / layout.COMMIT_LOCK))
            store, seen = Store.open(root), _seen(root)
            return cls(store, _consolidated(store), seen)

    def require_still(self) -> None:
        """Refuse to go on with what the folder does not hold any more.

        Raises:
            UsageError: naming a file that was changed since.
        """
        now = _seen(self.store.root)
        changed = sorted(name for name in self.seen.keys() | now.keys() if self.seen.get(name) != now.get(name))
        if changed:
            raise UsageError(
                f"{self.store.root} was changed meanwhile ({len(changed)} files, such as {changed[0]}). "
                "Wait until nobody records into it or edits it, then run the same command again."
            )


def _seen(root: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in (path for folder in ("meta", "data", "videos") for path in (root / folder).rglob("*")):
        name = path.relative_to(root)
        if not _is_private(name) and path.is_file():
            about = path.stat()
            found[name.as_posix()] = (about.st_size, about.st_mtime_ns, about.st_ino)
    return found


def _is_private(name: Path) -> bool:
    return (
        name in _PRIVATE_FILES or any(folder in name.parents for folder in _PRIVATE) or name.suffix in (ASIDE, ".lock")
    )


def _consolidated(store: Store) -> dict[str, Content]:
    root = store.root
    found: dict[str, Content] = dict(_companions(root, {e.row.episode_id for e in store.episodes}))
    for episode in store.episodes:
        found |= {path.relative_to(root).as_posix(): path for path in episode.videos.values()}
    if not store.episodes:
        return found
    data, places = _data(store)
    found |= data
    found[layout.TASKS] = layout.parquet_bytes(layout.tasks_table(store.tasks))
    rows = _rows(store, places)
    for first in range(0, len(rows), layout.FILES_PER_CHUNK):
        part = rows.slice(first, layout.FILES_PER_CHUNK)
        place = Position(0, first // layout.FILES_PER_CHUNK)
        found[place.path(layout.EPISODES)] = layout.parquet_bytes(_at(part, "meta/episodes", [place] * len(part)))
    found[layout.INFO] = layout.json_bytes({**store.info, "data_path": layout.DATA})
    return found


def _companions(root: Path, episode_ids: set[str]) -> Iterator[tuple[str, Content]]:
    """What lies beside the frames, without what belongs to no episode."""
    for path in sorted((root / "meta").rglob("*")):
        name = path.relative_to(root)
        if not path.is_file() or _is_private(name) or Path("meta/episodes") in name.parents:
            continue
        of_an_episode = bool(set(_NEVER_CHANGED) & set(name.parents))
        if not of_an_episode:
            yield name.as_posix(), path.read_bytes()
        elif path.stem in episode_ids:
            yield name.as_posix(), path


def _data(store: Store) -> tuple[dict[str, Content], dict[Path, Position]]:
    """Data files by name, and where the rows of each source file went."""
    paths = sorted({episode.data for episode in store.episodes})
    if len(paths) * FEW <= store.total_episodes or len(paths) == 1:
        places = {path: Position(0, number) for number, path in enumerate(paths)}
        return {places[path].path(layout.DATA): _counted(path, store) for path in paths}, places
    found: dict[str, Content] = {}
    held: list[pa.Table] = []
    places, size, at = {}, 0, Position(0, 0)
    with layout.whole_parquet(paths[0]) as file:
        first = file.schema_arrow
    for path in paths:
        table = _alike(_table(path, store.total_episodes), first, path, store.root)
        if held and size + table.nbytes > DATA_BYTES:
            found[at.path(layout.DATA)] = layout.parquet_bytes(pa.concat_tables(held))
            held, size, at = [], 0, at.next()
        held.append(table)
        size += table.nbytes
        places[path] = at
    found[at.path(layout.DATA)] = layout.parquet_bytes(pa.concat_tables(held))
    return found, places


def _counted(path: Path, store: Store) -> Content:
    """A file as it is, unless it holds rows that an interrupted commit left."""
    with layout.whole_parquet(path) as file:
        rows = file.metadata.num_rows
    table = _table(path, store.total_episodes)
    return path if len(table) == rows else layout.parquet_bytes(table)


def _table(path: Path, episodes: int) -> pa.Table:
    with layout.whole_parquet(path) as file:
        table = file.read(use_threads=False)
    return table.filter(pc.less(table["episode_index"], episodes))


def _alike(table: pa.Table, first: pa.Schema, path: Path, root: Path) -> pa.Table:
    """The table with the types of the first file: another tool may have written one list, or one width, for another.

    Raises:
        DataError: it has other columns, or values that do not fit.
    """
    if table.schema.equals(first):
        return table
    if set(table.column_names) == set(first.names):
        table = table.select(first.names)
        if not any(_narrows(kind, due) for kind, due in zip(table.schema.types, first.types, strict=True)):
            with suppress(pa.ArrowException):
                return table.cast(first)
    unlike = [field for field in table.schema if field.name not in first.names or first.field(field.name) != field]
    raise _other_columns(path, [f"{field.name} ({field.type})" for field in unlike], root)


def _narrows(kind: pa.DataType, due: pa.DataType) -> bool:
    """Whether a cast rounds silently: of integers, Arrow refuses those that do not fit."""
    if is_list(kind) and is_list(due):
        return _narrows(kind.value_type, due.value_type)
    return bool(pa.types.is_floating(kind) and pa.types.is_floating(due) and kind.bit_width > due.bit_width)


def _other_columns(path: Path, names: Iterable[str], root: Path) -> DataError:
    return DataError(
        f"{path} has other columns than the first file of its kind: {', '.join(names) or 'some are missing'}. Nothing "
        f"was written. studio merge {root} --to NEW gives all files the same columns."
    )


def _rows(store: Store, places: dict[Path, Position]) -> pa.Table:
    """All rows of meta/episodes in order, with every column they had, pointing at the joined data."""
    tables = [_table(path, store.total_episodes) for path in sorted({e.record for e in store.episodes})]
    try:
        whole = pa.concat_tables(tables, promote_options="permissive").sort_by("episode_index")
    except pa.ArrowException as error:
        raise _other_columns(store.root / "meta/episodes", [str(error).splitlines()[0]], store.root) from error
    if len(whole) != store.total_episodes:
        raise DataError(
            f"{store.root} counts {store.total_episodes} episodes, meta/episodes has {len(whole)} rows. "
            f"studio check {store.root} says more."
        )
    return _at(whole, "data", [places[episode.data] for episode in store.episodes])


def _at(table: pa.Table, name: str, places: Iterable[Position]) -> pa.Table:
    """The table with other files named."""
    at = list(places)
    for column, values in (
        (f"{name}/chunk_index", [p.chunk for p in at]),
        (f"{name}/file_index", [p.file for p in at]),
    ):
        table = _set(table, column, pa.array(values, pa.int64()))
    return table


def _set(table: pa.Table, column: str, values: Any) -> pa.Table:
    index = table.schema.get_field_index(column)
    return table.append_column(column, values) if index < 0 else table.set_column(index, column, values)
