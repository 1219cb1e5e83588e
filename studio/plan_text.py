"""A plan's preview as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from curation.layout import stats_json
from curation.preview import Preview, Side

SHOWN_CUTS = 8


def plan_data(seen: Preview) -> dict[str, Any]:
    """The same as JSON values."""
    told = asdict(seen)
    for side in (told["before"], told["after"], *(side for _, side in told["parents"])):
        side["stats"] = stats_json({key: stats for key, stats in side["stats"].items() if stats is not None})
    return told


def plan_text(seen: Preview, *, narrow: bool = False) -> str:
    """What would change, line by line.

    Args:
        seen: the plan's preview.
        narrow: in sentences that may be wrapped, instead of a table of 50 columns.
    """
    return "\n".join(
        [
            *(_sentences(seen) if narrow else _sizes(seen)),
            *_tasks(seen),
            *_changes(seen),
            *_features(seen),
            *(f"- {what}" for what in seen.lost),
            *_stats(seen),
            *_differences(seen),
        ]
    )


def changes_text(seen: Preview) -> str:
    """What would be changed of what stays: instructions, columns, and what does not go along; empty if nothing is."""
    tasks = _tasks(seen) if seen.before.tasks.keys() != seen.after.tasks.keys() else ()
    changes = (f"~ {name}: {word}" for name, words in seen.changes.items() for word in words)
    return "\n".join([*tasks, *changes, *_features(seen), *(f"- {what}" for what in seen.lost)])


def _sizes(seen: Preview) -> Iterator[str]:
    before, after = seen.before, seen.after
    width = max(8, *(len(name) for name, _ in seen.parents))
    yield f"{'':{width}}  {'episodes':>8}  {'frames':>8}  {'seconds':>8}  {'videos MB':>9}"
    for name, side in seen.parents:
        yield _line(name, side, width)
    if len(seen.parents) > 1:
        yield _line("together", before, width)
    yield _line("result", after, width)


def _sentences(seen: Preview) -> Iterator[str]:
    for name, side in (*seen.parents, ("result", seen.after)):
        yield f"{name}: {side.episodes} episodes, {side.frames} frames, {side.seconds:.1f} s"


def _tasks(seen: Preview) -> Iterator[str]:
    before, after = seen.before, seen.after
    for task in dict.fromkeys([*before.tasks, *after.tasks]):
        have, will = before.tasks.get(task, 0), after.tasks.get(task, 0)
        yield f'task "{task}": {have}' + (f" -> {will} episodes" if have != will else " episodes")


def _line(name: str, side: Side, width: int) -> str:
    size = f"{side.video_bytes / 1e6:.1f}"
    return f"{name:{width}}  {side.episodes:>8}  {side.frames:>8}  {side.seconds:>8.1f}  {size:>9}"


def _changes(seen: Preview) -> Iterator[str]:
    if seen.masked:
        yield f"- {seen.masked} episodes in the trash are left out"
    for name, count in seen.dropped.items():
        yield f"- {count} episodes of {name} are left out"
    for name, episode, start, stop, length in seen.cut[:SHOWN_CUTS]:
        yield f"~ {name} episode {episode}: frames {start} to {stop} of {length}"
    if len(seen.cut) > SHOWN_CUTS:
        yield f"~ and {len(seen.cut) - SHOWN_CUTS} more episodes in part"
    for name, words in seen.changes.items():
        yield from (f"~ {name}: {word}" for word in words)


def _features(seen: Preview) -> Iterator[str]:
    before, after = seen.before.features, seen.after.features
    yield from (f"- column {key} ({before[key]})" for key in before if key not in after)
    yield from (f"+ column {key} ({after[key]})" for key in after if before.get(key) != after[key])


def _stats(seen: Preview) -> Iterator[str]:
    for key, after in seen.after.stats.items():
        before = seen.before.stats.get(key)
        if before is None or after is None or before["mean"].shape != after["mean"].shape:
            continue
        columns = seen.after.names.get(key) or tuple(f"column {n}" for n in range(len(after["mean"])))
        for column, called in enumerate(columns):
            moved = [
                f"{name} {before[name][column]:.4g} -> {after[name][column]:.4g}"
                for name in ("min", "mean", "max", "std")
                if not np.allclose(before[name][column], after[name][column], rtol=1e-3, atol=1e-3)
            ]
            if moved:
                yield f"{key} {called.removesuffix('.pos')}: {', '.join(moved)}"


def _differences(seen: Preview) -> Iterator[str]:
    for difference in seen.differences:
        yield f"{'!' if difference.blocks else '?'} {difference}"
