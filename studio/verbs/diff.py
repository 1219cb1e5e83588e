"""diff: compare two datasets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from curation.diff import Diff as Found
from curation.diff import Piece
from curation.diff import diff as compare
from curation.store import Store
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path

SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Diff:
    """Compare two datasets: episodes that came, went or changed, and how statistics and coverage moved."""

    one: Name
    """A dataset."""
    other: Name
    """Another dataset."""
    json: bool = False
    """Print it as JSON."""


def diff(options: Diff, console: Console) -> int:
    """Print the differences."""
    one, other = (Store.open(dataset_path(name)) for name in (options.one, options.other))
    found = compare(one, other)
    console.result("\n".join(_lines(found)), asdict(found))
    return 0


def _lines(found: Found) -> Iterator[str]:
    yield (
        f"{found.same} episodes are the same, {len(found.changed)} changed, {len(found.gone)} went, "
        f"{len(found.came)} came"
    )
    for name, (have, will) in found.facts.items():
        yield f"{name}: {have} -> {will}"
    yield from _listed("-", found.gone)
    yield from _listed("+", found.came)
    for episode in found.changed[:SHOWN]:
        now = "" if episode.one == episode.other else f", now {episode.other}"
        yield f"~ episode {episode.one}{now}: {'; '.join(episode.what)}"
    if len(found.changed) > SHOWN:
        yield f"~ and {len(found.changed) - SHOWN} more"
    for key, moved in found.drift.items():
        if any(abs(value) > 1e-3 for value in moved):
            yield f"mean of {key} moved by {' '.join(f'{value:+.2f}' for value in moved)} standard deviations"
    if found.new_places or found.lost_places:
        yield f"placements: {found.new_places} episodes at new places, {found.lost_places} at places that are gone"


def _listed(mark: str, pieces: tuple[Piece, ...]) -> Iterator[str]:
    for piece in pieces[:SHOWN]:
        yield f"{mark} episode {piece.episode}: frames {piece.start} to {piece.stop} of {piece.origin}"
    if len(pieces) > SHOWN:
        yield f"{mark} and {len(pieces) - SHOWN} more"
