"""A watched episode in a process of its own: the policy, the world and what they load are heavy, and may fail."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import FAILED, StudioError, UsageError
from recorders.crew import as_child, end_channel, no_interrupt
from studio.console import Console
from studio.watching.history import History
from studio.watching.piece import Piece

if TYPE_CHECKING:
    from studio.verbs.watch_from import Opened

NICE = 5
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Until:
    """Make frames up to this one."""

    frame: int


@dataclass(frozen=True)
class GoOn:
    """Go on from a frame with other settings, spelt as on the command line."""

    frame: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Leave:
    """Keep what was seen, and end."""


@dataclass(frozen=True)
class Told:
    """A word for people: what is being done, or what could not be done."""

    text: str
    grave: bool = False


@dataclass(frozen=True)
class Doubt:
    """A word that shall be read before one believes what is shown."""

    text: str


@dataclass(frozen=True)
class Kept:
    """The folder that a history was written to."""

    folder: Path


@dataclass(frozen=True)
class Over:
    """The end; `wrong` says why where nobody asked for it."""

    code: int = 0
    wrong: str = ""


class WatchProcess:
    """A session beside this process; nothing here ever waits for it.

    It makes no frame that was not asked for. What it made is written into a new folder at the episode's end, before
    something else takes its place, and when it is left.

    Args:
        words: of the command, without `studio`; "watch" first.

    Attributes:
        words: the same.
        history: as far as it told.
        said: its last word.
        doubts: what it said that shall be read before one believes what is shown.
        kept: the folder its history was last written to; None before.
        over: how it ended; None while it runs.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.history: History | None = None
        self.said = Told("")
        self.doubts: list[str] = []
        self.kept: Path | None = None
        self.over: Over | None = None
        self._inbox: Any = _SPAWN.Queue()
        self._news: Any = _SPAWN.Queue()
        # A daemon is asked to end when this process does, and waited for: it keeps what was seen.
        self._process = _SPAWN.Process(target=_serve, args=(self.words, self._inbox, self._news), daemon=True)
        with no_interrupt():
            self._process.start()

    def until(self, frame: int) -> None:
        """Have frames made up to this one."""
        self._put(Until(frame))

    def go_on(self, frame: int, words: Sequence[str]) -> None:
        """Have the episode gone on with otherwise from a frame."""
        self._put(GoOn(frame, tuple(words)))

    def listen(self) -> bool:
        """Take in what it said since the last time; returns whether there was anything."""
        ended = not self._process.is_alive()
        fresh = False
        with suppress(queue.Empty):
            while True:
                self._take(self._news.get(timeout=0.05) if ended else self._news.get_nowait())
                fresh = True
        if ended and self.over is None:
            self._take(Over(FAILED, f"The policy's process ended without a word (code {self._process.exitcode})."))
            fresh = True
        return fresh

    def leave(self) -> None:
        """Ask it to keep what was seen and to end."""
        self._put(Leave())

    def close(self, *, patience_s: float = 20.0) -> None:
        """Have what was seen kept, and end it; waits so long at most."""
        if self.history is not None:
            self.leave()
            end = time.monotonic() + patience_s
            # It ends only when all that it said was taken in.
            while self._process.is_alive() and time.monotonic() < end:
                self.listen()
                self._process.join(timeout=0.05)
            self.listen()
        self._process.terminate()
        self._process.join(timeout=5)
        for channel in (self._inbox, self._news):
            end_channel(channel)

    def _put(self, message: Any) -> None:
        if self.over is None:
            self._inbox.put(message)

    def _take(self, news: Any) -> None:
        match news:
            case Piece():
                self.history = news.after(self.history)
            case Told():
                self.said = news
            case Doubt():
                self.doubts.append(news.text)
            case Kept():
                self.kept = news.folder
            case Over():
                self.over = news


class _Words(Console):
    """What a command would say goes to the screen that looks on."""

    def __init__(self, news: Any) -> None:
        super().__init__()
        self._news = news

    def step(self, text: str) -> None:
        self._news.put(Doubt(text))

    def progress(self, text: str) -> None:
        self._news.put(Told(text))


