"""publish: a dataset or a checkpoint to the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from curation.checks import check
from curation.consolidate import Snapshot
from curation.errors import StudioError, UsageError
from curation.hub import checkpoint, dataset
from curation.hub.calls import Hub
from curation.hub.dataset import README, Terms, contents_of, is_ours, require_publishable
from curation.hub.licences import require_licence
from curation.hub.publish import Contents, Difference, Past, Published, compare, require_allowed, require_writable
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
    """It is a checkpoint: config.json, model.safetensors and what LeRobot wrote beside them."""
    with_masked: bool = False
    """Publish episodes in the trash too."""
    deep: bool = False
    """Let the checks look at every image; the card says so."""
    force: bool = False
    """Publish although the checks found errors; the card names them."""
    replace: bool = False
    """Replace data on the Hub that this was not made from."""
    dry_run: bool = False
    """Only say what would change, and print the card; fails if it would be refused."""
    json: bool = False
    """Print the result as JSON."""


@dataclass(frozen=True)
class Parcel:
    """What is sent, and how it is written down here.

    Attributes:
        contents: of the repository.
        ours: whether a file there is taken away if it is not here.
        past: what it comes from.
        before: called with the commit's mark just before it is made.
        after: called with what was published.
        tagged: whether the version tag is moved.
    """

    contents: Contents
    ours: Callable[[str], bool]
    past: Past
    before: Callable[[str], None]
    after: Callable[[Published], None]
    tagged: bool


def publish(options: Publish, console: Console) -> int:
    """Check, compare, send, move the tag."""
    require_licence(options.licence)
    hub = Hub(options.to, "model" if options.policy else "dataset", say=console.progress)
    require_writable(hub)
    parcel = _checkpoint(options, hub) if options.policy else _dataset(options, hub, console)
    past = None if options.replace else parcel.past
    if options.dry_run:
        card = _text(parcel.contents[README])
        difference = compare(hub, parcel.contents, parcel.ours)
        require_allowed(hub, difference, private=not options.public, past=past)
        console.result(f"{_changes(difference)}\n\n{card}", {**asdict(difference), "card": card})
        return 0
    done = send(
        hub,
        parcel.contents,
        private=not options.public,
        message=options.message,
        tagged=parcel.tagged,
        ours=parcel.ours,
        past=past,
        before=parcel.before,
    )
    parcel.after(done)
    tag = f", tags {done.tag} and {done.release}" if done.tag else ""
    seen = "private" if done.private else "public"
    text = f"{_changes(done.difference)}\n{done.url} ({seen}) is at {done.commit[:8]}{tag}."
    console.result(text, asdict(done))
    return 0


def _checkpoint(options: Publish, hub: Hub) -> Parcel:
    root = checkpoint.checkpoint_root(Path(options.what))
    contents = checkpoint.checkpoint_contents(root, options.to, options.licence)
    return Parcel(
        contents,
        checkpoint.published_before(root, hub.repo).__contains__,
        checkpoint.past_of(root, hub.repo),
        before=lambda mark: checkpoint.intend(root, hub.repo, mark),
        after=lambda done: checkpoint.remember(root, done, contents.keys()),
        tagged=False,
    )


def _dataset(options: Publish, hub: Hub, console: Console) -> Parcel:
    root = dataset_path(options.what)
    console.progress(f"{root.name}: reading")
    taken = Snapshot.of(root)
    terms = Terms(
        licence=options.licence, with_masked=options.with_masked, force=options.force, deep=options.deep
    )  # fmt: skip
    console.progress(f"{root.name}: checking")
    findings = check(taken.store, deep=options.deep, second_opinion=False)
    require_publishable(taken.store, terms, findings)
    contents = contents_of(hub, taken, terms, findings, _table(taken.store))
    taken.require_still()

    def before(mark: str) -> None:
        taken.require_still()
        dataset.intend(root, hub.repo, mark)

    return Parcel(
        contents,
        is_ours,
        dataset.past_of(root, hub.repo),
        before=before,
        after=lambda done: dataset.remember(root, done),
        tagged=True,
    )


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
        lines.append(f"Not from here, left as they are: {', '.join(difference.kept[:SHOWN])}")
    return "\n".join(lines)


def _text(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return content.decode()
    raise UsageError(f"{content} is no card.")
