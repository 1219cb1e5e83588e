"""What the command palette offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from studio.overview import dataset_folders
from studio.tui.state import Place

if TYPE_CHECKING:
    from studio.tui.app import StudioApp

Row = tuple[str, str, Callable[[], None]]


def system_commands(app: StudioApp) -> Iterator[Row]:
    """Title, explanation and what is done."""
    here = app.studio.trail[-1].dataset

    def to(screen: str, dataset: Path | None = None) -> Callable[[], None]:
        return lambda: app.go(Place(screen, dataset))

    yield "Home", "Datasets, running jobs, disk", to("home")
    yield "New recording", "Choose a dataset, who drives and where; then record", to("setup", here)
    yield "Generate", "Episodes by a policy or a script, kept by the judge or a classifier", to("generate", here)
    yield "Targets", "Find positions on the map and write a positions file", to("targets", here)
    if here is not None:
        yield "Triage", "Look through its episodes by score: accept, reject, with one key", to("triage", here)
    yield "Train", "A policy on a dataset; preflight says what stands against it", to("train", here)
    yield "Evaluate", "A checkpoint on seeded placements, with the interval of its rate", to("evaluate")
    yield "Watch (W)", "A policy think: what was watched before, or a checkpoint at a position", to("watched")
    yield "Runs", "Every training and evaluation: stop, go on, compare, report", to("runs")
    yield "Jobs", "What runs in the background: progress, log, cancel", to("jobs")
    for folder in dataset_folders(app.studio.home):
        yield f"Open {folder.name}", "Its episodes: playback, filter, notes, trash", to("library", folder)
    yield "Help", "The keys of this screen", app.action_explain
    yield "Quit", "Leave the studio; jobs go on", app.action_leave
