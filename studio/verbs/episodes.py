"""episodes: what datasets hold, one line each, which of it, and control sets beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tyro

from curation.errors import UsageError
from curation.library import Entry, entries
from curation.motion import with_motion
from curation.query import asks_motion, query
from curation.store import Store
from curation.verdicts import looked_at, verdict
from studio.console import Console
from studio.paths import dataset_path
from studio.triage import Classifier, Classifiers, Order, classifiers_of, disputed, ordered, progress, words
from studio.verbs.choose import Choose, Chosen, Part, Ref, choose

COLUMNS = ("#", "id", "state", "outcome", "s", "x m", "y m", "yaw", "operator", "score", "target", "notes")
SAID = ("classifier", "said")
"""Columns more, where a classifier or a person looking through has said something."""


@dataclass(frozen=True, kw_only=True)
class Episodes:
    """List episodes and takes with what was noted about them; with a filter, what stays and why the rest does not."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Datasets."""
    choose: Choose = field(default_factory=Choose)
    sort: Order = "index"
    """As recorded, by the classifier's score from the highest or the lowest, or nearest to its threshold first, where
    looking tells most."""
    disputed: bool = False
    """Only those of which the judge and the classifier say opposite things, by the threshold of its card."""
    json: bool = False
    """Print them as JSON: a list, or with filters what is kept and dropped."""


def episodes(options: Episodes, console: Console) -> int:
    """Print the table."""
    if not options.datasets:
        raise UsageError("Name at least one dataset.")
    asked = options.choose
    many = asked.filters or asked.controls != "none" or asked.farther_than is not None
    if many and (options.disputed or options.sort != "index"):
        raise UsageError("--sort and --disputed list what fits --where; leave other filters and --controls away.")
    if many:
        chosen = choose(asked, [dataset_path(name) for name in options.datasets])
        console.result(_report(chosen), chosen.data())
        return 0
    _list(options, console)
    return 0


def _list(options: Episodes, console: Console) -> None:
    """Everything that fits the query, takes and masked episodes too."""
    text, data = [], []
    for name in options.datasets:
        everything, found, known = _found(options, dataset_path(name))
        for one in known.values():
            if one.why:
                console.step(f"{one.by}: {one.why}, so {one.threshold:g} is taken as its threshold.")
        looked, saved = progress(found)
        count = f"{len(found)} of {len(everything)}" + (f", {looked} of {saved} looked at" if looked else "")
        heading = [name] if len(options.datasets) > 1 else []
        text += [*heading, table(found, known), count]
        data += [{**asdict(entry), "dataset": name, **_told(entry, known)} for entry in found]
    console.result("\n".join(text), data)


def _found(options: Episodes, root: Path) -> tuple[list[Entry], list[Entry], dict[str, Classifier]]:
    """Everything a dataset holds, what of it is asked for in its order, and the classifiers that were heard."""
    everything = entries(root)
    if asks_motion(options.choose.where):
        everything = with_motion(Store.open(root), everything)
    test = query(options.choose.where)
    found = [entry for entry in everything if test(entry)]
    known = classifiers_of(found)
    if options.disputed:
        found = [entry for entry in found if disputed(entry, known)]
    return everything, ordered(found, options.sort, known), known


def _told(entry: Entry, known: Classifiers) -> dict[str, Any]:
    return {"verdict": verdict(entry), "disputed": disputed(entry, known)}


def _report(chosen: Chosen) -> str:
    lines = [f"asked: {chosen.why}"]
    for part in chosen.parts:
        kept = part.kept
        lines += [f"{part.name}: {len(kept)} of {len(part.entries)}", *([table(kept)] if kept else [])]
        lines += _dropped(part)
    for control in chosen.controls:
        lines.append(control.words)
        lines += [f"  {_named(key, chosen)}" for key in control.keys]
    return "\n".join(lines)


def _dropped(part: Part) -> list[str]:
    reasons = part.selection.dropped
    if not reasons:
        return []
    lines = [f"  {_short(e)}  {reasons[e.episode_id]}" for e in part.entries if e.episode_id in reasons]
    return [f"left out: {len(reasons)}", *lines]


def _named(key: object, chosen: Chosen) -> str:
    assert isinstance(key, Ref)
    part = next(part for part in chosen.parts if part.name == key.dataset)
    return f"{part.name} {next(_short(entry) for entry in part.entries if entry.episode_id == key.episode_id)}"


def _short(entry: Entry) -> str:
    return f"{'-' if entry.index is None else entry.index:>4} {entry.episode_id[:8]}"


def table(found: Sequence[Entry], known: Classifiers | None = None) -> str:
    """Entries as lines, columns aligned; with what classifiers and people say of them where they said something."""
    more = known is not None and any(entry.predicted is not None or looked_at(entry) for entry in found)
    rows = [_row(entry, known or {}, more) for entry in found]
    titles = (*COLUMNS[:-1], *(SAID if more else ()), COLUMNS[-1])
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (titles, *rows))


def _row(entry: Entry, known: Classifiers, more: bool) -> tuple[str, ...]:
    # A comment of several lines would break the table.
    notes = " ".join("; ".join([*([entry.why] if entry.why else []), *entry.comments]).split())
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
        _number(entry.score),
        entry.target or "-",
        *((_number(entry.predicted), words(entry, known) or "-") if more else ()),
        notes,
    )


def _metres(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
