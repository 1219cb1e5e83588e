"""Pulling: one commit, whole or not at all, and going on after whatever failed."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from curation.errors import CannotWrite, DataError, TargetExists, UsageError
from curation.fingerprint import fingerprint
from curation.hub import pull as pulling
from curation.hub.calls import Hub, HubError
from curation.hub.hashes import git_hash
from curation.hub.publish import publish
from curation.hub.pull import PARTS, pull, resolve
from curation.store import Store
from tests.curation.making import make_ours
from tests.hub.conftest import STRANGER, Ours
from tests.hub.repository import Entry
from tests.hub.server import Fault


@pytest.fixture
def root(hub: Ours, tmp_path: Path) -> Path:
    """A dataset, and the same on the Hub as alice/set."""
    root = make_ours(tmp_path / "set", [20, 18], ["pick", "place"]).root
    send(hub, root)
    hub.server.log.clear()
    return root


def send(hub: Ours, root: Path) -> str:
    files = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return publish(hub.repo(), files, private=True, message="test").commit  # type: ignore[arg-type]


def gets(hub: Ours) -> int:
    """Files that were sent out."""
    return sum(method == "GET" and "/resolve/" in path for method, path, _ in hub.server.log)


def write_there(hub: Ours, name: str, data: bytes) -> str:
    """A commit by somebody who does not use this studio."""
    repo = hub.server.repos[("dataset", "alice/set")]
    head = repo.resolve("main")
    files = {**repo.files(head), name: Entry(repo.put("blob", data), len(data))}
    return str(repo.add_commit("refs/heads/main", files, "by hand", "", "alice", [head]))


def test_the_same_comes_back(hub: Ours, root: Path, tmp_path: Path) -> None:
    commit = pull(hub.repo(), tmp_path / "back")
    assert fingerprint(tmp_path / "back") == fingerprint(root)
    told = json.loads((tmp_path / "back/meta/studio/hub.json").read_text())
    assert told == {"repo": "alice/set", "commit": commit, "tag": "v3.0"}
    assert not (tmp_path / PARTS).exists()
    assert not (tmp_path / "back/.cache").exists()
    with pytest.raises(TargetExists):
        pull(hub.repo(), tmp_path / "back")


def test_readers_get_the_tag_and_others_what_they_ask_for(hub: Ours, root: Path, tmp_path: Path) -> None:
    newest = write_there(hub, "meta/words.txt", b"not released")
    assert pull(hub.repo(), tmp_path / "released") != newest
    assert not (tmp_path / "released/meta/words.txt").exists()
    for revision in ("main", newest):
        assert pull(hub.repo(), tmp_path / revision, revision) == newest
        assert (tmp_path / revision / "meta/words.txt").read_bytes() == b"not released"
    pull(hub.repo(), tmp_path / "short", newest[:8])
    assert (tmp_path / "short/meta/words.txt").exists()
    with pytest.raises(HubError, match="no commits on main that begin with 0000000"):
        pull(hub.repo(), tmp_path / "x", "0000000")
    with pytest.raises(HubError, match=r"no v9 on the Hub\. There are: main, v3\.0, v3\.0\.1"):
        pull(hub.repo(), tmp_path / "x", "v9")
    with pytest.raises(HubError, match="no such revision"):
        pull(hub.repo(), tmp_path / "x", "0" * 40)
    with pytest.raises(HubError, match="or it is private"):
        pull(hub.repo(token=STRANGER), tmp_path / "x")


def test_while_the_version_tag_is_away_the_newest_release_is_read(hub: Ours, root: Path, tmp_path: Path) -> None:
    released = hub.repo().refs()["v3.0.1"]
    write_there(hub, "meta/words.txt", b"not released")
    (hub.server.repos[("dataset", "alice/set")].path / "refs/tags/v3.0").unlink()
    assert pull(hub.repo(), tmp_path / "back") == released
    assert not (tmp_path / "back/meta/words.txt").exists()


def test_a_tag_that_moves_meanwhile_tears_nothing(hub: Ours, root: Path, tmp_path: Path) -> None:
    """Metadata and data are of one commit, whatever is published between two of its files."""
    mark, repo = fingerprint(root), hub.repo()
    other = make_ours(tmp_path / "other", [30], ["push"]).root
    first = threading.Lock()

    def meanwhile(words: str) -> None:
        if first.acquire(blocking=False):
            send(hub, other)

    repo.say = meanwhile
    commit = pull(repo, tmp_path / "back")
    assert fingerprint(tmp_path / "back") == mark
    assert hub.repo().refs()["v3.0"] != commit


def test_what_was_interrupted_goes_on(hub: Ours, root: Path, tmp_path: Path) -> None:
    hub.server.faults.append(Fault("*", r"/resolve/.*/videos/", 403, times=99))
    with pytest.raises(HubError):
        pull(hub.repo(), tmp_path / "back")
    assert not (tmp_path / "back").exists()
    kept = {path.name for path in (tmp_path / PARTS).rglob("*.parquet")}
    assert kept
    hub.server.faults.clear()
    hub.server.log.clear()
    pull(hub.repo(), tmp_path / "back")
    assert fingerprint(tmp_path / "back") == fingerprint(root)
    assert not [path for _, path, _ in hub.server.log if "/resolve/" in path and path.endswith("info.json")]


@pytest.mark.parametrize("mode", ["drop", "cut"])
@pytest.mark.parametrize("where", ["/_cdn/", "/resolve/"])
def test_a_line_that_breaks(hub: Ours, root: Path, tmp_path: Path, where: str, mode: str) -> None:
    hub.server.faults.append(Fault("GET", where, mode=mode, times=3))
    pull(hub.repo(), tmp_path / "back")
    assert fingerprint(tmp_path / "back") == fingerprint(root)


def test_damage_of_what_was_fetched_before_is_mended(hub: Ours, root: Path, tmp_path: Path) -> None:
    hub.server.faults.append(Fault("*", r"/resolve/.*/videos/", 403, times=99))
    with pytest.raises(HubError):
        pull(hub.repo(), tmp_path / "back")
    hub.server.faults.clear()
    for path in [*(tmp_path / PARTS).rglob("*.parquet"), *(tmp_path / PARTS).rglob("info.json")]:
        data = path.read_bytes()
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    pull(hub.repo(), tmp_path / "back")
    assert fingerprint(tmp_path / "back") == fingerprint(root)


@pytest.mark.parametrize("name", ["../out.txt", "meta/../../out.txt", "/out.txt", "a\\..\\out.txt", "C:out.txt"])
def test_names_that_lead_out_of_the_folder(
    hub: Ours, root: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = hub.repo()
    real = repo.api.list_repo_tree

    def listed(*words: Any, **named: Any) -> list[Any]:
        items = list(real(*words, **named))
        files = [item for item in items if item.path == "meta/info.json"]
        files[0].path = name
        return items + list(real(*words, **named))

    monkeypatch.setattr(repo.api, "list_repo_tree", listed)
    with pytest.raises(DataError, match="points out of its folder"):
        pull(repo, tmp_path / "inner/back")
    assert gets(hub) == 0
    assert not (tmp_path / "out.txt").exists()


def test_conditions_are_pointed_at(hub: Ours, root: Path, tmp_path: Path) -> None:
    hub.server.faults.append(Fault("GET", "/tree/", 403, headers={"X-Error-Code": "GatedRepo"}))
    with pytest.raises(HubError, match="conditions"):
        pull(hub.repo(), tmp_path / "back")


def test_what_is_no_dataset_is_not_fetched(hub: Ours, tmp_path: Path) -> None:
    publish(hub.repo(), {"data/train.csv": b"1,2"}, private=True, message="test")
    with pytest.raises(DataError, match="holds no dataset of LeRobot"):
        pull(hub.repo(), tmp_path / "back")
    assert gets(hub) == 0


def test_an_older_dataset_is_kept_to_be_converted(hub: Ours, tmp_path: Path) -> None:
    info = json.dumps({"codebase_version": "v2.1", "total_episodes": 1}).encode()
    publish(hub.repo(), {"meta/info.json": info, "meta/episodes.jsonl": b"{}"}, private=True, message="x", tagged=False)
    pull(hub.repo(), tmp_path / "old")
    assert (tmp_path / "old/meta/episodes.jsonl").read_bytes() == b"{}"


def test_a_disk_that_is_too_small_is_told_first(
    hub: Ours, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(pulling.shutil, "disk_usage", lambda path: usage._replace(free=100))
    with pytest.raises(CannotWrite, match="are needed, 0 MB are free"):
        pull(hub.repo(), tmp_path / "back")
    assert gets(hub) == 0


def test_by_name_it_is_fetched_once(hub: Ours, root: Path, tmp_path: Path) -> None:
    at = resolve("hf:alice/set", tmp_path, hub.repo)
    commit = hub.repo().refs()["v3.0"]
    assert at == tmp_path / ".hub/alice--set" / commit
    assert Store.open(at).total_frames == 38
    hub.server.log.clear()
    assert resolve("hf:alice/set", tmp_path, hub.repo) == resolve("hf:alice/set@v3.0.1", tmp_path, hub.repo) == at
    assert gets(hub) == 0
    hub.server.log.clear()
    assert resolve(f"hf:alice/set@{commit}", tmp_path, hub.repo) == at
    assert hub.server.log == []
    for name in ("hf:set", "hf:", "hf:alice/set@"):
        with pytest.raises(UsageError):
            resolve(name, tmp_path, hub.repo)


def test_hashes_are_those_of_git(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"hello\n")
    assert git_hash(tmp_path / "a") == git_hash(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_offline_is_said_at_once(hub: Ours, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    away: Hub = hub.repo()
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        away.refs()
    assert hub.waits == []
