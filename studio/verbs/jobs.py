"""jobs: commands in the background."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import tyro

from curation.errors import UsageError
from studio.console import Console
from studio.jobs import Job
from studio.jobs import Jobs as Runs
from studio.paths import runs_home


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """List the commands that run or ran in the background; show the log of one, or cancel it."""

    job: Annotated[str, tyro.conf.Positional] = ""
    """Show this job only."""
    cancel: str = ""
    """Ask this job to end as Ctrl+C does; what it kept is saved."""
    log: str = ""
    """Print what this job said."""
    json: bool = False
    """Print the jobs as JSON."""


def jobs(options: Jobs, console: Console) -> int:
    """List, show or cancel."""
    runs = Runs(runs_home())
    if sum(map(bool, (options.job, options.cancel, options.log))) > 1:
        raise UsageError("Say one of JOB, --cancel and --log.")
    if options.log:
        job = runs.get(options.log)
        console.result(job.log().rstrip("\n"), {**values(job), "log": job.log()})
        return 0
    if options.cancel:
        job = runs.cancel(options.cancel)
        console.result(f"{job.id} is asked to end. Follow it with: studio jobs --log {job.id}", values(job))
        return 0
    if options.job:
        job = runs.get(options.job)
        console.result(_long(job), values(job))
        return 0
    listed = runs.all()
    console.result(_table(listed), [values(job) for job in listed])
    return 0


def values(job: Job) -> dict[str, Any]:
    """A job as JSON values."""
    progress = job.progress
    return {
        "id": job.id,
        "state": job.state.value,
        "command": job.command,
        "started": job.started.isoformat(),
        "seconds": round(job.seconds(datetime.now(UTC)), 1),
        "exit_code": job.code,
        "done": progress.done,
        "of": progress.of,
        "left_s": None if progress.left_s is None or job.state.over else round(progress.left_s, 1),
        "text": progress.text,
        "folder": str(job.folder),
    }


def _table(jobs: list[Job]) -> str:
    if not jobs:
        return "No jobs. The screens start some: press g or b there."
    wide = max(len(job.id) for job in jobs)
    return "\n".join(f"{job.id:<{wide}}  {job.state.value:<9}  {_progress(job):>9}  {job.command}" for job in jobs)


def _long(job: Job) -> str:
    said = job.progress.text or "nothing yet"
    left = job.progress.left_s
    rows = {
        "command": job.command,
        "state": job.state.value + ("" if job.code is None else f", exit code {job.code}"),
        "started": f"{job.started.astimezone():%Y-%m-%d %H:%M:%S}, {job.seconds(datetime.now(UTC)):.0f} s",
        "progress": _progress(job) + ("" if left is None or job.state.over else f", {left:.0f} s left"),
        "said": said,
        "folder": str(job.folder),
    }
    return "\n".join([job.id, *(f"  {name:<10}{text}" for name, text in rows.items())])


def _progress(job: Job) -> str:
    return f"{job.progress.done:g}/{job.progress.of:g}" if job.progress.of else "-"
