"""What outlives a screen: where the person is, what is being recorded, the jobs. Knows no Textual.

A crash ends one App; the next App is handed the same `Studio` and goes on from it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from studio.jobs import Jobs
from studio.paths import data_home, runs_home


@dataclass(frozen=True)
class Place:
    """A screen and what it shows; the way back is a list of these.

    Attributes:
        screen: a key of `studio.tui.places.SCREENS`.
        dataset: the dataset it is about.
        what: whatever else the screen is made from, such as a recording's options.
    """

    screen: str = "home"
    dataset: Path | None = None
    what: Any = None


class Live(Protocol):
    """A recording that goes on while screens come and go."""

    @property
    def name(self) -> str:
        """What is recorded into, for people."""
        ...

    def release_keys(self) -> None:
        """Let go of every key: nobody is looking. Never blocks, never raises."""
        ...

    def close(self) -> None:
        """End the recording and save what was kept; may take seconds. Called after the last screen is gone."""
        ...


def now() -> datetime:
    """The wall clock in local time."""
    return datetime.now().astimezone()


def free_bytes(folder: Path) -> int:
    """Free space on the disk of a folder, or of its nearest parent that exists."""
    while not folder.exists():
        folder = folder.absolute().parent
    return shutil.disk_usage(folder).free


@dataclass
class Studio:
    """The state of the application.

    Attributes:
        home: the folder of datasets.
        jobs: commands running in the background.
        live: the recording that goes on, if one does.
        trail: the way to the place shown now; never empty.
        clock: the time shown.
        free: free bytes on the disk of a folder.
        on_crash: called when a screen has failed, before the next App starts.
        leaving: the process was asked to end, so no App follows another.
    """

    home: Path = field(default_factory=data_home)
    jobs: Jobs = field(default_factory=lambda: Jobs(runs_home()))
    live: Live | None = None
    trail: list[Place] = field(default_factory=lambda: [Place()])
    clock: Callable[[], datetime] = now
    free: Callable[[Path], int] = free_bytes
    on_crash: list[Callable[[], None]] = field(default_factory=list)
    leaving: bool = False

    def crashed(self) -> None:
        """Release every key and tell whoever asked to be told."""
        hooks = [*self.on_crash, *([self.live.release_keys] if self.live else [])]
        for hook in hooks:
            try:
                hook()
            except Exception:  # noqa: BLE001, S112  the next hook matters more
                continue

    def close(self) -> None:
        """End what goes on."""
        if self.live is not None:
            self.live.close()
            self.live = None
