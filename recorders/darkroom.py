"""Where kept takes are drawn and saved, in a process of its own, while the person goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from curation.episodes import StagedEpisode

from .crew import Crew, Gate, Undrawn, drawing_crew
from .session import Session


@dataclass(frozen=True)
class Saved:
    """An episode is in the dataset."""

    index: int
    episode_id: str


@dataclass(frozen=True)
class Drawing:
    """Kept takes still to be drawn."""

    left: int


class Darkroom:
    """Draws and saves the kept takes of one session.

    Args:
        session: the dataset.
        tell: is told what became of each take.

    Attributes:
        undrawn: journals of kept takes that cannot be drawn.
    """

    def __init__(self, session: Session, tell: Callable[[Saved | Drawing | Undrawn], None]) -> None:
        self._session = session
        self._tell = tell
        self._gate = Gate()
        self._crew: Crew | None = None
        self.undrawn: list[Path] = []

    @property
    def open(self) -> int:
        """Takes given and not yet saved."""
        return 0 if self._crew is None else self._crew.open_jobs

    def give(self, journal: Path) -> None:
        """Have a kept take drawn."""
        if self._crew is None:
            session = self._session
            self._crew = drawing_crew(session.root, session.scene, session.store.encoding, self._gate)
        self._crew.give(journal)

    def pause(self, resting: bool) -> None:
        """Stop or go on drawing: a take in real time has the machine to itself."""
        if resting:
            self._gate.close()
        else:
            self._gate.open()

    def collect(self, *, wait: bool = False) -> None:
        """Save what is drawn; with `wait`, at least one.

        Raises:
            StudioError: the drawing process failed; what it had not finished stays kept.
        """
        if self._crew is None:
            return
        for result in self._crew.results(wait=wait):
            if isinstance(result, Undrawn):
                self.undrawn.append(result.journal)
                self._tell(result)
                continue
            staged = StagedEpisode.load(result)
            index = self._session.save(staged)
            self._tell(Saved(index, staged.row.episode_id))

    def finish(self) -> None:
        """Save every take that waits."""
        while self.open:
            self._tell(Drawing(self.open))
            self.collect(wait=True)

    def close(self) -> None:
        """Stop drawing; what is not saved stays kept on disk."""
        if self._crew is not None:
            self._crew.stop()
            self._crew = None
