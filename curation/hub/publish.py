"""Publish: one commit of data, card and deletions, then the tag; whatever fails, running it again goes on.

The commit names its parent, so nobody's work is overwritten, and carries an id, so that a lost answer is found out by
looking. Files that the Hub holds already are neither sent nor committed again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
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
    """What publishing would change: files by name, and bytes to send at most.

    Attributes:
        deleted: files there that are not here; `kept` are those that are nobody's business here.
        unchanged: files that are the same.
        size: of what is new or changed [bytes].
        head: the newest commit there; None if there is no repository.
        private: whether only some may see it; None if there is no repository.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    kept: tuple[str, ...]
    unchanged: int
    size: int
    head: str | None
    private: bool | None

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.deleted)


@dataclass(frozen=True)
class Published:
    """What is on the Hub now; `tag` and `release` are empty for checkpoints."""

    repo: str
    commit: str
    tag: str
    release: str
    url: str
    private: bool
    difference: Difference


def everything(name: str) -> bool:
    """Whether a file is ours to delete, in a repository that holds nothing but what is published."""
    return True


def in_folders(name: str) -> bool:
    """Whether a file of a dataset is data: words that somebody wrote into its card are none."""
    return "/" in name


def not_the_hubs(name: str) -> bool:
    """Whether a file of a checkpoint is data: all that the Hub did not make itself."""
    return name not in _KEPT


@dataclass(frozen=True)
class Past:
    """What may be replaced, because what is published comes from it.

    Attributes:
        commits: of the repository.
        marks: of commits that were meant to be made from here; whether they landed is not known.
        is_data: whether a file would be missed, were it replaced.
    """

    commits: Collection[str] = ()
    marks: Collection[str] = ()
    is_data: Callable[[str], bool] = in_folders


def compare(hub: Hub, contents: Contents, ours: Callable[[str], bool] = everything) -> Difference:
    """What publishing would change; nothing is sent.

    Args:
        hub: the repository, which may not be there yet.
        contents: all files of it that are ours.
        ours: whether a file there would be deleted if it is not here.

    Raises:
        HubError: the Hub does not say.
    """
    head, private = _head(hub)
    there = {} if head is None else _files(hub, head)
    here = {name: content for name, content in contents.items() if name not in _KEPT}
    changed = [name for name in here if name in there and not _same(here[name], there[name])]
    added = [name for name in here if name not in there]
    gone = sorted(set(there) - set(here) - set(_KEPT))
    return Difference(
        added=tuple(sorted(added)),
        changed=tuple(sorted(changed)),
        deleted=tuple(name for name in gone if ours(name)),
        kept=tuple(name for name in gone if not ours(name)),
        unchanged=len(here) - len(added) - len(changed),
        size=sum(_size(here[name]) for name in (*added, *changed)),
        head=head,
        private=private,
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
    hub: Hub,
    contents: Contents,
    *,
    private: bool,
    message: str,
    tagged: bool = True,
    ours: Callable[[str], bool] = everything,
    past: Past | None = None,
    before: Callable[[str], None] = lambda mark: None,
) -> Published:
    """Make a repository hold exactly these files, beside those that are not ours.

    Args:
        hub: the repository; made if it is not there.
        contents: all files that are ours, but the Hub's own.
        private: only some may see it. A repository that is private stays so.
        message: of the commit.
        tagged: move the version tag.
        ours: whether a file there is deleted if it is not here.
        past: what these files come from. Refused if the repository's data is of something else, because what somebody
            else published would be replaced unseen. None replaces whatever is there.
        before: called just before the commit with the mark it will carry; may raise, and then nothing is changed.

    Raises:
        HubError: in words. What was sent stays sent; the same call goes on.
        UsageError: there is nothing to publish; it would be seen by all although it is private; it would replace what
            is not known.
    """
    if not contents:
        raise UsageError("There is nothing to publish.")
    hub.say(f"{hub.kind} {hub.repo}: making sure it exists")
    _create(hub, private)
    difference = compare(hub, contents, ours)
    assert difference.head is not None
    require_allowed(hub, difference, private=private, past=past)
    todo = (*difference.added, *difference.changed)
    if difference:
        commit = _commit(hub, {name: contents[name] for name in todo}, difference, message, before)
    else:
        hub.say("everything is on the Hub already")
        commit = difference.head
    release = move_tag(hub, commit) if tagged else ""
    prefix = "datasets/" if hub.kind == "dataset" else ""
    url = f"{hub.api.endpoint}/{prefix}{hub.repo}"
    return Published(hub.repo, commit, TAG if tagged else "", release, url, bool(difference.private), difference)


