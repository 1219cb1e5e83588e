"""Move LeRobot's version tag without a moment in which a reader finds none.

The Hub cannot move a tag: it must be deleted and made again. LeRobot asks for `v3.0`, and without one takes the newest
`v3.0.N`. So an immutable release tag is made first; while `v3.0` is away, readers get the same commit by it.
"""

from __future__ import annotations

import re

from curation.hub.calls import Hub, HubError

TAG = "v3.0"
_RELEASE = re.compile(re.escape(TAG) + r"\.(\d+)")


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
        # v3.0.0 would be equal to 3.0 for those who compare versions, so releases begin with 1.
        numbers = [int(found[1]) for name in refs if (found := _RELEASE.fullmatch(name))]
        release = f"{TAG}.{max(numbers, default=0) + 1}"
        _make(hub, release, commit)
    if refs.get(TAG) != commit:
        if TAG in refs:
            _delete(hub)
        _make(hub, TAG, commit)
    now = hub.refs()
    if (now.get(TAG), now.get(release)) != (commit, commit):
        raise HubError(
            f"Tag {TAG} of {hub.repo} is at {now.get(TAG, 'nothing')[:8]}, not at {commit[:8]}: somebody else "
            "publishes it at this moment. Readers get one of the two commits whole. Agree who goes on, then publish "
            "again."
        )
    return release


def _release_of(refs: dict[str, str], commit: str) -> str | None:
    """The newest release tag, if it is this commit; after a return to an older one there must be a newer tag."""
    numbered = {int(found[1]): name for name in refs if (found := _RELEASE.fullmatch(name))}
    newest = numbered[max(numbered)] if numbered else None
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
