"""What is watched, as long as somebody watches: read from a folder, or made by a process while one looks on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from curation.errors import StudioError
from studio.tui.watch_sight import Sight
from studio.watching.files import read_history

if TYPE_CHECKING:
    from studio.watch_process import WatchProcess


class Watching:
    """What is watched; outlives the screen, so that a screen that fails loses nothing.

    Args:
        folder: of a history that is there.
        words: of the command that makes one, "watch" first.

    Attributes:
        at: the frame looked at.
        process: makes frames; None while only what is there is looked at.
        wrong: why there is nothing to look at, or nothing more comes.
    """

    def __init__(self, folder: Path | None = None, words: Sequence[str] = ()) -> None:
        self.folder = folder
        self.at = 0
        self.process: WatchProcess | None = None
        self.wrong = ""
        self._words = tuple(words)
        self._sight: Sight | None = None

    @property
    def name(self) -> str:
        """What is watched, for people."""
        return self.folder.name if self.folder is not None else " ".join(self._words[1:])

    def look(self) -> Sight | None:
        """As it is now; for a thread. Never raises: what is wrong is said."""
        if self.process is None and self._sight is None and not self.wrong:
            if self.folder is None:
                self.process = _started(self._words)
            else:
                self._read(self.folder)
        process = self.process
        if process is not None and process.listen():
            if process.history is not None and (self._sight is None or process.history is not self._sight.history):
                self._sight = Sight.of(process.history)
            self.folder = process.kept or self.folder
            self.wrong = process.over.wrong if process.over is not None else ""
        return self._sight

    @property
    def loading(self) -> bool:
        """Whether a process was started that has told nothing yet."""
        return self.process is not None and self.process.over is None and self.process.history is None

    @property
    def live(self) -> bool:
        """Whether more frames can be made."""
        process = self.process
        going = process is not None and process.over is None and process.history is not None
        return going and process.history.told["ending"] is None  # type: ignore[union-attr]

    @property
    def said(self) -> tuple[str, bool]:
        """The process's last word, and whether something could not be done."""
        return (self.process.said.text, self.process.said.grave) if self.process is not None else ("", False)

    def doubts(self) -> list[str]:
        """What shall be read before one believes what is shown; each is told once."""
        if self.process is None:
            return []
        found, self.process.doubts = self.process.doubts, []
        return found

    def until(self, frame: int) -> None:
        """Have frames made up to this one, where somebody can."""
        if self.process is not None:
            self.process.until(frame)

    def go_on(self, frame: int, words: Sequence[str]) -> None:
        """Go on from a frame otherwise, in the process that is there or a new one that repeats what is stored."""
        self.wrong = ""
        if self.process is not None and self.process.over is None and self.process.history is not None:
            self.process.go_on(frame, words)
        elif self.folder is not None:
            place = ("--from-frame", str(frame)) if words else ()
            self.process = _started(("watch", "--again", str(self.folder), *place, *words))

    def close(self) -> Path | None:
        """End what was started; waits until it is kept. Returns the folder that was written, if one was."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.close()
        return process.kept

    def _read(self, folder: Path) -> None:
        try:
            self._sight = Sight.of(read_history(folder))
        except StudioError as error:
            self.wrong = str(error)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            self.wrong = f"The watched episode in {folder} cannot be read: {error!r}."


def _started(words: Sequence[str]) -> WatchProcess:
    # It loads MuJoCo, for which no screen shall wait that only may start it.
    from studio.watch_process import WatchProcess

    return WatchProcess(words)
