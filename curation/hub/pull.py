"""Pull: one commit, whole, checked byte by byte, and only then given its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from curation.atomic import make_folder, write_aside
from curation.errors import DataError
from curation.hub.calls import Hub, HubError
from curation.hub.hashes import git_hash, sha256
from curation.hub.tags import TAG
from curation.layout import HUB
from curation.staging import require_free
from curation.store import Store

PARTS = ".pulling"
"""Folder beside a target in which a download is continued after an interruption."""


def pull(hub: Hub, to: Path, revision: str | None = None) -> str:
    """Fetch a dataset.

    Args:
        hub: the repository.
        to: where nothing is yet.
        revision: branch, tag or commit; the version tag by default, else main.

    Returns:
        The commit.

    Raises:
        TargetExists: something is at `to`.
        HubError: the Hub refuses or cannot be reached. What was fetched is kept; the same call goes on.
        DataError: a file is not what the Hub says it is. Nothing is at `to`.
    """
    require_free(to)
    commit, tag = _resolved(hub, revision)
    # By repository and commit, so that what is continued is of the same commit.
    parts = to.absolute().parent / PARTS / f"{hub.repo.replace('/', '--')}-{commit}"
    make_folder(parts)
    files = _files(hub, commit)
    for number, item in enumerate(files, start=1):
        hub.say(f"{number} of {len(files)} {item.path}")
        _fetch(hub, commit, item, parts)
    _require_whole(parts, files)
    shutil.rmtree(parts / ".cache", ignore_errors=True)
    write_aside(parts / HUB, json.dumps({"repo": hub.repo, "commit": commit, "tag": tag}).encode())
    Store.open(parts)
    require_free(to)
    parts.rename(to)
    return commit


def resolve(name: str, home: Path, hub_of: Any = Hub) -> Path:
    """The folder of `hf:owner/name[@revision]`; it is pulled once and kept by its commit.

    Args:
        name: as above.
        home: where pulled datasets are kept.
        hub_of: makes the repository.

    Raises:
        UsageError: the name is none.
        HubError, DataError: as `pull`.
    """
    repo, _, revision = name.removeprefix("hf:").partition("@")
    hub = hub_of(repo)
    commit, _ = _resolved(hub, revision or None)
    to = home / ".hub" / repo.replace("/", "--") / commit
    if not to.is_dir():
        make_folder(to.parent)
        pull(hub, to, commit)
    return to


def _resolved(hub: Hub, revision: str | None) -> tuple[str, str]:
    """Commit and tag; asked once, because a tag may move between two questions."""
    if revision is not None and len(revision) == 40 and not set(revision) - set("0123456789abcdef"):
        return revision, ""
    refs = hub.refs()
    wanted = revision or (TAG if TAG in refs else "main")
    if wanted not in refs:
        raise HubError(
            f"dataset {hub.repo} has no {wanted} on the Hub. There are: {', '.join(sorted(refs)) or 'none'}."
        )
    return refs[wanted], wanted


def _files(hub: Hub, commit: str) -> list[Any]:
    from huggingface_hub.hf_api import RepoFile

    found = hub.call(
        lambda: list(hub.api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type=hub.kind))
    )
    files = [item for item in found if isinstance(item, RepoFile)]
    for item in files:
        path = PurePosixPath(item.path)
        if path.is_absolute() or ".." in path.parts or "\\" in item.path or ":" in item.path:
            raise DataError(f"{hub.repo} holds a file called '{item.path}', which points out of its folder.")
    return [item for item in files if item.path != ".gitattributes"]


def _fetch(hub: Hub, commit: str, item: Any, parts: Path) -> None:
    if _right(parts / item.path, item):
        return
    hub.call(
        lambda: hub.api.hf_hub_download(
            hub.repo, item.path, repo_type=hub.kind, revision=commit, local_dir=parts, force_download=False
        )
    )


def _require_whole(parts: Path, files: list[Any]) -> None:
    for item in files:
        path = parts / item.path
        if not _right(path, item):
            path.unlink(missing_ok=True)
            raise DataError(
                f"{item.path} is not what the Hub says it is. It was thrown away; run the same command again to fetch "
                "it anew."
            )


def _right(path: Path, item: Any) -> bool:
    if not path.is_file() or path.stat().st_size != item.size:
        return False
    return sha256(path) == item.lfs.sha256 if item.lfs else git_hash(path) == item.blob_id
