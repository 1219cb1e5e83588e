"""Publish: one commit of data, card and deletions, then the tag; whatever fails, running it again goes on.

The commit names its parent, so nobody's work is overwritten, and carries an id, so that a lost answer is found out by
looking. Files that the Hub holds already are neither sent nor committed again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.errors import UsageError
from curation.hub.calls import Hub, HubError
from curation.hub.hashes import git_hash, sha256
from curation.hub.tags import TAG, move_tag

Content = bytes | Path
Contents = Mapping[str, Content]
_KEPT = (".gitattributes",)
"""Files of a repository that are the Hub's own."""


@dataclass(frozen=True)
class Difference:
    """What publishing would change: files by name, and bytes to send at most."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    unchanged: int
    size: int
    head: str | None


@dataclass(frozen=True)
class Published:
    """What is on the Hub now; `tag` and `release` are empty for checkpoints."""

    repo: str
    commit: str
    tag: str
    release: str
    url: str
    difference: Difference


def compare(hub: Hub, contents: Contents) -> Difference:
    """What publishing would change; nothing is sent.

    Raises:
        HubError: the Hub does not say.
    """
    head = _head(hub)
    there = {} if head is None else _files(hub, head)
    here = {name: content for name, content in contents.items() if name not in _KEPT}
    changed = [name for name in here if name in there and not _same(here[name], there[name])]
    added = [name for name in here if name not in there]
    return Difference(
        added=tuple(sorted(added)),
        changed=tuple(sorted(changed)),
        deleted=tuple(sorted(set(there) - set(here) - set(_KEPT))),
        unchanged=len(here) - len(added) - len(changed),
        size=sum(_size(here[name]) for name in (*added, *changed)),
        head=head,
    )


def require_writable(hub: Hub) -> str:
    """Who we are on the Hub.

    Raises:
        HubError: nobody, or the token may only read, or not write there.
    """
    from huggingface_hub.errors import LocalTokenNotFoundError

    try:
        told = hub.call(hub.api.whoami)
    except LocalTokenNotFoundError:
        raise HubError("You are not logged in to the Hub. Use hf auth login, or set HF_TOKEN.") from None
    name = str(told.get("name"))
    role = ((told.get("auth") or {}).get("accessToken") or {}).get("role", "write")
    owner = hub.repo.partition("/")[0]
    owners = [name, *(str(org.get("name")) for org in told.get("orgs") or ())]
    if role == "read":
        raise HubError(
            f"The token of {name} may only read. Make one with write access at https://huggingface.co/settings/tokens."
        )
    if owner not in owners:
        raise HubError(f"{name} cannot publish as {owner}. Yours: {', '.join(owners)}.")
    return name


def publish(
    hub: Hub, contents: Contents, *, private: bool, message: str, tagged: bool = True, expected: str | None = None
) -> Published:
    """Make a repository hold exactly these files.

    Args:
        hub: the repository; made if it is not there.
        contents: all files but the Hub's own.
        private: of a new repository; one that exists stays as it is.
        message: of the commit.
        tagged: move the version tag.
        expected: the commit that was compared with; refused if the repository is at another one by now.

    Raises:
        HubError: in words. What was sent stays sent; the same call goes on.
        UsageError: there is nothing to publish.
    """
    if not contents:
        raise UsageError("There is nothing to publish.")
    hub.say(f"{hub.kind} {hub.repo}: making sure it exists")
    _create(hub, private)
    difference = compare(hub, contents)
    if expected is not None and difference.head != expected:
        raise HubError(f"{hub.repo} was changed on the Hub meanwhile. Pull it, look with studio diff, publish again.")
    assert difference.head is not None
    todo = (*difference.added, *difference.changed)
    if todo or difference.deleted:
        commit = _commit(hub, {name: contents[name] for name in todo}, difference, message)
    else:
        hub.say("everything is on the Hub already")
        commit = difference.head
    release = move_tag(hub, commit) if tagged else ""
    prefix = "datasets/" if hub.kind == "dataset" else ""
    url = f"{hub.api.endpoint}/{prefix}{hub.repo}"
    return Published(hub.repo, commit, TAG if tagged else "", release, url, difference)


def _create(hub: Hub, private: bool) -> None:
    # exist_ok also hides a lost answer: made by the first try, found by the second.
    hub.call(lambda: hub.api.create_repo(hub.repo, repo_type=hub.kind, private=private, exist_ok=True))


def _commit(hub: Hub, new: Contents, difference: Difference, message: str) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    adds = [
        CommitOperationAdd(name, content if isinstance(content, bytes) else str(content))
        for name, content in new.items()
    ]
    size = difference.size / 1e6
    hub.say(f"sending {len(adds)} files, {size:.1f} MB at most; {len(difference.deleted)} are taken away")
    hub.call(lambda: hub.api.preupload_lfs_files(hub.repo, adds, repo_type=hub.kind))
    mark = f"publish-id: {uuid.uuid4().hex}"

    def commit() -> str:
        # An add that was committed once is refused, also when that answer was lost.
        for add in adds:
            add._is_committed = False
        try:
            done = hub.api.create_commit(
                hub.repo,
                [*adds, *(CommitOperationDelete(name) for name in difference.deleted)],
                commit_message=message,
                commit_description=mark,
                repo_type=hub.kind,
                parent_commit=difference.head,
            )
        except hub.failures:
            if landed := _landed(hub, mark):
                return landed
            raise
        return str(done.oid)

    return str(hub.call(commit))


def _landed(hub: Hub, mark: str) -> str | None:
    """The newest commit, if it is ours."""
    newest = hub.call(lambda: hub.api.list_repo_commits(hub.repo, repo_type=hub.kind))[0]
    return str(newest.commit_id) if mark in f"{newest.title}\n{newest.message}" else None


def _head(hub: Hub) -> str | None:
    """The newest commit of main; None if there is no such repository, as far as this token can see."""
    from huggingface_hub.errors import RepositoryNotFoundError

    def ask() -> str | None:
        try:
            return str(hub.api.repo_info(hub.repo, repo_type=hub.kind, revision="main").sha)
        except RepositoryNotFoundError:
            return None

    head: str | None = hub.call(ask)
    return head


def _files(hub: Hub, commit: str) -> dict[str, Any]:
    from huggingface_hub.hf_api import RepoFile

    found = hub.call(
        lambda: list(hub.api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type=hub.kind))
    )
    return {item.path: item for item in found if isinstance(item, RepoFile)}


def _same(content: Content, there: Any) -> bool:
    if _size(content) != there.size:
        return False
    return sha256(content) == there.lfs.sha256 if there.lfs else git_hash(content) == there.blob_id


def _size(content: Content) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
