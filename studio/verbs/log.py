"""log: where a dataset comes from."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from curation.errors import UsageError
from curation.library import chosen
from curation.origins import steps
from curation.provenance import read_provenance, recorded, tree
from curation.store import Store
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Log:
    """Show the family of a dataset: its parents, theirs, and the edits between; or where one episode comes from."""

    dataset: Name
    """A dataset."""
    episode: str = ""
    """Number or id."""
    json: bool = False
    """Print it as JSON."""


def log(options: Log, console: Console) -> int:
    """Print the tree."""
    root = dataset_path(options.dataset)
    store = Store.open(root)
    story = read_provenance(root)
    if not options.episode:
        console.result("\n".join(tree(root.resolve().name, story, ours=recorded(store))), story)
        return 0
    entry = chosen(root, [options.episode])[0]
    if entry.index is None:
        raise UsageError(f"{entry.episode_id} is {entry.state}, no saved episode.")
    before = list(steps(story, entry.episode_id))
    lines = [f"{step.name}: {step.episode_id}, frames {step.start} to {step.stop}" for step in before]
    here = f"{root.resolve().name}: {entry.episode_id}, frames 0 to {store.episode(entry.index).length}"
    console.result("\n".join([here, *(f"  from {line}" for line in lines)]), [asdict(step) for step in before])
    return 0
