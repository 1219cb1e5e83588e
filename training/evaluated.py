"""Evaluations as they lie on disk: which there are of a run, a checkpoint or a group, what they say, under which
conditions, and what sets the conditions of two apart.

```text
runs/<run>/evaluations/<key>/evaluation.json    what was evaluated and how
runs/<run>/evaluations/<key>/rows.jsonl         one line per finished episode
evaluations/<digest>-<key>/                     the same of checkpoints outside runs
```
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from curation.errors import DataError, UnknownChoice, UsageError
from curation.rates import Rate, wilson

from . import as_trained, best
from .checkpoint_card import digest, resolve
from .rows import read_rows, without_copies
from .runs import RUN, run_path

EVALUATION, ROWS, FOLDER = "evaluation.json", "rows.jsonl", "evaluations"
SAMPLES = "samples"
"""In evaluation.json: further answers to every question, where there were any. They change nothing in an episode."""


@dataclass(frozen=True)
class Row:
    """One episode of an evaluation.

    Attributes:
        index: its number in the evaluation.
        seed: of its world.
        x, y: where the block was [m].
        yaw_deg: its heading.
        feasible: whether the arm can do it at all there.
        outcome: the judge's word.
        success, clean: with, and without fumbling.
        told: all of the row.
    """

    index: int
    seed: int
    x: float
    y: float
    yaw_deg: float
    feasible: bool
    outcome: str
    success: bool
    clean: bool
    told: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def place(self) -> tuple[int, float, float, float]:
        """What two evaluations share in a pair: seed and placement."""
        return self.seed, self.x, self.y, self.yaw_deg


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of one checkpoint.

    Attributes:
        folder: where it lies.
        told: its evaluation.json.
        rows: by index.
    """

    folder: Path
    told: Mapping[str, Any] = field(hash=False)
    rows: tuple[Row, ...]

    @property
    def run(self) -> str:
        """The training it is of; "" for a checkpoint from elsewhere."""
        return str(self.told.get("run") or "")

    @property
    def group(self) -> str:
        """What trainings with other seeds share."""
        return str(self.told.get("group") or self.run)

    @property
    def step(self) -> int | None:
        """Training step of the checkpoint, if known."""
        value = self.told.get("step")
        return value if isinstance(value, int) else None

    @property
    def name(self) -> str:
        """The checkpoint, as the command line names it."""
        if not self.run:
            return str(self.told.get("checkpoint") or self.folder.name)
        return self.run if self.step is None else f"{self.run}@{self.step:06d}"

    @property
    def title(self) -> str:
        """The checkpoint for people: one that sees what no robot does is marked wherever its rate is shown."""
        return f"{self.name} (privileged: it sees the block)" if self.told.get("privileged") else self.name

    @property
    def settings(self) -> dict[str, Any]:
        """How the policy was driven."""
        return dict(self.told.get("settings") or {})

    @property
    def samples(self) -> int:
        """Further answers to every question; its rows say how far they spread."""
        value = self.told.get(SAMPLES)
        return value if isinstance(value, int) else 0

    @cached_property
    def training(self) -> Mapping[str, Any]:
        """run.json of the training that it lies in; empty for a checkpoint from elsewhere."""
        with suppress(OSError, ValueError):
            told = json.loads((self.folder.parent.parent / RUN).read_bytes())
            return told if isinstance(told, dict) else {}
        return {}

    @cached_property
    def changes(self) -> tuple[str, ...]:
        """What was not as the policy was trained, in words; without any its rate is the policy's own."""
        mark = dict(self.training.get("scene") or {}).get("fingerprint")
        return as_trained.changes(self.told, (str(mark),) if mark else ())

    @cached_property
    def raced(self) -> bool:
        """Whether a sweep chose a checkpoint by these episodes: a rate on them is no estimate."""
        return best.raced(self.folder, self.told)

    @cached_property
    def feasible(self) -> tuple[Row, ...]:
        """Rows at places where the arm can do it."""
        return tuple(row for row in self.rows if row.feasible)

    def rate(self, by: str = "success") -> Rate:
        """Share of feasible episodes that succeeded, or succeeded clean."""
        return wilson(sum(getattr(row, by) for row in self.feasible), len(self.feasible))

    @cached_property
    def conditions(self) -> dict[str, Any]:
        """Everything but the policy that the result depends on, by a name for people."""
        placements = dict(self.told.get("placements") or {})
        scene = dict(self.told.get("scene") or {})
        return {
            "scene": scene.get("fingerprint"),
            "servo": servo_of(scene),
            "time limit": self.limit_s,
            "frames per second": self.told.get("fps"),
            "MuJoCo": dict(self.told.get("versions") or {}).get("mujoco"),
            # More episodes of the same list are the same conditions.
            **{f"placements {name}": value for name, value in sorted(placements.items()) if name != "episodes"},
        }

    @property
    def limit_s(self) -> float | None:
        """The time limit [s], if known."""
        frames, fps = self.told.get("limit_frames"), self.told.get("fps")
        return frames / fps if isinstance(frames, int | float) and isinstance(fps, int | float) and fps else None

    @property
    def conditions_words(self) -> str:
        """The conditions in one line: no rate is quoted without them."""
        placements = dict(self.told.get("placements") or {})
        jitter, yaw = placements.get("jitter"), placements.get("yaw")
        parts = [
            f"placements {_places(placements)}",
            f"seed {placements.get('seed', 'unknown')}",
            "jitter unknown" if jitter is None else f"jitter {1e3 * float(jitter):g} mm",
            "yaw unknown" if yaw is None else f"yaw {yaw}{'' if isinstance(yaw, str) else ' deg'}",
            "time limit unknown" if self.limit_s is None else f"limit {self.limit_s:g} s",
            f"servo {self.conditions['servo'] or 'unknown'}",
            f"scene {self.conditions['scene'] or 'unknown'}",
            *(["not as trained: " + ", ".join(self.changes)] if self.changes else []),
            *(["a checkpoint was chosen by these episodes (studio sweep)"] if self.raced else []),
        ]
        return ", ".join(parts)


