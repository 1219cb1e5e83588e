"""Start a training in a process of its own, follow it, and end it well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.errors import INTERRUPTED, OK, StudioError
from training import checkpoints
from training.alone import Held, here
from training.checkpoints import last_complete, step_of
from training.ending import ask, end, last_words
from training.preflight.hand import missing
from training.progress import Progress, progress_of
from training.pushing import not_pushed
from training.recipe import Recipe
from training.runs import Run

POLL_S = 0.25

Tell = Callable[[Progress], None]


class TrainingFailed(StudioError):
    """LeRobot's training ended with an error."""


def begin(held: Held, tell: Tell) -> int:
    """Train from the start; returns 0, or 130 if it was stopped.

    Args:
        held: the run, from `alone`.
        tell: told how far it is.

    Raises:
        TrainingFailed: with the last thing it said.
    """
    return _follow(held, None, tell)


def resume(held: Held, tell: Tell, say: Callable[[str], None]) -> int:
    """Go on from the last whole checkpoint, exactly; what came after it is lost and said.

    Args:
        held: the run, from `alone`.
        tell: told how far it is.
        say: told from where it goes on.

    Raises:
        NoCheckpoint: there is none.
        TrainingFailed: with the last thing it said.
    """
    run = held.run
    checkpoints.drop_partial(run.checkpoints)
    checkpoint, damaged = last_complete(run.checkpoints)
    for path, why in damaged:
        say(f"checkpoint {path.name} is not whole ({why}); it is passed over")
    step, told = step_of(checkpoint), run.read()
    reached = max([int(run.beat().get("step", 0)), *(int(line.get("step", 0)) for line in run.curve()), step])
    lost = reached - step
    say(f"resuming {run.name} from step {step}; {lost} step{'s' if lost != 1 else ''} after it are lost")
    resumed = [*told.get("resumed", []), {"from_step": step, "lost_steps": lost, "when": now()}]
    run.update(resumed=resumed)
    forget_after(run.progress, step)
    for path, _ in damaged:
        path.rename(path.with_name(f"{path.name}{checkpoints.PARTIAL}"))
    checkpoints.drop_partial(run.checkpoints)
    checkpoints.point_last(checkpoint)
    return _follow(held, checkpoint, tell)


def forget_after(path: Path, step: int) -> None:
    """Leave out lines of a loss curve that belong to steps which are made again."""
    from curation.atomic import write_aside
    from training.runs import curve_lines

    kept = [line for line in curve_lines(path) if int(line.get("step", 0)) <= step]
    write_aside(path, "".join(json.dumps(line) + "\n" for line in kept).encode())


def now() -> str:
    """This moment, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _follow(held: Held, checkpoint: Path | None, tell: Tell) -> int:
    run = held.run
    recipe = Recipe.from_json(run.read()["recipe"])
    with run.log.open("ab") as log:
        child = subprocess.Popen(
            command(run, recipe, checkpoint),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(recipe),
            # Ctrl+C reaches us alone; we ask the child ourselves, once.
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            # It writes a last checkpoint after a kill of this process, and is alone with the run until then.
            pass_fds=() if sys.platform == "win32" else (held.lock.fileno(),),
        )
        try:
            run.update(state="running", pid=child.pid, host=here())
            code = _wait(run, child, recipe, tell)
        except BaseException:
            end(child)
            run.update(state="failed", pid=None)
            raise
    state = {OK: "done", INTERRUPTED: "stopped"}.get(code, "failed")
    run.update(state=state, pid=None, ended=now())
    if state == "failed":
        raise TrainingFailed(f"Training {run.name} failed: {last_words(run.log)} All it said is in {run.log}.")
    return code


def command(run: Run, recipe: Recipe, checkpoint: Path | None) -> list[str]:
    """The child's command line."""
    words = [str(run.folder.absolute()), *([str(checkpoint.absolute())] if checkpoint else [])]
    if recipe.processes > 1:
        together = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(recipe.processes)]
        return [sys.executable, *together, "-m", "training.child", *words]
    return [sys.executable, "-m", "training.child", *words]


def environment(recipe: Recipe) -> dict[str, str]:
    """The child's environment: UTF-8, threads as asked, no Hub unless it is needed."""
    own: Mapping[str, str] = {"PYTHONUTF8": "1", "TOKENIZERS_PARALLELISM": "false"}
    more = {"OMP_NUM_THREADS": str(recipe.threads), "MKL_NUM_THREADS": str(recipe.threads)} if recipe.threads else {}
    # All that training reads is at hand by now; a forgotten name must fail at once, not after a minute of retries.
    offline = {} if recipe.push_to or missing(recipe) else {"HF_HUB_OFFLINE": "1"}
    here = os.pathsep.join(filter(None, (str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", ""))))
    return {**os.environ, **own, **more, **offline, "PYTHONPATH": here}


def _wait(run: Run, child: subprocess.Popen[bytes], recipe: Recipe, tell: Tell) -> int:
    asked = 0
    while True:
        try:
            tell(progress_of(run, recipe.steps))
            with suppress(subprocess.TimeoutExpired):
                return child.wait(POLL_S)
        except KeyboardInterrupt:
            asked += 1
            ask(child)
            if asked > 1:
                return end(child)


def described(run: Run) -> dict[str, Any]:
    """A finished or stopped training as JSON values: run.json and the end of its curve."""
    told = run.read()
    curve = [line for line in run.curve() if "loss" in line]
    whole = [path.name for path in checkpoints.listed(run.checkpoints) if not checkpoints.broken(path)]
    return {**told, "folder": str(run.folder), "last": curve[-1] if curve else None, "checkpoints": whole,
            "not_pushed": not_pushed(run.folder)}  # fmt: skip
