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
