"""tui: the studio on screen."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from curation.errors import UnknownChoice, UsageError
from studio.console import Console
from studio.paths import data_home, dataset_path

if TYPE_CHECKING:
    from studio.tui.state import Place

OPENABLE = ("home", "setup", "targets", "library", "jobs")


@dataclass(frozen=True, kw_only=True)
class Tui:
    """Open the studio on this terminal: datasets, recording, targets, library, jobs."""

    dataset: Annotated[str, tyro.conf.Positional] = ""
    """Open the library of this dataset."""
    screen: str = ""
    """Screen to begin with: home, setup, targets, library, jobs."""
    json: bool = False
    """Print what the home screen shows as JSON, and open nothing."""


def tui(options: Tui, console: Console) -> int:
    """Show the application until the person leaves."""
    if options.json:
        from studio.overview import Overview

        console.result("", [card.values() for card in Overview(data_home()).cards()])
        return 0
    _require_terminal()
    from studio.tui import graphics
    from studio.tui.run import run
    from studio.tui.state import Studio

    graphics.find()
    studio = Studio()
    studio.trail.extend(_first(options))
    try:
        run(studio)
    finally:
        if studio.live is not None:
            console.step("Saving what was kept ...")
        studio.close()
    return 0


def _first(options: Tui) -> list[Place]:
    """The places to open after home."""
    from studio.tui.state import Place

    screen = options.screen or ("library" if options.dataset else "home")
    if screen not in OPENABLE:
        raise UnknownChoice("screen", screen, OPENABLE)
    root: Path | None = dataset_path(options.dataset) if options.dataset else None
    if screen == "library":
        if root is None:
            raise UsageError("The library shows a dataset: studio tui DATASET --screen library.")
        from curation.store import Store

        Store.open(root)
    return [] if screen == "home" else [Place(screen, root)]


def _require_terminal() -> None:
    in_browser = bool(os.environ.get("TEXTUAL_DRIVER"))
    if not in_browser and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError(
            "The screens need a terminal. In a browser: studio serve. Without either, every action is a command: "
            "studio --help."
        )