def _serve(words: tuple[str, ...], inbox: Any, news: Any) -> None:
    as_child(NICE)
    # What libraries print would tear the screen.
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    signal.signal(signal.SIGTERM, lambda *_: _end(news))
    over = Over()
    try:
        _watch(words, inbox, news)
    except StudioError as error:
        over = Over(error.exit_code, str(error))
    except Exception as error:  # noqa: BLE001  a fault of ours: the screen tells it, the history is kept
        over = Over(FAILED, f"unexpected {type(error).__name__} while watching: {error}")
    news.put(over)


def _end(news: Any) -> None:
    """End although nobody takes in what was said: whoever terminates this process waits for it, and reads no more."""
    news.cancel_join_thread()
    sys.exit(0)


def _watch(words: tuple[str, ...], inbox: Any, news: Any) -> None:
    from recorders.world.gl import require_opengl

    require_opengl()
    news.put(Told("the policy is loaded ..."))
    from studio.verbs.watch import require_valid
    from studio.verbs.watch_from import session_of

    options = _parsed(words)
    require_valid(options)
    opened = session_of(options, _Words(news))
    with closing(opened.session.world):
        telling = _Telling(opened, news)
        try:
            telling.serve(inbox)
        finally:
            telling.keep()


def _parsed(words: Sequence[str]) -> Any:
    """Options of the command.

    Raises:
        UsageError: the words are none of its.
    """
    from studio.cli import parsed

    try:
        return parsed(words[0], list(words[1:]), quiet=True)[1]
    except SystemExit:
        raise UsageError(f"studio {' '.join(words)}: these answers are no command; see studio watch --help.") from None


class _Telling:
    """Does what the screen asks of a session, and tells what became of it."""

    def __init__(self, opened: Opened, news: Any) -> None:
        self._opened, self._session, self._news = opened, opened.session, news
        self._sent, self._goal, self._kept = 0, 0, True
        if self._session.at >= 0:
            self._goal = self._session.at
            self._tell()

    def serve(self, inbox: Any) -> None:
        """Until it is left."""
        while True:
            idle = self._session.ending is not None or self._session.at >= self._goal
            try:
                message = inbox.get(block=idle)
            except queue.Empty:
                self._step()
                continue
            match message:
                case Leave():
                    return
                case Until(frame):
                    self._goal = frame
                case GoOn(frame, words):
                    self._go_on(frame, words)

    def keep(self) -> None:
        """Write what is not written yet into a new folder."""
        if self._kept or self._session.at < 0:
            return
        from studio.verbs.watch import keep_under

        history = self._session.history
        folder = keep_under(str(history.told["checkpoint"]["label"]), history)
        self._kept = True
        self._news.put(Kept(folder))

    def _step(self) -> None:
        session, made = self._session, None
        try:
            made = session.step()
        except StudioError as error:
            if not len(session.history):
                # There is nothing to look at, nor to go on from.
                raise
            self._goal = session.at
            self._news.put(Told(str(error), grave=True))
        self._kept = False
        if made is None:
            if self._opened.compared is not None and not session.branches:
                session.tell(compared=self._opened.compared(session.history))
            self._tell()
            self.keep()
        else:
            self._tell()

    def _go_on(self, frame: int, words: tuple[str, ...]) -> None:
        from studio.verbs.watch_from import changes_in

        before = self._session.at
        try:
            self.keep()
            changed = changes_in(_parsed(("watch", "--again", ".", "--from-frame", str(frame), *words)))
            self._session.go(frame)
            self._session.change(**changed)
        except StudioError as error:
            self._session.at = before
            self._news.put(Told(str(error), grave=True))
            return
        self._goal, self._sent, self._kept = frame, min(self._sent, frame), False
        self._news.put(Told(f"goes on from frame {frame} with {' '.join(words)}"))
        self._tell()

    def _tell(self) -> None:
        """Hand on what is new, from the first frame that was not handed on yet."""
        history = self._session.history
        self._news.put(Piece.of(history, self._sent))
        self._sent = len(history)
