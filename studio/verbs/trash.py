"""trash: episodes and takes that are put away and not deleted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from curation.errors import UsageError
from curation.library import Entry, chosen, entries, put_to_trash, restore
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path
from studio.verbs.episodes import table

BY = "person"
GONE = ("masked", "discarded")


@dataclass(frozen=True, kw_only=True)
class Trash:
    """List what lies in a dataset's trash; put episodes there, or bring them back. Nothing is ever deleted."""

    dataset: Name
    """A dataset."""
    put: tuple[str, ...] = ()
    """Episodes to exclude: numbers or ids. They stay in the files; recording, curation and training leave them out."""
    restore: tuple[str, ...] = ()
    """Episodes or discarded takes to bring back. A take is drawn and becomes the dataset's last episode."""
    json: bool = False
    """Print the trash as JSON."""


def trash(options: Trash, console: Console) -> int:
    """Put, restore, then list."""
    root = dataset_path(options.dataset)
    both = set(options.put) & set(options.restore)
    if both:
        raise UsageError(f"{', '.join(sorted(both))} cannot be put into the trash and restored at once.")
    if options.put:
        _put(root, chosen(root, options.put), console)
    if options.restore:
        _restore(root, chosen(root, options.restore), console)
    found = [entry for entry in entries(root) if entry.state in GONE]
    text = table(found) if found else f"The trash of {root} is empty."
    console.result(text, [asdict(entry) for entry in found])
    return 0


def _put(root: Path, what: list[Entry], console: Console) -> None:
    for entry in what:
        if entry.index is None:
            raise UsageError(f"{entry.episode_id[:8]} is {entry.state}, no saved episode; see studio recover.")
    put_to_trash(root, [entry.episode_id for entry in what], BY)
    console.step(f"{len(what)} put into the trash.")


def _restore(root: Path, what: list[Entry], console: Console) -> None:
    for entry in what:
        if entry.state not in GONE:
            raise UsageError(f"{entry.episode_id[:8]} is {entry.state}; it does not lie in the trash.")
    restore(root, [entry.episode_id for entry in what if entry.state == "masked"], BY)
    takes = [entry.episode_id for entry in what if entry.state == "discarded"]
    if takes:
        _draw(root, takes, console)
    console.step(f"{len(what)} restored.")


def _draw(root: Path, takes: list[str], console: Console) -> None:
    from recorders.rescue import bring_back
    from recorders.session import Session
    from recorders.world.gl import require_opengl

    require_opengl()
    session = Session.resume(root)
    try:
        for done, episode_id in enumerate(takes):
            console.advance(done, len(takes))
            console.step(f"take {episode_id[:8]}: saved as episode {bring_back(session, episode_id)}")
    finally:
        session.close()
