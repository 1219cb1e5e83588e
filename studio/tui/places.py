"""Screens by name. Each is imported when it is first shown, so the first picture comes at once."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from textual.screen import Screen

from studio.tui.state import Place, Studio

Maker = Callable[[Studio, Place], Screen[Any]]

SCREENS = {
    "home": "studio.tui.home:HomeScreen",
    "setup": "studio.tui.setup:SetupScreen",
    "targets": "studio.tui.finder:FinderScreen",
    "library": "studio.tui.library:LibraryScreen",
    "triage": "studio.tui.triage:TriageScreen",
    "edit": "studio.tui.edit:EditScreen",
    "publish": "studio.tui.publish:PublishScreen",
    "train": "studio.tui.train:TrainScreen",
    "training": "studio.tui.training_screen:TrainingScreen",
    "evaluate": "studio.tui.evaluate:EvaluateScreen",
    "evaluation": "studio.tui.evaluation_screen:EvaluationScreen",
    "generate": "studio.tui.generate:GenerateScreen",
    "generation": "studio.tui.generation_screen:GenerationScreen",
    "watch": "studio.tui.watch_screen:WatchScreen",
    "watched": "studio.tui.watched_screen:WatchedScreen",
    "runs": "studio.tui.runs_screen:RunsScreen",
    "jobs": "studio.tui.jobs_screen:JobsScreen",
    "record": "studio.tui.record:make_screen",
}
"""Each is called with the studio and the place."""


def make(studio: Studio, place: Place) -> Screen[Any]:
    """The screen of a place."""
    module, name = SCREENS[place.screen].split(":")
    maker: Maker = getattr(import_module(module), name)
    return maker(studio, place)
