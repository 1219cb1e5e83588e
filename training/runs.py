"""A training on disk: what was asked, how far it is, and what came of it.

```text
runs/<name>/run.json          what was asked, on what, in which state
runs/<name>/.lock             held while it is trained
runs/<name>/beat.json         the step it is at, written about once a second
runs/<name>/held_out.json     episodes that LeRobot kept from training, of those in run.json
runs/<name>/progress.jsonl    one line per line of LeRobot's log, with exact numbers
runs/<name>/train.log         everything that LeRobot said
runs/<name>/train/            LeRobot's output folder, with its checkpoints
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import DataError, UnknownChoice, UsageError

RUN, BEAT, PROGRESS, LOG, TRAIN = "run.json", "beat.json", "progress.jsonl", "train.log", "train"
HELD_OUT = "held_out.json"
VERSION = 1
_WHOLE: dict[str, type] = {
    "name": str, "group": str, "policy": str, "seed": int, "steps": int, "recipe": dict, "dataset": dict, "state": str,
}  # fmt: skip
_DATASET: dict[str, type] = {
    "path": str, "name": str, "fingerprint": str, "episodes": int, "episode_ids": list,
}  # fmt: skip
"""What run.json has in any case, by its type."""


@dataclass(frozen=True)
class Run:
    """One training's folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def train(self) -> Path:
        """LeRobot's output folder."""
        return self.folder / TRAIN

    @property
    def checkpoints(self) -> Path:
        return self.train / "checkpoints"

    @property
    def log(self) -> Path:
        return self.folder / LOG

    @property
    def progress(self) -> Path:
        return self.folder / PROGRESS

    def read(self) -> dict[str, Any]:
        """What run.json says; what every reader relies on is there.

        Raises:
            DataError: it is absent, damaged, or lacks something.
        """
        try:
            told = json.loads((self.folder / RUN).read_bytes())
        except (OSError, ValueError) as error:
            raise DataError(f"{self.folder / RUN} cannot be read: {error}. The folder holds no training.") from error
        if not isinstance(told, dict) or "recipe" not in told:
            raise DataError(f"{self.folder / RUN} is not that of a training.")
        if lacking := [*_lacking(told, _WHOLE, ""), *_lacking(told.get("dataset"), _DATASET, "dataset.")]:
            raise DataError(f"{self.folder / RUN} is damaged: it has no {', no '.join(lacking)}.")
        return told

    def write(self, told: dict[str, Any]) -> None:
        """Replace run.json at once."""
        write_aside(self.folder / RUN, json.dumps(told, indent=2).encode() + b"\n")

    def update(self, **changes: Any) -> dict[str, Any]:
        """Change some of run.json; returns all of it."""
        told = self.read() | changes
        self.write(told)
        return told

    def say_held_out(self, ids: Sequence[str]) -> None:
        """Write down which of its episodes LeRobot keeps from training (dataset.eval_split)."""
        write_aside(self.folder / HELD_OUT, json.dumps(list(ids)).encode())

    def trained_on(self) -> list[str]:
        """Names of the episodes that it was really trained on.

        Raises:
            DataError: run.json or held_out.json is damaged.
        """
        kept: object = []
        try:
            with suppress(FileNotFoundError):
                kept = json.loads((self.folder / HELD_OUT).read_bytes())
        except (OSError, ValueError) as error:
            raise DataError(f"{self.folder / HELD_OUT} cannot be read: {error}.") from error
        held_out = set(kept) if isinstance(kept, list) else set()
        return [str(name) for name in self.read()["dataset"]["episode_ids"] if name not in held_out]

    def beat(self) -> dict[str, Any]:
        """The step it is at, {"step", "at"}; empty before the first."""
        with suppress(OSError, ValueError):
            told = json.loads((self.folder / BEAT).read_bytes())
            return told if isinstance(told, dict) else {}
        return {}

    def curve(self) -> list[dict[str, Any]]:
        """The lines of progress.jsonl in order; a torn last one is left out."""
        return list(curve_lines(self.progress))


def _lacking(told: object, due: Mapping[str, type], before: str) -> list[str]:
    if not isinstance(told, dict):
        return []  # named where it lies
    return [f"{before}{name}" for name, kind in due.items() if not isinstance(told.get(name), kind)]


def curve_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of a file of JSON objects."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            with suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict):
                    yield told


def run_path(home: Path, name: str) -> Path:
    """The folder of a run: a path as given, a bare name under `home`.

    Raises:
        UsageError: the name is none.
    """
    path = Path(name).expanduser()
    if name.startswith((".", "~", "/")) or len(path.parts) > 1:
        return path
    if not name or name == "jobs":
        raise UsageError(f"'{name}' cannot name a training or a classifier; give another name.")
    return home / name


def opened(home: Path, name: str) -> Run:
    """An existing run.

    Raises:
        UnknownChoice: there is none of that name.
        DataError: it is damaged.
    """
    run = Run(run_path(home, name))
    if not (run.folder / RUN).is_file():
        raise UnknownChoice("training", name, [one.name for one in all_runs(home)] or ("none was started yet",))
    run.read()
    return run


def all_runs(home: Path) -> list[Run]:
    """Every training under a folder, oldest first."""
    found = [Run(path.parent) for path in home.glob(f"*/{RUN}")]
    readable = []
    for run in found:
        with suppress(DataError):
            readable.append((str(run.read().get("when", "")), run.name, run))
    return [run for *_, run in sorted(readable, key=lambda one: one[:2])]


def damaged_runs(home: Path) -> list[tuple[str, str]]:
    """Folders that hold a training whose run.json cannot be relied on: name, and what is wrong with it."""
    found = []
    for path in sorted(home.glob(f"*/{RUN}")):
        try:
            Run(path.parent).read()
        except DataError as error:
            found.append((path.parent.name, str(error)))
    return found


def state_of(run: Run) -> str:
    """running, stopped, failed, done; or killed, where run.json says running and nobody trains."""
    from training.alone import is_trained

    state = str(run.read()["state"])
    return "killed" if state == "running" and not is_trained(run) else state
