"""The jobs that run, one line each, on the home screen."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from studio.jobs import Job
from studio.tui.state import Studio
from studio.tui.theme import themed
from studio.tui.widgets.outcome_bar import progress_bar
from studio.tui.words import clock_words, cut

MOST = 3
"""Lines at most; the jobs screen shows all."""


class RunningJobs(Widget):
    """Takes no room while nothing runs."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self._jobs: list[Job] = []

    def on_mount(self) -> None:
        self.display = False

    def show(self, jobs: Sequence[Job]) -> None:
        """Show these jobs."""
        self._jobs = list(jobs)
        self.display = bool(jobs)
        self.styles.height = min(MOST, len(jobs)) + (1 if len(jobs) > MOST else 0) + 1
        self.refresh()

    def render(self) -> RenderResult:
        colours, width = themed(self.app), self.size.width
        lines = [Text("Running", colours["muted"])]
        for job in self._jobs[:MOST]:
            bar_width = max(6, min(30, width - 34))
            bar = progress_bar(job.progress.share, bar_width, colours["accent"], colours["line"])
            left = job.progress.left_s
            right = f" {job.progress.done:g}/{job.progress.of:g}" if job.progress.of else ""
            right += f" {clock_words(left)} left" if left is not None else ""
            name = cut(job.id, width - bar_width - len(right) - 1)
            line = Text(name, colours["foreground"]).append(" " * (width - len(name) - bar_width - len(right)))
            lines.append(line.append_text(bar).append(right, colours["muted"]))
        if len(self._jobs) > MOST:
            lines.append(Text(f"and {len(self._jobs) - MOST} more: j shows all", colours["muted"]))
        return Text("\n").join(lines)
