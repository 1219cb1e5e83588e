"""watch: a policy thinks, frame by frame: what it has in mind, where that leads, and what came of it."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Literal

import tyro

from curation.errors import StudioError, TargetExists, UsageError
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio.console import Console
from studio.options import Where
from studio.verbs.evaluate import MOST_SAMPLES, Carried, World
from studio.verbs.watch_from import session_of
from studio.watching.faces import Faces, require_faces, write_faces
from studio.watching.files import read_history, require_new, require_writable, write_history
from studio.watching.history import History
from studio.watching.session import Session
from studio.watching.words import summary

HOME = Path("watched")
"""Where watched episodes lie by default."""
_RAN = ("seed", "limit", "world", "device", "threads")
_FIXED = {"episode": ("seed", "world"), "row": _RAN, "again": _RAN}
"""Options that say nothing of an episode which was begun before."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Watch a policy think in one episode: at a position, as in a saved episode, or an evaluated one again.

    Every frame is kept with the chunk that is really carried out and where it leads; --again goes on from any of them.
    """

    checkpoint: tyro.conf.Positional[str] = ""
    """A run (its last checkpoint), run@best, run@000100, a folder, or hf:owner/name. Not with --row; with --again
    only where the checkpoint lies elsewhere now."""
    where: Where = field(default_factory=Where)
    episode: str | None = None
    """Begin as a saved episode did: DATASET:INDEX or DATASET:ID."""
    row: str | None = None
    """Run an evaluated episode again: RUN:N, or the evaluation's folder:N; the numbers are those of its rows."""
    again: Path | None = None
    """Run a watched episode again; with --from-frame and other settings, go on otherwise from there."""
    from_frame: int | None = None
    """The frame from which --again goes on with what is asked here."""
    usual: tuple[Literal["blind", "gripper_bias", "gripper_clip", "latency"], ...] = ()
    """With --from-frame: settings that are as usual again, such as blind: every camera sees from there on."""
    to: Path | None = None
    """This new folder; by default the first free one of ./watched/NAME-1, NAME-2, ..."""
    samples: int = 0
    """Further answers to every question, with other noise: how far they spread is how unsure the policy is."""
    no_whiskers: bool = False
    """Do not simulate ahead what is thought."""
    seed: int = 1000
    """Of placement and noise; with the same --at it is the first episode of studio evaluate --batch 1."""
    limit: float = TIME_LIMIT_S
    """Time limit of the episode in seconds; with --episode the one that the same policy had then."""
    world: World = field(default_factory=World)
    carried: Carried = field(default_factory=Carried)
    device: str = "auto"
    """Where the policy runs: auto, cpu, cuda, mps."""
    threads: int = 1
    """Of PyTorch on a CPU; part of what makes episodes equal."""
    faces: Faces = field(default_factory=Faces)
    json: bool = False
    """Print the summary as JSON."""


def watch(options: Watch, console: Console) -> int:
    """Watch one episode, keep its history, and tell of it; or tell of one that was kept."""
    require_faces(options.faces)
    history, folder = watched(options, console) if options.faces.history is None else _stored(options)
    faces = write_faces(options.faces, history, folder, console)
    data = {
        "folder": folder,
        "watched": history.told,
        "frames": len(history),
        "asked": list(history.asked),
        "events": [{"frame": event.frame, "kind": event.kind} for event in history.events],
        "joints": [one.as_json() for one in history.tracked()],
        **faces,
    }
    lines = [summary(history), f"  history: {folder}", *(f"  {name}: {path}" for name, path in faces.items())]
    console.result("\n".join(lines), data)
    return 0


def _stored(options: Watch) -> tuple[History, Path]:
    """The history that --history names, and its folder.

    Raises:
        UsageError: something else is asked that only an episode that runs could do.
    """
    folder = options.faces.history
    assert folder is not None
    if options != Watch(faces=options.faces, json=options.json):
        raise UsageError("--history shows an episode that was watched; with it go --page, --film, --rerun and --json.")
    return read_history(folder), folder


def watched(options: Watch, console: Console) -> tuple[History, Path]:
    """Run an episode to its end, and write its history.

    Returns:
        The history, and the folder it was written to.

    Raises:
        UsageError: something cannot be done as asked.
        StudioError: the policy failed; what it did before that is kept.
    """
    require_valid(options)
    one = session_of(options, console)
    session = one.session
    with closing(session.world):
        try:
            while session.step() is not None:
                console.progress(f"frame {session.at}, {session.moment.phase.value}")
            if one.compared is not None:
                session.tell(compared=one.compared(session.history))
        except BaseException:
            # Whoever interrupts keeps what was seen so far, and so does a policy that fails.
            if session.at >= 0:
                console.step(f"What was seen so far is in {_kept(options, session, console)}.")
            raise
        for text in session.history.told["alarms"]:
            console.step(text)
        return session.history, _kept(options, session, console)


def require_valid(options: Watch) -> None:
    """Refuse what does not go together, before anything is loaded.

    Raises:
        UsageError: naming the options.
        TargetExists: something is where the history shall go.
        CannotWrite: nothing can be written there.
    """
    kinds = [name for name in ("episode", "row", "again") if getattr(options, name)]
    if len(kinds) > 1 or (kinds and options.where != Where()):
        raise UsageError("An episode begins in one way: --at (--box, --targets), --episode, --row or --again.")
    if (options.row and options.checkpoint) or not (options.checkpoint or options.row or options.again):
        whose = "is of the checkpoint that drove then: name none." if options.checkpoint else "needs a checkpoint."
        raise UsageError(f"studio watch {f'--{kinds[0]}' if kinds else '--at X Y'} {whose}")
    fixed = next((_FIXED[kind] for kind in kinds), ())
    # A policy may be watched in an episode of another scene than its own, if one says so.
    asked = replace(options, world=replace(options.world, other_scene=False)) if options.episode else options
    idle = [name for name in fixed if getattr(asked, name) != getattr(Watch(), name)]
    if idle:
        raise UsageError(f"--{idle[0]} says nothing with --{kinds[0]}, which begins and runs as it did then.")
    changes = options.carried != Carried() or bool(options.usual)
    if options.row and changes:
        raise UsageError("--row is watched as it was evaluated; watch it, then change settings with --again.")
    if (options.again is None or not changes) != (options.from_frame is None):
        raise UsageError("--again FOLDER goes on otherwise with --from-frame N and what changes, such as --blind.")
    if not 0 <= options.samples <= MOST_SAMPLES:
        raise UsageError(f"--samples {options.samples} is outside 0 to {MOST_SAMPLES}.")
    if options.to is None:
        require_writable(HOME / "new")
    else:
        require_new(options.to)


def _kept(options: Watch, session: Session, console: Console) -> Path:
    """The folder that the history was written to.

    Raises:
        StudioError: the one that was asked for could not be; what was seen lies in the first free one.
    """
    label, history = str(session.history.told["checkpoint"]["label"]), session.history
    if options.to is None:
        return keep_under(label, history)
    try:
        write_history(options.to, history)
    except StudioError:
        console.step(f"What was seen is in {keep_under(label, history)} instead.")
        raise
    return options.to


def keep_under(label: str, history: History) -> Path:
    """The first free folder, with the history in it; somebody else may take one at the same time."""
    while True:
        folder = _free(label)
        try:
            write_history(folder, history)
        except TargetExists:
            continue
        return folder


def _free(label: str) -> Path:
    """The first folder of a name that is free."""
    name = label.replace("/", "-").replace(":", "-")
    return next(path for number in count(1) if not os.path.lexists(path := HOME / f"{name}-{number}"))
