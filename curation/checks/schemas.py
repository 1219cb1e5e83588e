"""Whether every file has the columns that LeRobot expects of it: those of info.json, and those of the first file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curation import layout
from curation.checks.finding import Finding, joined
from curation.checks.subject import Subject


def schemas(subject: Subject) -> Iterator[Finding]:
    """Compare the columns of all data files and of all files of meta/episodes."""
    store = subject.store
    due = set(layout.columns(store.features))
    due |= {key for key, feature in store.features.items() if feature.dtype == "image"}
    for path, schema in _schemas({episode.data for episode in store.episodes}):
        missing = sorted(due - set(schema.names))
        if missing:
            yield _error(
                f"{path.relative_to(subject.root)} has no column {joined(missing)}, which info.json names",
                "LeRobot cannot load the file.",
                "Restore it, or make the dataset anew with studio merge and leave the feature out of all sources.",
            )
    yield from _alike(subject, _schemas({episode.data for episode in store.episodes}), "data")
    yield from _alike(subject, _schemas({episode.record for episode in store.episodes}), "meta/episodes")


def _alike(subject: Subject, found: list[tuple[Path, pa.Schema]], what: str) -> Iterator[Finding]:
    """LeRobot takes the columns from the first file: a later one may have fewer, but no others."""
    if not found:
        return
    first, known = found[0][0], {field.name: field.type for field in found[0][1]}
    surplus: dict[str, Path] = {}
    other: dict[str, Path] = {}
    for path, schema in found[1:]:
        for field in schema:
            if field.name not in known:
                surplus.setdefault(field.name, path)
            elif not _fits(field.type, known[field.name]):
                other.setdefault(field.name, path)
    for names, words in ((surplus, "has columns that"), (other, "has another type of columns than")):
        if names:
            path = next(iter(names.values()))
            yield _error(
                f"{what}: {path.relative_to(subject.root)} {words} {first.relative_to(subject.root)} "
                f"{'lacks' if names is surplus else 'has'}: {joined(list(names)[:4])}",
                "LeRobot cannot load the dataset: it takes the columns of the first file for those of all.",
                "studio merge DATASET --to NEW gives all files the same columns.",
            )


def _fits(kind: pa.DataType, known: pa.DataType) -> bool:
    """Whether values of one type can be read as the other; a list of fixed length is a list."""
    if pa.types.is_null(kind) or kind.equals(known):
        return True
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if any(test(kind) for test in lists) and any(test(known) for test in lists):
        return _fits(kind.value_type, known.value_type)
    numbers = (pa.types.is_integer, pa.types.is_floating)
    return any(test(kind) for test in numbers) and any(test(known) for test in numbers)


def _schemas(paths: set[Path]) -> list[tuple[Path, pa.Schema]]:
    """Files that can be read, in order; other rules name those that cannot."""
    found = []
    for path in sorted(paths):
        try:
            found.append((path, pq.read_schema(path)))
        except (OSError, pa.ArrowException):
            continue
    return found


def _error(what: str, means: str, mend: str) -> Finding:
    return Finding("columns", "error", what, means, mend)
