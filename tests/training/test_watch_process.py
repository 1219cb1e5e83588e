"""A watched episode beside the screens: frames only when asked for, otherwise from any of them, and all of it kept."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import UsageError
from studio.watch_process import Doubt, GoOn, Kept, Leave, Over, Told, Until, WatchProcess, _watch
from studio.watching.files import read_history
from studio.watching.history import History
from studio.watching.piece import Piece
from tests.devices.pseudo import eventually
from tests.training.test_watch_command import AT, home, trained

assert home
assert trained
WORDS = ("watch", "a", *AT, "--limit", "1", "--device", "cpu")


class Looker:
    """Whoever looks on, in a thread instead of a process."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.inbox: Any = queue.Queue()
        self.news: Any = queue.Queue()
        self.history: History | None = None
        self.said: list[Any] = []
        self._thread = threading.Thread(target=_watch, args=(words, self.inbox, self.news), daemon=True)
        self._thread.start()

    def until(self, true: Callable[[], bool]) -> None:
        while not true():
            news = self.news.get(timeout=60)
            if isinstance(news, Piece):
                self.history = news.after(self.history)
            else:
                self.said.append(news)

    def frames(self) -> int:
        return len(self.history) if self.history is not None else 0

    @property
    def kept(self) -> list[Path]:
        return [one.folder for one in self.said if isinstance(one, Kept)]

    def leave(self) -> None:
        self.inbox.put(Leave())
        self._thread.join(timeout=60)
        while not self.news.empty():
            self.said.append(self.news.get())


@pytest.fixture
def looker(home: Path) -> Iterator[Looker]:
    made = Looker(WORDS)
    yield made
    made.leave()


def alike(one: History, other: History) -> bool:
    same = [np.array_equal(getattr(one.columns, name), getattr(other.columns, name)) for name in ("physics", "action")]
    return all(same) and one.asked == other.asked and one.columns.marks == other.columns.marks


def test_frames_are_made_when_asked_for_and_gone_on_with_otherwise(looker: Looker, home: Path) -> None:
    looker.until(lambda: looker.frames() == 1)
    assert any(isinstance(one, Doubt) and "its units" in one.text for one in looker.said)
    looker.inbox.put(Until(14))
    looker.until(lambda: looker.frames() == 15)
    assert looker.news.empty(), "no more than was asked for"
    before = looker.history
    looker.inbox.put(GoOn(4, ("--n-action-steps", "99")))
    looker.until(lambda: isinstance(looker.said[-1], Told) and looker.said[-1].grave)
    assert "outside 1 to 20" in looker.said[-1].text
    assert looker.history is before
    looker.inbox.put(GoOn(4, ("--n-action-steps", "3")))
    looker.until(lambda: looker.frames() == 5)
    assert alike(read_history(home / looker.kept[0]), before), "what is replaced is on disk"
    looker.inbox.put(Until(1000))
    looker.until(lambda: len(looker.kept) == 2)
    assert looker.history is not None
    assert (looker.frames(), looker.history.asked) == (30, (0, 4, 7, 10, 13, 16, 19, 22, 25, 28))
    assert alike(read_history(home / looker.kept[1]), looker.history)
    assert looker.history.told["ending"] is not None
    looker.leave()
    assert len(looker.kept) == 2, "nothing is written twice"


def test_whoever_leaves_in_the_middle_keeps_what_was_seen(looker: Looker, home: Path) -> None:
    looker.inbox.put(Until(7))
    looker.until(lambda: looker.frames() == 8)
    looker.leave()
    (folder,) = looker.kept
    assert len(read_history(home / folder)) == 8
    again = Looker(("watch", "--again", str(folder)))
    again.until(lambda: again.frames() == 8)
    again.inbox.put(Until(9))
    again.until(lambda: again.frames() == 10)
    again.leave()
    assert len(read_history(home / again.kept[0])) == 10


def test_whoever_leaves_while_much_was_not_taken_in_yet_keeps_it_and_is_told_where(home: Path) -> None:
    """What was made meanwhile is more than a pipe holds."""
    resource_tracker.ensure_running()
    process = WatchProcess(("watch", "a", *AT, "--limit", "3", "--device", "cpu", "--ensemble", "0.01"))
    eventually(lambda: process.listen() and process.history is not None, "the policy is loaded", within_s=240)
    process.until(1000)
    eventually(lambda: list(home.glob("watched/*/watch.json")), "it came to the end", within_s=240)
    process.close(patience_s=240)
    assert process.over == Over()
    assert process.kept is not None
    assert process.history is not None
    assert len(process.history) == len(read_history(home / process.kept)) == 90


def test_the_application_ends_although_nobody_takes_in_what_was_said(home: Path) -> None:
    script = home / "leave.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from studio.watch_process import WatchProcess\n"
        "if __name__ == '__main__':\n"
        "    process = WatchProcess(sys.argv[1:])\n"
        "    while process.history is None:\n"
        "        assert process.over is None, process.over\n"
        "        time.sleep(0.05), process.listen()\n"
        "    process.until(1000)\n"
        "    while not list(Path('watched').glob('*/watch.json')):\n"
        "        time.sleep(0.1)\n"
    )
    words = ("watch", "a", *AT, "--limit", "3", "--device", "cpu", "--ensemble", "0.01")
    done = subprocess.run([sys.executable, str(script), *words], timeout=400)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("watch", "nobody", "--at", "0.3", "0"), "nobody"),
        (("watch", "a", "--at", "far"), "these answers are no command"),
        (("watch", "--row", "a:7"), "a"),
    ],
)
def test_what_cannot_be_watched_is_refused_in_words(home: Path, words: tuple[str, ...], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        _watch(words, queue.Queue(), queue.Queue())


def test_pieces_make_the_whole_again_wherever_it_is_cut(looker: Looker) -> None:
    looker.inbox.put(Until(1000))
    looker.until(lambda: bool(looker.kept))
    whole = looker.history
    assert whole is not None
    for cut in (0, 1, 10, 17, 29, 30):
        joined = Piece.of(whole, cut).after(whole)
        assert alike(joined, whole)
        assert len(joined.columns.state) == len(whole) + 1
