"""Move LeRobot's version tag without a moment in which a reader finds none.

The Hub cannot move a tag: it must be deleted and made again. LeRobot asks for `v3.0`, and without one takes the newest
`v3.0.N`. So an immutable release tag is made first; while `v3.0` is away, readers get the same commit by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from curation.hub.calls import Hub, HubError

TAG = "v3.0"
LOOKS_S = (0.2, 1.0, 3.0)
"""Waits between looks at where a tag went [s]."""
_RELEASE = re.compile(re.escape(TAG) + r"\.\d+")


def numbered(refs: Iterable[str]) -> list[str]:
    """The release tags among names, newest first."""
    return sorted((name for name in refs if _RELEASE.fullmatch(name)), key=_number, reverse=True)


def next_release(refs: Iterable[str]) -> str:
    """The tag of the release after those; v3.0.0 would be equal to 3.0 for those who compare versions."""
    last = next(iter(numbered(refs)), None)
    return f"{TAG}.{(_number(last) if last else 0) + 1}"


def _number(release: str) -> int:
    return int(release.rpartition(".")[2])


def move_tag(hub: Hub, commit: str) -> str:
    """Let the version tag name a commit.

    Args:
        hub: the repository.
        commit: 40 hexadecimal digits.

    Returns:
        The release tag of the commit.

    Raises:
        HubError: a call failed for good, or somebody else moves the tag at the same time.
    """
    refs = hub.refs()
    release = _release_of(refs, commit)
    if release is None:
        release = next_release(refs)
        _make(hub, release, commit)
    if refs.get(TAG) != commit:
        if TAG in refs:
            _delete(hub)
        _make(hub, TAG, commit)
    _require_moved(hub, release, commit)
    return release


def _require_moved(hub: Hub, release: str, commit: str) -> None:
    # A new ref may take a moment until every server of the Hub tells of it.
    for wait in (*LOOKS_S, None):
        now = hub.refs()
        if (now.get(TAG), now.get(release)) == (commit, commit):
            return
        if wait is not None:
            hub.wait(wait)
    raise HubError(
        f"Tag {TAG} of {hub.repo} is at {now.get(TAG, 'nothing')[:8]}, not at {commit[:8]}: somebody else publishes it "
        "at this moment. Readers get one of the two commits whole. Agree who goes on, then publish again."
    )


def _release_of(refs: dict[str, str], commit: str) -> str | None:
    """The newest release tag, if it is this commit; after a return to an older one there must be a newer tag."""
    newest = next(iter(numbered(refs)), None)
    return newest if newest and refs[newest] == commit else None


def _make(hub: Hub, name: str, commit: str) -> None:
    def make() -> None:
        try:
            hub.api.create_tag(hub.repo, tag=name, revision=commit, repo_type=hub.kind)
        except hub.failures:
            # The answer to an earlier try may have been lost: then it is there.
            if hub.refs().get(name) != commit:
                raise

    hub.call(make)


def _delete(hub: Hub) -> None:
    from huggingface_hub.errors import RevisionNotFoundError

    def delete() -> None:
        try:
            hub.api.delete_tag(hub.repo, tag=TAG, repo_type=hub.kind)
        except RevisionNotFoundError:
            return
        except hub.failures:
            if TAG in hub.refs():
                raise

    hub.call(delete)
