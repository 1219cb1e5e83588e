"""Processes that work beside the recorder: one drawing queue for real-time takes, many workers for generated ones.

Children are spawned, not forked, so that each has an OpenGL context of its own on every platform; they ignore the
keyboard's interrupt, which their parent answers for all, and end when their parent has ended, however it did.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import FAILED, DataError, StudioError, UsageError
from curation.layout import STAGING
from curation.video import Encoding

from .draw import layout_of, positions, row_of, stage_take
from .journal import Take, read_journal
from .privileged import is_privileged
from .world.drawing import Painter
from .world.scene import Scene, compile_scene

_SPAWN = multiprocessing.get_context("spawn")
_POLL_S = 0.2
_GATE_POLL_S = 0.01


class WorkerDied(StudioError):
    """A child process ended without a word."""

    def __init__(self, what: str, codes: list[int | None]) -> None:
        super().__init__(
            f"A {what} process ended without a word (exit code {codes[0]}); -9 is often want of memory. "
            "What was saved or kept is on disk; run the command again, recordings with --resume."
        )


class Crew:
    """Some equal child processes, fed with jobs, giving back results in the order they finish.

    Args:
        what: named in errors.
        count: of processes.
        work: runs in a child: takes an iterator of jobs and a function that sends a result.
        arguments: passed to `work` after those two.
    """

    def __init__(self, what: str, count: int, work: Callable[..., None], *arguments: Any) -> None:
        if count < 1:
            raise UsageError(f"--processes {count} must be at least 1; leave it away for one per core.")
        self._what = what
        self._jobs: Any = _SPAWN.Queue()
        self._results: Any = _SPAWN.Queue()
        self._processes = [
            _SPAWN.Process(target=_run, args=(work, self._jobs, self._results, arguments), daemon=True)
            for _ in range(count)
        ]
        self.open_jobs = 0  # results still to come
        with no_interrupt():
            for process in self._processes:
                process.start()

    def give(self, job: Any, results: int = 1) -> None:
        """Have a job done, of which so many results come."""
        self.open_jobs += results
        self._jobs.put(job)

    def results(self, *, wait: bool) -> Iterator[Any]:
        """Results so far; with `wait`, at least one while jobs are open.

        Raises:
            StudioError: what a job raised.
            WorkerDied: if a child is gone.
        """
        while self.open_jobs:
            try:
                result = self._results.get(timeout=_POLL_S) if wait else self._results.get_nowait()
            except queue.Empty:
                self._require_alive()
                if wait:
                    continue
                return
            self.open_jobs -= 1
            wait = False
            if self.open_jobs:
                self._require_alive()
            if isinstance(result, BaseException):
                raise result
            yield result

    def stop(self) -> None:
        """End the children now; what they had not finished stays on disk as it was."""
        if not self.open_jobs:
            # An idle child that ends by itself leaves nothing behind for the interpreter to complain about.
            for _ in self._processes:
                self._jobs.put(None)
            for process in self._processes:
                process.join(timeout=2)
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(timeout=5)
        for channel in (self._jobs, self._results):
            end_channel(channel)

    def _require_alive(self) -> None:
        if self._died() and self._results.empty():
            raise WorkerDied(self._what, self._died())

    def _died(self) -> list[int | None]:
        """Exit codes of the children that are gone; what they said before is in the pipe by then."""
        return [process.exitcode for process in self._processes if not process.is_alive()]


@dataclass(frozen=True)
class Undrawn:
    """A kept take that could not be drawn; its journal stays where it is."""

    journal: Path
    why: str


def end_channel(channel: Any) -> None:
    """Close a `multiprocessing.Queue` nobody reads any more; what it still holds is dropped.

    Its feeder thread is given a second to end: one that is still running when the interpreter goes can be stopped
    between taking a semaphore away and telling the resource tracker, which then complains on the terminal.
    """
    channel.close()
    joining = threading.Thread(target=channel.join_thread, daemon=True)
    joining.start()
    joining.join(timeout=1)
    channel.cancel_join_thread()


class Gate:
    """Open or closed. Children look, without a lock that a killed child would take along."""

    def __init__(self) -> None:
        self._open: Any = _SPAWN.RawValue("b", 1)

    def open(self) -> None:
        self._open.value = 1

    def close(self) -> None:
        self._open.value = 0

    def wait(self) -> None:
        while not self._open.value:
            time.sleep(_GATE_POLL_S)


def drawing_crew(root: Path, scene: Scene, encoding: Encoding, gate: Gate) -> Crew:
    """One low-priority process that turns journals (paths) into stage folders (paths), pausing at a closed gate."""
    return Crew("drawing", 1, _draw_journals, root, scene, encoding, gate)


def _draw_journals(
    jobs: Iterator[Path], send: Callable[[Any], None], root: Path, scene: Scene, encoding: Encoding, gate: Gate
) -> None:
    model = compile_scene(scene)
    painter = Painter(scene, model)
    with closing(painter):
        for path in jobs:
            try:
                send(draw_take(read_journal(path), root, scene, painter, encoding, lambda _: gate.wait()))
            except DataError as error:
                # One damaged take must not hold up the others; a full disk holds up all of them.
                send(Undrawn(path, str(error)))


def draw_take(
    take: Take,
    root: Path,
    scene: Scene,
    painter: Painter,
    encoding: Encoding,
    before_frame: Callable[[int], Any] = lambda index: None,
) -> Path:
    """Stage a take of the scene it was driven in; returns the stage folder."""
    model = painter.model
    qpos = positions(take, layout_of(model), model)
    folder = root / STAGING / take.header["episode_id"]
    row, privileged = row_of(take), is_privileged(root)
    return stage_take(
        take, row, qpos, scene, painter, folder, encoding, privileged=privileged, before_frame=before_frame
    ).folder


@contextmanager
def no_interrupt() -> Iterator[None]:
    """Children started inside never see the keyboard's interrupt, not even while they still import."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def as_child(nice: int) -> None:
    """Make this process a well-behaved child: it leaves interrupts to its parent, ends with it, and yields to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(nice)


def _run(work: Callable[..., None], jobs: Any, results: Any, arguments: tuple[Any, ...]) -> None:
    as_child(nice=10)
    try:
        work(iter(jobs.get, None), results.put, *arguments)
    except StudioError as error:
        # Errors built from facts do not survive pickling; their text does.
        results.put(_Told(error.exit_code, str(error)))
    except Exception as error:  # noqa: BLE001  a fault of ours is told by the parent, not by a traceback of the child
        results.put(_Told(FAILED, f"unexpected {type(error).__name__} in a {work.__name__} process: {error}"))


class _Told(StudioError):
    """A child's error, told again by its parent."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.exit_code = code

    def __reduce__(self) -> tuple[type[_Told], tuple[int, str]]:
        return _Told, (self.exit_code, str(self))
