"""What a screen follows: a folder that is written into, and the job that writes it, where one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studio.jobs import Job
from studio.paths import runs_home


@dataclass(frozen=True)
class Following:
    """A training or an evaluation, as soon as there is one.

    Attributes:
        folder: its folder; None until its job has named it.
        job: id of its job; "" where it was started elsewhere.
    """

    folder: Path | None = None
    job: str = ""

    def at(self, jobs: Sequence[Job]) -> tuple[Following, Job | None]:
        """The same with what the jobs say now: where a job goes on to the next folder, it is followed.

        Args:
            jobs: newest first.
        """
        own = next((job for job in jobs if job.id == self.job), None) or self._writer(jobs)
        if own is None:
            return self, None
        about = own.progress.about if own.id == self.job else None
        return replace(self, folder=about or self.folder), own

    def _writer(self, jobs: Sequence[Job]) -> Job | None:
        """The newest job about the folder, started in whatever sitting."""
        if self.folder is None:
            return None
        here = self.folder.absolute()
        return next((job for job in jobs if job.progress.about == here), None)


def name_of(folder: Path) -> str:
    """A training's folder as the command line takes it: a bare name where it lies under the home of runs."""
    inside = folder.absolute().parent == runs_home().absolute()
    return folder.name if inside else str(folder)
