"""Commands one after the other, each remembered when it is done, so that the same chain goes on after any kill.

```text
<folder>/plan.json           what was asked, what was known then, every step's command line; never changed
<folder>/steps/<name>.begun  that a step began: only then is what it makes its own
<folder>/steps/<name>.json   a finished step: its command line, its result as JSON, when and how long
<folder>/left/               what a killed training left that nothing could go on with
<folder>/.lock               held by whoever works on it
```

A step is a command line that a person could type. What it had begun when it was killed is gone on with in the way of
that command: a recording is resumed, a training goes on from its last checkpoint, an evaluation has its rows; an edited
dataset stands there whole or not at all.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.atomic import if_free, remove, write_aside
from curation.errors import INTERRUPTED, OK, DataError, NonePasses, StudioError, TargetExists, UsageError
from studio.console import Console
from studio.paths import run_path
from studio.steps import Step, going_on, wait_for_trainings
from studio.words import line_of

PLAN, STEPS, LEFT, LOCK = "plan.json", "steps", "left", ".lock"
VERSION = 2


class AnotherPlan(UsageError):
    """A chain lies there that was asked otherwise."""


class StepFailed(StudioError):
    """A step of a chain did not end well."""

    def __init__(self, step: Step, code: int) -> None:
        super().__init__(
            f"Step {step.name} ended with exit code {code}: {line_of(step.words)}. What was done is kept; mend it, and "
            "the same command goes on here."
        )
        self.exit_code = code


@dataclass(frozen=True)
class Chain:
    """Steps in a folder.

    Attributes:
        folder: where what is done is remembered.
        steps: in order.
        about: what was asked, JSON values; the same request goes on with the chain, whatever it would plan today.
        known: what was found beside it when it was planned, JSON values.
    """

    folder: Path
    steps: tuple[Step, ...]
    about: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)

    def done(self, step: Step) -> bool:
        return self._file(step).is_file()

    def result(self, name: str) -> Any:
        """What a finished step's command gave as JSON; None if it is not done."""
        return self._told(name, "result")

    @property
    def ended(self) -> Step | None:
        """The step that no episode passed, and where all ended; None if there is none."""
        return next((step for step in self.steps if step.ends and self._told(step.name, "ended")), None)

    @property
    def left(self) -> list[Step]:
        """Steps that are still to be done."""
        return [] if self.ended else [step for step in self.steps if not self.done(step)]

    def remember(self, step: Step, result: Any, seconds: float, ended: str = "") -> None:
        """Write down that a step is done, or why everything ended with it; on return that survives a power cut."""
        told = {"words": step.words, "result": result, "ended": ended, "seconds": round(seconds, 3), "when": _now()}
        write_aside(self._file(step), json.dumps(told, indent=2, default=str).encode() + b"\n")

    def begin(self, step: Step) -> None:
        """Write down that a step begins, unless it was before; on return that survives a power cut.

        Raises:
            TargetExists: something is where it would write, and not its own.
        """
        if self._mark(step).is_file():
            return
        for path in step.made:
            if os.path.lexists(path):
                raise TargetExists(
                    path,
                    f"Step {step.name} of {self.folder} did not make it: move it away and repeat the command, or begin "
                    "anew under another --to.",
                )
        write_aside(self._mark(step), json.dumps({"words": step.words, "when": _now()}).encode() + b"\n")

    def give_up(self, step: Step) -> None:
        """A step failed: if it left nothing, whatever comes to lie where it writes is not its own."""
        if not any(map(os.path.lexists, step.made)):
            remove(self._mark(step))

    def _told(self, name: str, what: str) -> Any:
        path = self.folder / STEPS / f"{name}.json"
        try:
            return json.loads(path.read_bytes())[what]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path} is damaged ({error}). Remove it: the step is then done again.") from error

    def _file(self, step: Step) -> Path:
        return self.folder / STEPS / f"{step.name}.json"

    def _mark(self, step: Step) -> Path:
        return self.folder / STEPS / f"{step.name}.begun"


def begun(folder: Path) -> bool:
    """Whether a chain lies in a folder."""
    return (folder / PLAN).is_file()


def stored(folder: Path, about: Mapping[str, Any]) -> Chain | None:
    """The chain in a folder as it was planned, None if there is none.

    Only what was asked is compared: another version of the studio may plan other commands, and a chain ends with those
    it began with.

    Raises:
        AnotherPlan: something else was asked; what differs is named.
        DataError: it is damaged.
    """
    if not begun(folder):
        return None
    chain = opened(folder)
    here = json.loads(json.dumps(about))
    if chain.about != here:
        raise AnotherPlan(
            f"{folder} holds another plan: {_difference(chain.about, here)}. Repeat the command as it was, or choose "
            "another --to."
        )
    return chain


def planned(
    folder: Path, steps: Sequence[Step], about: Mapping[str, Any], known: Mapping[str, Any] | None = None
) -> Chain:
    """The chain in a folder: as `stored`, or else a new one, written there.

    Raises:
        AnotherPlan: another one is there.
        TargetExists: something that a new one would make is there already.
    """
    if (there := stored(folder, about)) is not None:
        return there
    _require_free(folder, steps)
    told = {"version": VERSION, "about": about, "known": known or {}, "steps": [_stored(step) for step in steps]}
    write_aside(folder / PLAN, json.dumps(told, indent=2).encode() + b"\n")
    return opened(folder)


