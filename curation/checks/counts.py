"""Whether info.json, meta/episodes and the list of tasks count the same."""

from __future__ import annotations

from collections.abc import Iterator

from curation.checks.finding import Finding, listed
from curation.checks.subject import Subject
from curation.info import splits_of
from curation.layout import TASKS, read_tasks

_MEND = "studio merge DATASET --to NEW counts afresh and verifies what it writes."


def counts(subject: Subject) -> Iterator[Finding]:
    """Compare what is counted where."""
    info, store = subject.store.info, subject.store
    lengths = sum(episode.length for episode in store.episodes)
    if lengths != info["total_frames"]:
        yield _error(f"info.json counts {info['total_frames']} frames, the episodes have {lengths} together")
    known = _tasks(subject)
    if known < info["total_tasks"]:
        yield _error(f"info.json counts {info['total_tasks']} tasks, meta/tasks.parquet has {known}")
    split = (info.get("splits") or {}).get("train")
    if split is not None and store.episodes and not splits_of(info):
        yield Finding(
            "counts",
            "warning",
            f"info.json's split train is {split}, there are {store.total_episodes} episodes",
            "Tools that follow the split leave episodes out or ask for some that are not there.",
            _MEND,
        )
    yield from _ranges(subject)
    if not store.episodes:
        yield Finding("counts", "note", "there are no episodes", "There is nothing to train on.", "studio record")


def _ranges(subject: Subject) -> Iterator[Finding]:
    start = 0
    wrong: list[int] = []
    ids: dict[str, list[int]] = {}
    for episode, record in zip(subject.store.episodes, subject.records, strict=True):
        if episode.start != start or record.get("dataset_to_index") != start + episode.length:
            wrong.append(episode.index)
        start += episode.length
        ids.setdefault(episode.row.episode_id, []).append(episode.index)
    if wrong:
        first = subject.records[wrong[0]]
        yield _error(
            f"episode {wrong[0]} covers {first['dataset_from_index']} to {first.get('dataset_to_index')} with "
            f"{first['length']} frames, which does not continue the one before",
            tuple(wrong),
        )
    twice = [index for indices in ids.values() if len(indices) > 1 for index in indices]
    if twice:
        yield Finding(
            "ids",
            "error",
            f"{listed(twice)} share an id, which is one episode's for good",
            "Notes, masks and physics of one are taken for the other's.",
            "If they are one episode, studio merge DATASET --duplicates first takes it once; else merge the sources.",
            tuple(twice),
        )


def _tasks(subject: Subject) -> int:
    path = subject.root / TASKS
    return len(read_tasks(path)) if path.exists() else 0


def _error(what: str, episodes: tuple[int, ...] = ()) -> Finding:
    means = "LeRobot addresses frames and episodes by these counts: it stops, or serves frames of another episode."
    return Finding("counts", "error", what, means, _MEND, episodes)
