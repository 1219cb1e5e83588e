"""The Hugging Face Hub: publish datasets and checkpoints in one commit with a gap-free tag, pull them by commit."""

from __future__ import annotations

from collections.abc import Mapping


def refs_of(repo: str) -> Mapping[str, str]:
    """Branches and tags of a dataset on the Hub: name to commit.

    Raises:
        HubError: the Hub does not say.
    """
    from curation.hub.calls import Hub

    return Hub(repo).refs()


def data_of(repo: str, revision: str) -> Mapping[str, str]:
    """The files of a dataset's revision that hold data, so not its card: name to hash.

    Raises:
        HubError: the Hub does not say.
    """
    from curation.hub.calls import Hub

    hub = Hub(repo)
    listed = hub.call(
        lambda: list(hub.api.list_repo_tree(hub.repo, recursive=True, revision=revision, repo_type=hub.kind))
    )
    return {item.path: str(getattr(item, "blob_id", "")) for item in listed if "/" in item.path}
