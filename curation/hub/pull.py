"""Pull: one commit, whole, checked byte by byte, and only then given its name."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any

from curation.atomic import make_folder, one_at_a_time, sync_all, write_aside
from curation.errors import CannotWrite, DataError, TargetExists, UsageError
from curation.hub.calls import Hub, HubError
from curation.hub.hashes import git_hash, sha256
from curation.hub.tags import TAG, numbered
from curation.layout import HUB, INFO
from curation.staging import put, require_free
from curation.store import Store

PARTS = ".pulling"
"""Folder beside a target in which a download is continued after an interruption."""
AT_ONCE = 8
"""Files that are fetched side by side."""
_SHORT = re.compile(r"[0-9a-f]{7,39}")
_OLDER = "v2."
"""Datasets of this are kept as they are; they can be converted."""


def pull(hub: Hub, to: Path, revision: str | None = None) -> str:
    """Fetch a dataset.

    Args:
        hub: the repository.
        to: where nothing is yet.
        revision: branch, tag or commit, of which the first 7 digits will do; by default the version tag, else the
            newest release, else main.

    Returns:
        The commit.

    Raises:
        TargetExists: something is at `to`.
        HubError: the Hub refuses or cannot be reached. What was fetched is kept; the same call goes on.
        DataError: a file is not what the Hub says it is, or it is no dataset. Nothing is at `to`.
        CannotWrite: the disk is full, read-only or not permitted.
    """
    require_free(to)
    commit, tag = _resolved(hub, revision)
    folder = to.absolute().parent / PARTS
    # By commit, so that what is continued is of the same one; by target, so that nobody else has use for the lock.
    parts = folder / f"{to.name}-{hub.repo.replace('/', '--')}-{commit}"
    with one_at_a_time(folder / f"{parts.name}.lock"):
        require_free(to)
        files = _files(hub, commit)
        make_folder(parts)
        _require_space(parts, files)
        _fetch_all(hub, commit, files, parts)
        shutil.rmtree(parts / ".cache", ignore_errors=True)
        write_aside(parts / HUB, json.dumps({"repo": hub.repo, "commit": commit, "tag": tag}).encode())
        _require_dataset(parts)
        sync_all(path for path in parts.rglob("*") if path.is_file())
        put(parts, to)
    _tidy(folder, parts)
    return commit


def resolve(name: str, home: Path, hub_of: Callable[[str], Hub] = Hub) -> Path:
    """The folder of `hf:owner/name[@revision]`; it is pulled once and kept by its commit.

    A commit that is here is found without the Hub.

    Args:
        name: as above.
        home: where pulled datasets are kept.
        hub_of: makes the repository.

    Raises:
        UsageError: the name is none.
        HubError, DataError, CannotWrite: as `pull`.
    """
    repo, at, revision = name.removeprefix("hf:").partition("@")
    if at and not revision:
        raise UsageError(
            f"'{name}' names no revision after the @; give a branch, a tag or a commit, or leave the @ out."
        )
    hub = hub_of(repo)
    commit, _ = _resolved(hub, revision or None)
    to = home / ".hub" / repo.replace("/", "--") / commit
    if not to.is_dir():
        make_folder(to.parent)
        # Whoever pulled the same commit meanwhile has done it for both.
        with suppress(TargetExists):
            pull(hub, to, commit)
    return to


def _resolved(hub: Hub, revision: str | None) -> tuple[str, str]:
    """Commit and tag; asked once, because a tag may move between two questions."""
    if revision is not None and len(revision) == 40 and not set(revision) - set("0123456789abcdef"):
        return revision, ""
    refs = hub.refs()
    # While the version tag is moved it is away; the newest release is then what it will name.
    wanted = revision or next((name for name in (TAG, *numbered(refs)) if name in refs), "main")
    if wanted not in refs and _SHORT.fullmatch(wanted):
        return _whole(hub, wanted), ""
    if wanted not in refs:
        raise HubError(
            f"dataset {hub.repo} has no {wanted} on the Hub. There are: {', '.join(sorted(refs)) or 'none'}."
        )
    return refs[wanted], wanted


def _whole(hub: Hub, short: str) -> str:
    """The commit that begins with these digits.

    Raises:
        HubError: none does, or several do.
    """
    commits = hub.call(lambda: hub.api.list_repo_commits(hub.repo, repo_type=hub.kind))
    found = [str(one.commit_id) for one in commits if str(one.commit_id).startswith(short)]
    if len(found) != 1:
        raise HubError(
            f"dataset {hub.repo} has {len(found) or 'no'} commits on main that begin with {short}. Give all 40 digits."
        )
    return found[0]


def _files(hub: Hub, commit: str) -> list[Any]:
    from huggingface_hub.hf_api import RepoFile

    found = hub.call(
        lambda: list(hub.api.list_repo_tree(hub.repo, recursive=True, revision=commit, repo_type=hub.kind))
    )
    files = [item for item in found if isinstance(item, RepoFile)]
    if INFO not in {item.path for item in files}:
        raise DataError(f"{hub.repo} holds no dataset of LeRobot at {commit[:8]}: it has no {INFO}.")
    for item in files:
        path = PurePosixPath(item.path)
        if path.is_absolute() or ".." in path.parts or "\\" in item.path or ":" in item.path:
            raise DataError(f"{hub.repo} holds a file called '{item.path}', which points out of its folder.")
    return [item for item in files if item.path != ".gitattributes"]


def _fetch_all(hub: Hub, commit: str, files: Sequence[Any], parts: Path) -> None:
    """Fetch what is not here yet, several files at once; then all are right.

    Raises:
        HubError: the Hub refuses or cannot be reached.
        DataError: naming a file that is not what the Hub says, also when fetched anew.
    """
    done = 0
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        waiting = [pool.submit(_fetch, hub, commit, item, parts) for item in files]
        try:
            for item, one in zip(files, waiting, strict=True):
                one.result()
                done += 1
                hub.say(f"{done} of {len(files)} {item.path}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(hub: Hub, commit: str, item: Any, parts: Path) -> None:
    path = parts / item.path
    # Twice, because what lies in huggingface_hub's cache may be damaged; the second time it is left aside.
    for anew in (False, True):
        if _right(path, item):
            return
        _download(hub, commit, item.path, parts, anew=anew)
    if not _right(path, item):
        path.unlink(missing_ok=True)
        raise DataError(
            f"{item.path} is not what the Hub says it is. It was thrown away; run the same command again to fetch it "
            "anew."
        )


def _download(hub: Hub, commit: str, name: str, parts: Path, *, anew: bool) -> None:
    hub.call(
        lambda: hub.api.hf_hub_download(
            hub.repo, name, repo_type=hub.kind, revision=commit, local_dir=parts, force_download=anew
        )
    )


def _right(path: Path, item: Any) -> bool:
    if not path.is_file() or path.stat().st_size != item.size:
        return False
    return sha256(path) == item.lfs.sha256 if item.lfs else git_hash(path) == item.blob_id


def _require_space(parts: Path, files: Sequence[Any]) -> None:
    """Refuse what the disk cannot hold before a long download does."""
    needed = sum(item.size for item in files if not (parts / item.path).is_file())
    free = shutil.disk_usage(parts).free
    if needed > free:
        why = f"{os.strerror(errno.ENOSPC)} ({needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free)"
        raise CannotWrite(parts.parent.parent, OSError(errno.ENOSPC, why))


def _require_dataset(parts: Path) -> None:
    try:
        version = str(json.loads((parts / INFO).read_bytes()).get("codebase_version"))
    except (ValueError, AttributeError) as error:
        raise DataError(f"{parts / INFO} cannot be read: {error}") from error
    if not version.startswith(_OLDER):
        Store.open(parts)


def _tidy(folder: Path, parts: Path) -> None:
    """Leave nothing beside the target, unless something else is being fetched."""
    with suppress(OSError):
        (folder / f"{parts.name}.lock").unlink()
        folder.rmdir()
