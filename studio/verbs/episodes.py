"""episodes: what a dataset holds, one line each, and which of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from curation.library import Entry, entries
from curation.query import query
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path

COLUMNS = ("#", "id", "state", "outcome", "s", "x m", "y m", "yaw", "operator", "score", "target", "notes")


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """List a dataset's episodes and takes, with what was noted about them."""

    dataset: Name
    """A dataset."""
    where: str = ""
    """Only those that fit, such as "outcome:success operator:keyboard x<0.3 score>0.5 -masked note:slip"; what begins
    with a minus needs an equals sign: --where="-masked"."""
    json: bool = False
    """Print them as JSON."""


def episodes(options: Episodes, console: Console) -> int:
    """Print the table."""
    test = query(options.where)
    everything = entries(dataset_path(options.dataset))
    found = [entry for entry in everything if test(entry)]
    text = "\n".join([table(found), f"{len(found)} of {len(everything)}"])
    console.result(text, [asdict(entry) for entry in found])
    return 0


def table(found: Sequence[Entry]) -> str:
    """Entries as lines, columns aligned."""
    rows = [COLUMNS, *(_row(entry) for entry in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(entry: Entry) -> tuple[str, ...]:
    notes = "; ".join([*([entry.why] if entry.why else []), *entry.comments])
    return (
        "-" if entry.index is None else str(entry.index),
        entry.episode_id[:8],
        entry.state,
        entry.outcome or "-",
        f"{entry.seconds:.1f}",
        _metres(entry.x),
        _metres(entry.y),
        "-" if entry.yaw_deg is None else f"{entry.yaw_deg:.0f}",
        entry.operator or "-",
        "-" if entry.score is None else f"{entry.score:.2f}",
        entry.target or "-",
        notes,
    )


def _metres(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
