"""publish: a dataset or a checkpoint to the Hugging Face Hub."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from curation.checks import check
from curation.errors import StudioError, UsageError
from curation.hub.calls import Hub
from curation.hub.checkpoint import checkpoint_contents
from curation.hub.dataset import (
    README,
    Terms,
    contents_of,
    is_ours,
    known_commits,
    remember,
    require_publishable,
)
from curation.hub.licences import require_licence
from curation.hub.publish import Contents, Difference, compare, everything, require_writable
from curation.hub.publish import publish as send
from curation.store import Store
from curation.table import Table
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path

SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Publish:
    """Publish a dataset in one commit with a card made from the data, and move LeRobot's version tag without a gap.
    Running it again goes on where it stopped, and sends nothing twice."""

    what: Name
    """A dataset; with --policy a checkpoint's folder."""
    to: str
    """owner/name on the Hub."""
    licence: str = ""
    """An id of the Hub's, such as cc-by-4.0 or apache-2.0."""
    public: bool = False
    """Let everybody see it; without it a new repository is private, and a public one refused."""
    message: str = "Publish with Teleop Studio"
    """Of the commit."""
    policy: bool = False
    """It is a checkpoint: config.json, model.safetensors and what lies beside them."""
    with_masked: bool = False
    """Publish episodes in the trash too."""
    force: bool = False
    """Publish although the checks found errors; the card names them."""
    replace: bool = False
    """Replace data on the Hub that this was not made from."""
    dry_run: bool = False
    """Only say what would change, and print the card."""
    json: bool = False
    """Print the result as JSON."""


def publish(options: Publish, console: Console) -> int:
    """Check, compare, send, move the tag."""
    require_licence(options.licence)
    hub = Hub(options.to, "model" if options.policy else "dataset", say=console.progress)
    store = None if options.policy else Store.open(dataset_path(options.what))
    if not options.dry_run:
        require_writable(hub)
    contents = _contents(options, hub, store, console)
    ours = everything if store is None else is_ours
    if options.dry_run:
        card = _text(contents[README])
        difference = compare(hub, contents, ours)
        console.result(f"{_changes(difference)}\n\n{card}", {**asdict(difference), "card": card})
        return 0
    done = send(
        hub,
        contents,
        private=not options.public,
        message=options.message,
        tagged=store is not None,
        ours=ours,
        known=None if store is None or options.replace else known_commits(store.root, hub.repo),
    )
    if store is not None:
        remember(store.root, done)
    tag = f", tags {done.tag} and {done.release}" if done.tag else ""
    seen = "private" if done.private else "public"
    text = f"{_changes(done.difference)}\n{done.url} ({seen}) is at {done.commit[:8]}{tag}."
    console.result(text, asdict(done))
    return 0


def _contents(options: Publish, hub: Hub, store: Store | None, console: Console) -> Contents:
    if store is None:
        return checkpoint_contents(Path(options.what), options.to, options.licence)
    terms = Terms(licence=options.licence, with_masked=options.with_masked, force=options.force)
    console.progress(f"{store.root.name}: checking")
    findings = check(store, second_opinion=False)
    require_publishable(store, terms, findings)
    return contents_of(hub, store, terms, findings, _table(store))


def _table(store: Store) -> Table | None:
    from studio.table_of import table_of

    try:
        return table_of(store)
    except StudioError:  # the picture is a help; a scene that nobody can draw is named by the checks
        return None


def _changes(difference: Difference) -> str:
    lines = [
        f"{len(difference.added)} files new, {len(difference.changed)} changed, {len(difference.deleted)} taken away, "
        f"{difference.unchanged} as they were; at most {difference.size / 1e6:.1f} MB to send"
    ]
    for mark, names in (("+", difference.added), ("~", difference.changed), ("-", difference.deleted)):
        lines += [f"{mark} {name}" for name in names[:SHOWN]]
        if len(names) > SHOWN:
            lines.append(f"{mark} and {len(names) - SHOWN} more")
    if difference.kept:
        lines.append(f"Not of the dataset, left as they are: {', '.join(difference.kept[:SHOWN])}")
    return "\n".join(lines)


def _text(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return content.decode()
    raise UsageError(f"{content} is no card.")
