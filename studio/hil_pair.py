"""LeRobot's learner and actor as two child processes: started, watched, and ended together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import INTERRUPTED, OK, StudioError
from training.ending import ask, last_words

CONFIG, ABOUT = "train_config.json", "hil.json"
"""LeRobot's configuration, and what was asked and came of it."""
ROLES = {"learner": "training.hil_learner", "actor": "recorders.plugin.hil_actor"}
PLUGIN = "recorders.plugin"
POLL_S = 0.5
SAVING_S = 180.0
"""How long both may take to end, the learner's checkpoint included, before they are killed [s]."""


class HilFailed(StudioError):
    """LeRobot's actor or learner ended with an error."""


@dataclass(frozen=True)
class Seen:
    """How far a run is.

    Attributes:
        episodes: of the actor, one line each.
        learning: the learner's last line; empty before the first.
    """

    episodes: list[dict[str, Any]]
    learning: dict[str, Any]

    @property
    def steps(self) -> int:
        """Of the environment, in whole episodes."""
        return sum(one["frames"] for one in self.episodes)


def seen(folder: Path) -> Seen:
    """What both have written so far."""
    learning = _lines(folder / "learner" / "learning.jsonl")
    return Seen(_lines(folder / "actor" / "episodes.jsonl"), learning[-1] if learning else {})


def follow(folder: Path, threads: int, tell: Callable[[Seen], None]) -> int:
    """Run both until the actor has made its steps; returns 0, or 130 if it was stopped.

    Either way the learner leaves a checkpoint, if it has learned anything.

    Args:
        folder: the run's, with its configuration.
        threads: of PyTorch, in each.
        tell: told how far it is.

    Raises:
        HilFailed: with the last thing that the one that failed has said.
    """
    with ExitStack() as stack:
        # LeRobot's Arrow copy of the demonstrations goes with the run.
        cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="studio-arrow-", ignore_cleanup_errors=True))
        children: dict[str, subprocess.Popen[bytes]] = {}
        stack.callback(_kill, children)
        try:
            for role in ROLES:
                children[role] = _start(folder, role, threads, cache)
            while (ended := _ended(children)) is None:
                tell(seen(folder))
                time.sleep(POLL_S)
        except KeyboardInterrupt:
            ended = None
        codes = _stop(children)
        tell(seen(folder))
    if ended is None:
        return INTERRUPTED
    # Who ended first is the one that failed, if any did; what the other says then follows from it.
    order = sorted(codes, key=lambda role: role != ended)
    failed = next((role for role in order if codes[role] != OK), None)
    if failed is not None:
        log, code = folder / f"{failed}.log", codes[failed]
        why = (
            last_words(log)
            if code > 0
            else f"signal {-code} ended it; where memory ran out, fewer --demonstrations help."
        )
        raise HilFailed(f"The {failed} failed: {why} All it said is in {log}.")
    return OK


def _start(folder: Path, role: str, threads: int, cache: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", ROLES[role], f"--config_path={(folder / CONFIG).absolute()}",
        # Each has its own, because LeRobot refuses a folder that is there.
        f"--output_dir={(folder / role).absolute()}", f"--env.discover_packages_path={PLUGIN}",
    ]  # fmt: skip
    with (folder / f"{role}.log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(threads, cache),
            # Ctrl+C reaches us alone; a second signal would end them without a checkpoint.
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def _environment(threads: int, cache: str) -> dict[str, str]:
    here = os.pathsep.join(filter(None, (str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", ""))))
    own = {
        "PYTHONUTF8": "1",
        "PYTHONPATH": here,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": cache,
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # LeRobot's replay buffer compiles its shift of four pixels, for which there must be a C++ compiler.
        "TORCHDYNAMO_DISABLE": "1",
    }
    return {**os.environ, **own}


def _ended(children: dict[str, subprocess.Popen[bytes]]) -> str | None:
    """Who is through; None while both run."""
    return next((role for role, child in children.items() if child.poll() is not None), None)


def _stop(children: dict[str, subprocess.Popen[bytes]]) -> dict[str, int]:
    """Ask those that still run, once, and wait for the checkpoint; another Ctrl+C ends that. Returns their codes."""
    for child in children.values():
        if child.poll() is None:
            ask(child)
    deadline = time.monotonic() + SAVING_S
    with suppress(KeyboardInterrupt):
        while any(child.poll() is None for child in children.values()) and time.monotonic() < deadline:
            time.sleep(0.1)
    _kill(children)
    return {role: child.wait() for role, child in children.items()}


def _kill(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.kill()
        child.wait()


def _lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a file that is being written."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
