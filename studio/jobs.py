"""Commands that run in the background and outlive whoever started them.

A job is a `studio` command in a folder of its own:

```text
runs/jobs/<id>/job.json       what was asked: the command line, the folder it runs in, when
runs/jobs/<id>/log            everything it said
runs/jobs/<id>/progress.json  how far it is, written by `studio.console`
runs/jobs/<id>/beat           touched twice a second while it runs
runs/jobs/<id>/cancel         made by whoever wants it to end
runs/jobs/<id>/exit           its exit code and when it ended
```

A small process of its own (`studio.job_process`) starts the command, watches for `cancel` and writes `exit`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from curation.errors import UnknownChoice, UsageError

JOB, LOG, PROGRESS, BEAT, CANCEL, EXIT = "job.json", "log", "progress.json", "beat", "cancel", "exit"
VARIABLE = "STUDIO_JOB"
"""Environment variable that tells a command the folder of the job it is."""
SILENT_S = 15.0
"""A job without exit that has not beaten for this long is lost: its process was killed, or the machine stopped [s]."""
INTERRUPTED = 130


class State(StrEnum):
    """What became of a job."""

    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def over(self) -> bool:
        return self not in (State.RUNNING, State.STOPPING)


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        done: units made, of `of`; `of` is 0 while it is not known.
        of: all units.
        text: the last thing the command said of itself.
        per_second: units a second since the first was counted; 0 if not known.
        about: the folder it writes into, such as a training's; None if it said none.
    """

    done: float = 0.0
    of: float = 0.0
    text: str = ""
    per_second: float = 0.0
    about: Path | None = None

    @property
    def share(self) -> float | None:
        """0 to 1; None while it is not known."""
        return min(1.0, self.done / self.of) if self.of > 0 else None

    @property
    def left_s(self) -> float | None:
        """Seconds left at this pace; None if nobody can say."""
        return max(0.0, self.of - self.done) / self.per_second if self.per_second > 0 and self.of > 0 else None


@dataclass(frozen=True)
class Job:
    """A command in the background, as its folder says."""

    id: str
    folder: Path
    argv: tuple[str, ...]
    started: datetime
    ended: datetime | None
    state: State
    code: int | None
    progress: Progress

    @property
    def command(self) -> str:
        """The command line, as one would type it."""
        import shlex

        return shlex.join(["studio", *self.argv])

    def seconds(self, now: datetime) -> float:
        """Seconds it has run, until it ended or until now."""
        return max(0.0, ((self.ended or now) - self.started).total_seconds())

    def log(self, most_bytes: int = 200_000) -> str:
        """The end of what it said."""
        return tail(self.folder / LOG, most_bytes)