def _places(placements: Mapping[str, Any]) -> str:
    """Where blocks went, such as "at 0.337 -0.015" or "grid 7 7 over box 0.12 0.42 -0.1 0.35"."""
    kind = str(placements.get("kind", "unknown"))
    listed = placements.get("targets")
    parts = [f"{len(listed)} targets"] if isinstance(listed, list) else []
    for name in ("at", "grid", "box"):
        value = placements.get(name)
        if isinstance(value, list | tuple):
            parts.append(" ".join([name, *(f"{number:g}" for number in value)]))
    return " over ".join(parts) or kind


def servo_of(scene: Mapping[str, Any]) -> str | None:
    """The servo profile that a stored scene names."""
    inner = scene.get("scene")
    value = scene.get("servo") or (inner.get("servo") if isinstance(inner, Mapping) else None)
    return None if value is None else str(value)


def read_evaluation(folder: Path) -> Evaluation:
    """An evaluation, finished or not; a torn last row is left out, and so are copies of an episode.

    Raises:
        UsageError: the folder holds none.
        DataError: it is damaged.
    """
    path = folder / EVALUATION
    if not path.is_file():
        raise UsageError(f"{folder} holds no evaluation ({EVALUATION}). Make one with studio evaluate.")
    try:
        told = json.loads(path.read_bytes())
        rows = [_row(each) for each in without_copies(read_rows(folder / ROWS))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The evaluation {folder} cannot be read: {error!r}.") from error
    if not isinstance(told, dict):
        raise DataError(f"{path} is no evaluation.")
    # Of an index that stands there twice the first is the episode that was finished first.
    first = {row.index: row for row in reversed(rows)}
    return Evaluation(folder, told, tuple(first[index] for index in sorted(first)))


def _row(told: Mapping[str, Any]) -> Row:
    return Row(
        index=int(told["index"]),
        seed=int(told.get("seed") or 0),
        x=float(told["x"]),
        y=float(told["y"]),
        yaw_deg=float(told.get("yaw_deg") or 0.0),
        feasible=bool(told.get("feasible", True)),
        outcome=str(told.get("outcome") or ""),
        success=bool(told["success"]),
        clean=bool(told.get("clean", told["success"])),
        told=told,
    )


def evaluations_of(home: Path, name: str) -> list[Evaluation]:
    """Every evaluation that a name stands for, oldest first.

    Args:
        home: the folder of runs.
        name: an evaluation's folder; a run, or `run@step`, `run@last`; a group; a checkpoint's path; or several of
            these with commas between.

    Raises:
        UsageError: there is none.
    """
    parts = [part for part in name.split(",") if part]
    found = [evaluation for part in parts for evaluation in _of_one(home, part)]
    with_rows = [evaluation for evaluation in found if evaluation.rows]
    if not with_rows:
        raise UsageError(f"No episode of {name} was evaluated yet. Run studio evaluate {parts[0] if parts else ''}.")
    return sorted(with_rows, key=lambda one: str(one.told.get("when", "")))


def _of_one(home: Path, name: str) -> list[Evaluation]:
    path = Path(name).expanduser()
    if (path / EVALUATION).is_file():
        return [read_evaluation(path)]
    run_name, _, which = name.partition("@")
    run = run_path(home, run_name)
    grouped = [] if which else _group(home, run_name)
    # A group may be named after its first run; asked for by that name, all of it is meant.
    if len(grouped) > 1 or (grouped and grouped[0].name != run_name):
        return [evaluation for run in grouped for evaluation in _under(run / FOLDER)]
    if (run / RUN).is_file() or (run / FOLDER).is_dir():
        return _of_step(_under(run / FOLDER), run, which, name)
    if path.exists() or name.startswith("hf:"):
        return _of_checkpoint(home, name)
    raise UnknownChoice("run, group or evaluation", name, _names(home) or ("nothing was trained yet",))


def _of_step(found: list[Evaluation], run: Path, which: str, name: str) -> list[Evaluation]:
    if not which:
        return found
    steps = sorted({evaluation.step for evaluation in found if evaluation.step is not None})
    step = int(which) if which.isdecimal() else _named_step(run, which, steps)
    chosen = [evaluation for evaluation in found if evaluation.step == step and step is not None]
    if not chosen:
        raise UsageError(
            f"{name} was not evaluated; steps that were: {', '.join(map(str, steps)) or 'none'}. "
            f"Run studio evaluate {name}."
        )
    return chosen


def _named_step(run: Path, which: str, evaluated: Sequence[int]) -> int | None:
    """The step of `last` or `best`; where checkpoints were thrown away, the last is the last evaluated one."""
    with suppress(ValueError):
        try:
            return int(resolve(f"{run.name}@{which}", run.parent).parent.name)
        except UsageError:
            if which != "last":
                raise
    return evaluated[-1] if evaluated else None


def _of_checkpoint(home: Path, name: str) -> list[Evaluation]:
    """Those of the weights that a path or hf:owner/name leads to, whatever they were called then."""
    mark = digest(resolve(name, home))
    everywhere = [*_all_under(home.glob(f"*/{FOLDER}")), *_under(Path(FOLDER))]
    return [one for one in everywhere if one.told.get("checkpoint_digest") == mark]


def _all_under(folders: Iterable[Path]) -> list[Evaluation]:
    return [evaluation for folder in sorted(folders) for evaluation in _under(folder)]


def _under(folder: Path) -> list[Evaluation]:
    return [read_evaluation(path.parent) for path in sorted(folder.glob(f"*/{EVALUATION}"))]


def _group(home: Path, name: str) -> list[Path]:
    return [run for run, group in _runs(home) if group == name]


def _names(home: Path) -> list[str]:
    runs = _runs(home)
    return sorted({run.name for run, _ in runs} | {group for _, group in runs if group})


def _runs(home: Path) -> list[tuple[Path, str]]:
    found = []
    for path in sorted(home.glob(f"*/{RUN}")):
        with suppress(OSError, ValueError):
            told = json.loads(path.read_bytes())
            found.append((path.parent, str(told.get("group") or path.parent.name)))
    return found
