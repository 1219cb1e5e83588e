"""recover: finish what an interrupted recording left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.errors import BrokenJournal, UsageError
from recorders.journal import Take, read_journal
from recorders.record import Recorder
from recorders.rescue import save_unfinished
from recorders.session import Session
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path
from studio.verbs.told import console_event


@dataclass(frozen=True, kw_only=True)
class Recover:
    """Save takes that were kept but not drawn yet, and list unfinished ones; with --keep or --discard, settle those."""

    dataset: Name
    """A dataset recorded by the studio."""
    keep: bool = False
    """Make episodes of unfinished takes, judged where they stop; of damaged ones the frames before the damage."""
    discard: bool = False
    """Move unfinished takes to the dataset's trash (meta/studio/trash)."""
    json: bool = False
    """Print what was found and done as JSON."""


def recover(options: Recover, console: Console) -> int:
    """Finish kept takes, then list, keep or discard the unfinished ones."""
    if options.keep and options.discard:
        raise UsageError("--keep and --discard exclude each other.")
    session = Session.resume(dataset_path(options.dataset))
    had = session.store.total_episodes
    recorder = Recorder(session, lambda event: console_event(console, event))
    lines, found = [], []
    try:
        unfinished = recorder.finish_kept()
        finished = session.store.total_episodes - had
        for path in unfinished:
            frames = _frames(path)
            text, done = _settle(options, session, path)
            lines.append(text)
            found.append({"journal": str(path), "frames": frames, "done": done, "what": text})
    finally:
        recorder.close()
        session.close()
    lines.insert(0, f"{finished} kept takes saved; {len(unfinished)} unfinished.")
    if unfinished and not (options.keep or options.discard):
        lines.append(f"Next: studio recover {options.dataset} --keep | --discard")
    episodes = session.store.total_episodes
    lines.append(f"{session.root} holds {episodes} episodes.")
    console.result("\n".join(lines), {"saved": finished, "unfinished": found, "episodes": episodes})
    return 0


def _settle(options: Recover, session: Session, path: Path) -> tuple[str, str]:
    """What became of one unfinished take: a line for people and a word for programs."""
    take: Take | None
    try:
        take, damage = read_journal(path), ""
    except BrokenJournal as error:
        if not (options.keep or options.discard):
            return str(error), "offered"
        take, damage = _before_damage(path), " (damaged: the frames before the damage)"
    name = path.stem[:8]
    if options.discard:
        session.discard(path, take)
        return f"take {name}: moved to the trash", "discarded"
    if take is not None and take.footer is not None:
        return f"take {name}: kept, but it cannot be drawn (see above); --discard moves it to the trash", "offered"
    if take is None or len(take) == 0:
        if not options.keep:
            return f"take {name}: no frames", "offered"
        session.discard(path, take)
        return f"take {name}: no frames to keep; moved to the trash", "discarded"
    seconds = len(take) / session.scene.fps
    if not options.keep:
        started = take.header.get("started", "an unknown time")
        return f"take {name}: {len(take)} frames ({seconds:.1f} s), started {started}, unfinished", "offered"
    index = save_unfinished(session, path, take)
    return f"take {name}: {len(take)} frames saved as episode {index}{damage}", "saved"


def _before_damage(path: Path) -> Take | None:
    try:
        return read_journal(path, up_to_damage=True)
    except BrokenJournal:
        return None


def _frames(path: Path) -> int:
    take = _before_damage(path)
    return 0 if take is None else len(take)