class Jobs:
    """The jobs under a folder of runs.

    Args:
        runs: the folder; made when the first job starts.
        grace: seconds after an interrupt until the command is asked to terminate, and from then until it is killed.
    """

    def __init__(self, runs: Path, grace: tuple[float, float] = (60.0, 15.0)) -> None:
        self.folder = runs / "jobs"
        self._grace = grace
        self._over: dict[str, Job] = {}

    def start(self, argv: Sequence[str]) -> Job:
        """Start `studio ARGV...` in the background; it goes on when we end.

        Raises:
            UsageError: the folder cannot be written.
        """
        started = datetime.now(UTC)
        try:
            folder = self._new_folder(argv[0], started)
            asked = {"argv": list(argv), "cwd": str(Path.cwd()), "started": started.isoformat(), "grace": self._grace}
            write_json(folder / JOB, asked)
            (folder / BEAT).touch()
            with open(folder / LOG, "ab") as log:
                child = subprocess.Popen(
                    [sys.executable, "-m", "studio.job_process", str(folder.absolute())],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={**os.environ, "PYTHONUTF8": "1"},
                )
        except OSError as error:
            raise UsageError(
                f"No job can be started in {self.folder}: {error.strerror or error}. Set STUDIO_RUNS to a folder that "
                "can be written."
            ) from error
        # A child that has ended and that nobody waited for stays in the table of processes as long as we live.
        threading.Thread(target=child.wait, name=f"job {folder.name}", daemon=True).start()
        return self._read(folder)

    def all(self) -> list[Job]:
        """Every job, newest first; those whose files cannot be read are left out."""
        jobs = []
        for folder in self.folder.glob("*/") if self.folder.is_dir() else ():
            with suppress(OSError, ValueError, KeyError, TypeError):
                jobs.append(self._over.get(folder.name) or self._read(folder))
        self._over = {job.id: job for job in jobs if job.state.over and job.state is not State.LOST}
        return sorted(jobs, key=lambda job: (job.started, job.id), reverse=True)

    def get(self, which: str) -> Job:
        """One job.

        Raises:
            UnknownChoice: there is none of that id.
        """
        jobs = {job.id: job for job in self.all()}
        if which not in jobs:
            raise UnknownChoice("job", which, jobs or ("none was started yet",))
        return jobs[which]

    def cancel(self, which: str) -> Job:
        """Ask a job to end, as Ctrl+C does; what does not end is terminated, and at last killed.

        Raises:
            UnknownChoice: there is none of that id.
            UsageError: it is over.
        """
        job = self.get(which)
        if job.state.over:
            raise UsageError(f"Job {which} is over ({job.state}). Only running jobs can be cancelled.")
        (job.folder / CANCEL).touch()
        return self._read(job.folder)

    def _new_folder(self, verb: str, started: datetime) -> Path:
        stem = f"{verb}-{started.astimezone():%m%d-%H%M%S}"
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = self.folder / (stem if number == 1 else f"{stem}-{number}")
            with suppress(FileExistsError):
                folder.mkdir()
                return folder
        raise FileExistsError(stem)

    def _read(self, folder: Path) -> Job:
        asked = json.loads((folder / JOB).read_bytes())
        ended = _json(folder / EXIT)
        code = ended.get("code")
        return Job(
            id=folder.name,
            folder=folder,
            argv=tuple(asked["argv"]),
            started=datetime.fromisoformat(asked["started"]),
            ended=datetime.fromisoformat(ended["ended"]) if ended else _lost_at(folder),
            state=_state(folder, code),
            code=code,
            progress=_progress(_json(folder / PROGRESS)),
        )


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a small file at once; readers see the old or the new one. Not flushed to the disk: it may be lost."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.aside")
    aside.write_text(json.dumps(values), encoding="utf-8")
    aside.replace(path)


def _state(folder: Path, code: int | None) -> State:
    cancelled = (folder / CANCEL).exists()
    if code is None:
        if _silent_s(folder) > SILENT_S:
            return State.LOST
        return State.STOPPING if cancelled else State.RUNNING
    if code == 0:
        return State.DONE
    return State.CANCELLED if cancelled or code == INTERRUPTED else State.FAILED


def _silent_s(folder: Path) -> float:
    return time.time() - (folder / BEAT).stat().st_mtime


def _lost_at(folder: Path) -> datetime | None:
    if _silent_s(folder) <= SILENT_S:
        return None
    return datetime.fromtimestamp((folder / BEAT).stat().st_mtime, UTC)


def _progress(values: dict[str, Any]) -> Progress:
    if not values:
        return Progress()
    passed, made = values["at"] - values["since"], values["done"] - values["first"]
    pace = made / passed if passed > 0 and made > 0 else 0.0
    about = Path(values["about"]) if values.get("about") else None
    return Progress(float(values["done"]), float(values["of"]), str(values["text"]), pace, about)


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def tail(path: Path, most_bytes: int) -> str:
    """Whole lines at the end of a text file; "" if it cannot be read."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - most_bytes))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return text if size <= most_bytes else text.partition("\n")[2]
