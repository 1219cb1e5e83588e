"""pull: a dataset from the Hugging Face Hub."""

from __future__ import annotations

from dataclasses import dataclass

from curation.errors import NotADataset
from curation.hub.calls import Hub
from curation.hub.pull import pull as fetch
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path
from studio.verbs.summary import summary


@dataclass(frozen=True, kw_only=True)
class Pull:
    """Fetch a dataset of the Hub at one commit, and compare every file with what the Hub says of it. Running it again
    after an interruption goes on."""

    repo: Name
    """owner/name on the Hub."""
    to: str
    """The new dataset; must not exist."""
    revision: str | None = None
    """Branch, tag or commit; LeRobot's version tag by default."""
    json: bool = False
    """Print the dataset's summary as JSON."""


def pull(options: Pull, console: Console) -> int:
    """Fetch, verify, show."""
    to = dataset_path(options.to)
    commit = fetch(Hub(options.repo.removeprefix("hf:"), say=console.progress), to, options.revision)
    console.step(f"{options.repo} at {commit} is at {to}; every file is what the Hub says it is.")
    try:
        text, data = summary(to)
    except NotADataset as error:  # of an older version, which can be converted
        text, data = str(error), {"dataset": str(to)}
    console.result(text, data)
    return 0