def opened(folder: Path) -> Chain:
    """The chain that lies in a folder.

    Raises:
        UsageError: there is none.
        DataError: it is damaged, or of another version of the studio.
    """
    if not begun(folder):
        raise UsageError(f"{folder} holds no plan ({PLAN}).")
    told = _read(folder)
    try:
        steps = tuple(
            Step(one["name"], tuple(one["words"]), one["dataset"], tuple(one["files"]), tuple(one["runs"]), one["ends"])
            for one in told["steps"]
        )
        return Chain(folder, steps, told["about"], told["known"])
    except (KeyError, TypeError) as error:
        raise DataError(f"{folder / PLAN} is damaged: {error}.") from error


def work(chain: Chain, console: Console, before: Callable[[Step], None] = lambda _: None) -> None:
    """Do every step that is not done, as far as to one that ends it all.

    Args:
        chain: it.
        console: is told of every step.
        before: looks at what a step takes from elsewhere, before it begins; what it raises ends the work.

    Raises:
        StepFailed, StudioError: a step failed; the same chain goes on there.
        KeyboardInterrupt: it was stopped.
    """
    with _alone(chain.folder):
        of = len(chain.steps)
        left = chain.left
        if len(left) < of:
            done = sum(map(chain.done, chain.steps))
            console.step(f"{done} of {of} steps are done already ({chain.folder}).")
        for step in left:
            number = chain.steps.index(step)
            console.step(f"[{number + 1} of {of}] {line_of(step.words)}")
            began = time.monotonic()
            before(step)
            chain.begin(step)
            try:
                result = _run(step, chain.folder / LEFT)
            except NonePasses as error:
                chain.give_up(step)
                chain.remember(step, None, time.monotonic() - began, ended=str(error))
                console.step(f"{error} This is where it ends.")
                return
            except BaseException:
                chain.give_up(step)
                raise
            chain.remember(step, result, time.monotonic() - began)
            console.advance(number + 1, of)


def folder_of(name: str) -> Path:
    """Where the chain of a name lies.

    Raises:
        UsageError: the name is none.
    """
    if not name.strip() or "/" in name or name.startswith((".", "~")):
        raise UsageError(f"--to '{name}' must be a bare name: its runs and datasets are called after it.")
    return run_path(name)


def shown(steps: Sequence[Step]) -> str:
    """The plan for people: a command a line."""
    return "\n".join(f"{number:>3}  {line_of(step.words)}" for number, step in enumerate(steps, start=1))


def _run(step: Step, left: Path) -> Any:
    """Run a step's command, or go on with it; returns its result, None where nothing was left to do.

    Raises:
        NonePasses: no episode passes a step that ends its chain.
        StudioError: it failed.
    """
    wait_for_trainings(step)
    words = going_on(step, left)
    if words is None:
        return None
    from studio import cli

    said = io.StringIO()
    try:
        module, options = cli.parsed(words[0], list(words[1:]))
    except SystemExit as leaving:
        raise StepFailed(step, int(leaving.code or 0)) from leaving
    try:
        code = getattr(module, words[0])(options, Console(as_json=True, out=said))
    except StudioError as error:
        if step.ends and isinstance(error, NonePasses):
            raise
        # Which of many commands it was is half of the message.
        raise _Told(error, step) from error
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code != OK:
        raise StepFailed(step, code)
    text = said.getvalue()
    return json.loads(text) if text else None


class _Told(StudioError):
    """An error of a step's command, with the step."""

    def __init__(self, error: StudioError, step: Step) -> None:
        super().__init__(f"step {step.name}: {error}")
        self.exit_code = error.exit_code


def _require_free(folder: Path, steps: Sequence[Step]) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise TargetExists(folder, "Choose another --to.")
    seen: set[Path] = set()
    for path in (path for step in steps for path in step.made):
        if path.exists():
            raise TargetExists(path, "Choose another --to.")
        if path in seen:
            raise ValueError(f"two steps make {path}")
        seen.add(path)


def _read(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / PLAN).read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / PLAN} cannot be read: {error}.") from error
    if not isinstance(told, dict):
        raise DataError(f"{folder / PLAN} is no plan.")
    if told.get("version") != VERSION:
        raise DataError(
            f"{folder / PLAN} is of another version of the studio ({told.get('version')}, this one reads {VERSION}). "
            "End it with that one, or begin anew under another --to."
        )
    return told


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Where two requests differ, in words."""
    a, b = _flat(there), _flat(here)
    apart = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    return "; ".join(f"{name} {a.get(name, 'by default')} there, {b.get(name, 'by default')} here" for name in apart)


def _flat(about: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name, those of objects inside too."""
    found: dict[str, Any] = {}
    for name, value in about.items():
        found |= _flat(value) if isinstance(value, Mapping) else {name: value}
    return found


def _stored(step: Step) -> dict[str, Any]:
    return asdict(step)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with if_free(folder / LOCK) as ours:
        if ours is None:
            raise UsageError(f"Somebody is working on {folder} already.")
        yield


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
