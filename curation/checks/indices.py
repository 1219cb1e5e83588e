"""Whether every row says truly where it belongs: index, frame, episode, task and time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curation.checks.finding import Finding, listed
from curation.checks.subject import Motion, Subject

_MEND = "studio merge DATASET --to NEW numbers rows and times afresh, where every episode still has its rows."
TOLERANCE_S = 1e-4
"""LeRobot's own: a frame is looked up in the video by its time stamp, and refused where none is this close [s]."""


class Indices:
    """Counts of rows, and continuity of the columns that LeRobot keeps."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._wrong: dict[str, list[int]] = {}
        self._first: dict[str, str] = {}
        self._rows = 0
        self._used: set[int] = set()

    def see(self, motion: Motion) -> None:
        episode, numbers, count = motion.episode, motion.numbers, len(motion.rows)
        self._rows += count
        if count != episode.length:
            self._add(motion, "counts", f"{count} rows, {episode.length} are counted")
        counter = np.arange(count)
        frames, index, times, task = (
            numbers[key].reshape(-1) for key in ("frame_index", "index", "timestamp", "task_index")
        )
        if not np.array_equal(frames, counter):
            self._add(motion, "frame_index", f"frame_index is {_odd(frames, counter)}")
        if not np.array_equal(index, episode.start + counter):
            self._add(motion, "index", f"index is {_odd(index, episode.start + counter)}")
        elif motion.first is not None and motion.first + int(motion.rows[0]) != episode.start:
            place = motion.first + int(motion.rows[0])
            self._add(motion, "index", f"its first row is number {place} of all rows, index says {episode.start}")
        if np.any(np.diff(motion.rows) != 1):
            self._add(motion, "index", "its rows do not follow each other in the file")
        due = frames / self._subject.fps
        if np.any(np.abs(times - due) > TOLERANCE_S):
            self._add(motion, "timestamps", f"timestamp is {_odd(times, due)} s at {self._subject.fps} frames a second")
        self._see_task(motion, sorted({int(value) for value in task}))

    def _see_task(self, motion: Motion, used: list[int]) -> None:
        tasks = self._subject.store.tasks
        self._used |= set(used)
        if used[0] < 0 or used[-1] >= len(tasks):
            self._add(motion, "task_index", f"task_index is {used}, {len(tasks)} tasks are known")
            return
        named = set(self._subject.records[motion.index]["tasks"] or ())
        said = {tasks[value] for value in used}
        if named and not said <= named:
            self._add(motion, "task_index", f"rows say {sorted(said)}, the episode says {sorted(named)}")

    def _add(self, motion: Motion, check: str, what: str) -> None:
        self._wrong.setdefault(check, []).append(motion.index)
        self._first.setdefault(check, f"episode {motion.index}: {what}")

    def findings(self) -> Iterator[Finding]:
        for check, episodes in self._wrong.items():
            unique = tuple(dict.fromkeys(episodes))
            more = f" ({listed(unique)} alike)" if len(unique) > 1 else ""
            yield Finding(check, "error", self._first[check] + more, _MEANS[check], _MEND, unique)
        total = int(self._subject.store.info["total_frames"])
        if self._rows != total and "counts" not in self._wrong:
            yield Finding(
                "counts",
                "error",
                f"info.json counts {total} frames, the data has {self._rows} rows of counted episodes",
                "Sampling runs past the end, or leaves frames out.",
                _MEND,
            )
        yield from self._idle_tasks()

    def _idle_tasks(self) -> Iterator[Finding]:
        unused = [task for index, task in enumerate(self._subject.store.tasks) if index not in self._used]
        if unused and self._used:
            yield Finding(
                "task_index",
                "note",
                f"no frame has the task {', '.join(map(repr, unused))}",
                "Nothing; the list of tasks is longer than it needs to be.",
                "Any edit leaves it out.",
            )


_MEANS = {
    "counts": "Frames and images are paired by number: every later frame of the file is served with wrong images.",
    "frame_index": "Action chunks and histories are taken across the wrong frames.",
    "index": "Samplers address frames by it: episodes run into each other.",
    "timestamps": "Images are looked up by time: LeRobot stops, or pairs states with images of another moment.",
    "task_index": "A policy that reads instructions is told the wrong one.",
}


def _odd(values: np.ndarray, due: np.ndarray) -> str:
    """The first value that is not what it should be."""
    place = int(np.flatnonzero(~np.isclose(values, due, atol=TOLERANCE_S, rtol=0))[0])
    return f"{values[place]:g} at row {place}, {due[place]:g} is due"
