"""What lies in the folder: files that no episode names, episodes whose files are gone, and traces of other tools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curation import layout
from curation.atomic import ASIDE
from curation.checks.finding import Finding, joined, listed
from curation.checks.subject import Subject
from curation.commit import kept_histograms
from curation.episodes import EpisodeRow, SavedEpisode
from curation.histograms import pictures

_CLEAR = "studio merge DATASET --to NEW copies only what counts; studio record --resume clears what a kill left."


def files(subject: Subject) -> Iterator[Finding]:
    """Compare what is there with what the episodes name."""
    yield from _sidecars(subject)
    yield from _orphans(subject)
    yield from _leftovers(subject)
    yield from _foreign(subject)
    yield from _waiting(subject)


def _sidecars(subject: Subject) -> Iterator[Finding]:
    # What other tools recorded has no physics; a part of what the studio recorded may have lost its outcome.
    ours = [episode for episode in subject.store.episodes if episode.row.operator or episode.row.outcome]
    lost = tuple(episode.index for episode in ours if not episode.frames.is_file())
    if lost:
        yield Finding(
            "sidecars",
            "warning",
            f"the physics of {listed(lost)} is missing",
            "They train as before, but cannot be replayed, drawn anew, or checked against the truth.",
            "A tool that does not know the studio rewrote the dataset: copy meta/studio from its source, ids are kept.",
            lost,
        )
    unreadable, short = [], []
    for episode in ours:
        if episode.index in lost:
            continue
        rows = _rows(episode.frames)
        if rows is None:
            unreadable.append(episode.index)
        elif rows != episode.length:
            short.append(episode.index)
    for found, what in ((unreadable, "cannot be read"), (short, "has other frames than the episode")):
        if found:
            yield Finding(
                "sidecars",
                "warning",
                f"the physics of {listed(found)} {what}",
                "They train as before, but cannot be replayed or drawn anew.",
                "Copy meta/studio/frames from the dataset's source.",
                tuple(found),
            )
    yield from _histograms(subject, ours)


def _histograms(subject: Subject, ours: list[SavedEpisode]) -> Iterator[Finding]:
    due = set(pictures(subject.store))
    missing = [e.index for e in ours if due - kept_histograms(subject.root, e).keys()]
    if missing:
        yield Finding(
            "sidecars",
            "note",
            f"image histograms of {listed(missing)} are missing or damaged",
            "Nothing in training; statistics of images take longer, because videos must be decoded.",
            "studio stats DATASET --repair",
            tuple(missing),
        )


def _rows(path: Path) -> int | None:
    try:
        return int(pq.ParquetFile(path).metadata.num_rows)
    except (OSError, pa.ArrowException):
        return None


def _orphans(subject: Subject) -> Iterator[Finding]:
    """Files that LeRobot reads, or that a publication would carry, and that no counted episode names."""
    store, root = subject.store, subject.root
    data, records = {e.data for e in store.episodes}, {e.record for e in store.episodes}
    reels = {path for episode in store.episodes for path in episode.videos.values()}
    rows = [*_beyond(root, "data/**/*.parquet", data), *_beyond(root, "meta/episodes/**/*.parquet", records)]
    if rows:
        yield Finding(
            "orphans",
            "warning",
            f"{_names(root, rows)} hold{'s' if len(rows) == 1 else ''} rows that no episode counts",
            "LeRobot reads every parquet file in these folders: removed frames come back, or loading fails. One that "
            "follows the last episode was left by a recording that was killed, and is harmless.",
            _CLEAR,
        )
    known = {episode.row.episode_id for episode in store.episodes}
    sidecars = [p for f in (layout.FRAMES, layout.HISTOGRAMS) for p in (root / f).glob("*.*") if p.stem not in known]
    rest = [*_beyond(root, "videos/**/*.mp4", reels), *(path for path in sidecars if path.suffix != ASIDE)]
    if rest:
        yield Finding(
            "orphans",
            "note",
            f"{_names(root, rest)} belong{'s' if len(rest) == 1 else ''} to no episode",
            "Nothing; they take up space, and would be published with LeRobot's own command.",
            _CLEAR,
        )


def _leftovers(subject: Subject) -> Iterator[Finding]:
    root = subject.root
    found = [
        *root.glob("tmp*"),
        *root.glob("images"),
        *(path for path in root.rglob(f"*{ASIDE}")),
        *root.parent.glob(f"{root.resolve().name}_old"),
        *root.glob("**/*.partial"),
    ]
    if found:
        yield Finding(
            "leftovers",
            "note",
            f"{_names(root, found)}: unfinished files of a recording or an edit that stopped",
            "Nothing in training. LeRobot's tools delete a folder ending in _old without asking when they run again.",
            "Remove them once nothing writes to the dataset any more.",
        )


def _foreign(subject: Subject) -> Iterator[Finding]:
    """Traces of tools that do not know the studio, or of the format before this one."""
    store, root = subject.store, subject.root
    ours = (root / layout.SCENE).exists()
    nameless = tuple(e.index for e in store.episodes if e.row.episode_id == EpisodeRow.unknown(e.index).episode_id)
    if ours and nameless:
        yield Finding(
            "other tools",
            "warning",
            f"{listed(nameless)} lost what the studio knew of them: id, placement, operator, outcome",
            "Filters by outcome, distance or operator pass them over; notes and masks about them are lost.",
            "Make the edit again from the source with studio merge or studio drop, which keep all of it.",
            nameless,
        )
    elif nameless and len(nameless) < store.total_episodes:
        yield Finding(
            "other tools",
            "note",
            f"{listed(nameless)} were recorded by another tool and merged with the studio's",
            "Filters by outcome, distance or operator pass them over.",
            "studio merge of the two sources keeps the studio's files beside them.",
            nameless,
        )
    old = [*root.glob("meta/episodes.jsonl"), *root.glob("meta/tasks.jsonl"), *root.glob("data/*/episode_*.parquet")]
    if old:
        yield Finding(
            "other tools",
            "warning",
            f"{_names(root, old)} belong to format v2 in a dataset that says {store.info['codebase_version']}",
            "A conversion stopped half-way, or two datasets were written into one folder; LeRobot reads both.",
            "Convert the original again into an empty folder.",
        )


def _waiting(subject: Subject) -> Iterator[Finding]:
    count = sum(1 for _ in (subject.root / layout.TAKES).glob("*.jsonl"))
    if count:
        yield Finding(
            "takes",
            "note",
            f"{count} take{'s wait' if count > 1 else ' waits'} on disk to become an episode or to be thrown away",
            "Training does not see them.",
            f"studio recover {subject.root}",
        )
    hidden = tuple(e.index for e in subject.store.episodes if e.row.episode_id in subject.hidden)
    if hidden:
        yield Finding(
            "masks",
            "note",
            f"{listed(hidden)} are masked: in the trash, but still in the data",
            "LeRobot trains on them all the same, if it is given this folder.",
            "studio drop makes a dataset without them; studio trash brings them back.",
            hidden,
        )


def _beyond(root: Path, pattern: str, named: set[Path]) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path not in named)


def _names(root: Path, paths: Iterable[Path]) -> str:
    found = [path.relative_to(root if path.is_relative_to(root) else root.parent).as_posix() for path in paths]
    return joined(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