def require_allowed(hub: Hub, difference: Difference, *, private: bool, past: Past | None) -> None:
    """Refuse what must not be changed there.

    Raises:
        UsageError: it would be seen by all although it is private, or replace what is not known.
    """
    require_private(hub, difference, private)
    if past is not None:
        require_known(hub, difference, past)


def require_private(hub: Hub, difference: Difference, private: bool) -> None:
    """Refuse to show everybody what was to be private.

    Raises:
        UsageError: the repository is public.
    """
    if private and difference.private is False:
        raise UsageError(
            f"{hub.repo} is public: everybody would see this. Say --public if they may, or make it private on the Hub, "
            "or choose another --to."
        )


def require_known(hub: Hub, difference: Difference, past: Past) -> None:
    """Refuse to replace data that these files do not come from.

    What is no data may be replaced: it moves the newest commit, but nothing is lost.

    Raises:
        UsageError: naming the commit.
    """
    lost = [name for name in (*difference.changed, *difference.deleted) if past.is_data(name)]
    head = difference.head
    if not lost or head is None or head in past.commits:
        return
    there = _data_of(hub, head, past)
    if any(_data_of(hub, commit, past) == there for commit in (*past.commits, *_landed_all(hub, past.marks))):
        return
    look = f"studio pull {hub.repo} --to NAME, then studio diff" if hub.kind == "dataset" else "on its page"
    raise UsageError(
        f"{hub.repo} is at {head[:8]}, and what is here was not made from that: {len(lost)} files would be replaced or "
        f"taken away, such as {lost[0]}. Look at it first: {look}; "
        "--replace puts this in its place, and what was there stays in its history."
    )


def _data_of(hub: Hub, commit: str, past: Past) -> dict[str, str] | None:
    """Hashes of a commit's data; None if the repository has no such commit."""
    from huggingface_hub.errors import RevisionNotFoundError

    def ask() -> dict[str, str] | None:
        try:
            listed = hub.api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type=hub.kind)
            return {item.path: str(getattr(item, "blob_id", "")) for item in listed if past.is_data(item.path)}
        except RevisionNotFoundError:
            return None

    held: dict[str, str] | None = hub.call(ask)
    return held


def _create(hub: Hub, private: bool) -> None:
    # exist_ok also hides a lost answer: made by the first try, found by the second.
    hub.call(lambda: hub.api.create_repo(hub.repo, repo_type=hub.kind, private=private, exist_ok=True))


def _commit(hub: Hub, new: Contents, difference: Difference, message: str, before: Callable[[str], None]) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    adds = [
        CommitOperationAdd(name, content if isinstance(content, bytes) else str(content))
        for name, content in new.items()
    ]
    size = difference.size / 1e6
    hub.say(f"sending {len(adds)} files, {size:.1f} MB at most; {len(difference.deleted)} are taken away")
    hub.call(lambda: hub.api.preupload_lfs_files(hub.repo, adds, repo_type=hub.kind))
    mark = f"publish-id: {uuid.uuid4().hex}"
    before(mark)

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
    """The commit that is ours, if it is there; somebody else's may have followed it."""
    return next(iter(_landed_all(hub, (mark,))), None)


def _landed_all(hub: Hub, marks: Collection[str]) -> list[str]:
    """The newest commits that carry one of the marks."""
    if not marks:
        return []
    commits = hub.call(lambda: hub.api.list_repo_commits(hub.repo, repo_type=hub.kind))[:20]
    return [str(one.commit_id) for one in commits if any(mark in f"{one.title}\n{one.message}" for mark in marks)]


def _head(hub: Hub) -> tuple[str | None, bool | None]:
    """The newest commit of main and whether it is private; None if this token sees no such repository."""
    from huggingface_hub.errors import RepositoryNotFoundError

    def ask() -> tuple[str | None, bool | None]:
        try:
            found = hub.api.repo_info(hub.repo, repo_type=hub.kind, revision="main")
            return str(found.sha), bool(found.private)
        except RepositoryNotFoundError:
            return None, None

    head: tuple[str | None, bool | None] = hub.call(ask)
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
