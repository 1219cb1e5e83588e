"""Publishing: one commit, a tag that is never away, in words what fails, and going on after whatever failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from curation.errors import StudioError, UsageError
from curation.hub.calls import Hub, HubError
from curation.hub.publish import Published, compare, publish, require_writable
from curation.hub.tags import TAG, move_tag
from tests.hub.conftest import READER, STRANGER, TOKEN, Ours
from tests.hub.server import Fault

FILES: dict[str, bytes | Path] = {
    "README.md": b"---\nlicense: mit\n---\n",
    "meta/info.json": b"{}",
    "data/chunk-000/file-000.parquet": b"P" * 3000,
    "videos/a/chunk-000/file-000.mp4": b"V" * 5000,
}


def send(ours: Ours, files: dict[str, bytes | Path] = FILES, name: str = "alice/set") -> Published:
    return publish(ours.repo(name), files, private=True, message="test")


def there(ours: Ours, name: str = "alice/set") -> set[str]:
    repo = ours.server.repos[("dataset", name)]
    return set(repo.files(repo.resolve("main")))


def commits(ours: Ours, name: str = "alice/set") -> int:
    repo, count = ours.server.repos[("dataset", name)], 0
    at: str | None = repo.resolve("main")
    while at:
        count, at = count + 1, next(iter(repo.commit(at)["parents"]), None)
    return count


def check_whole(ours: Ours, done: Published) -> None:
    refs = ours.repo().refs()
    assert refs["main"] == refs[TAG] == refs[done.release] == done.commit
    assert there(ours) == {*FILES, ".gitattributes"}


def test_one_commit_and_its_tags(hub: Ours) -> None:
    done = send(hub)
    check_whole(hub, done)
    assert (done.release, commits(hub)) == ("v3.0.1", 2)
    assert hub.server.repos[("dataset", "alice/set")].meta["private"]
    assert done.url.endswith("/datasets/alice/set")


def test_publishing_again_changes_nothing(hub: Ours) -> None:
    first, second = send(hub), send(hub)
    assert first.commit == second.commit
    assert (second.release, commits(hub)) == ("v3.0.1", 2)
    assert second.difference.unchanged == len(FILES)


def test_what_is_gone_here_is_gone_there(hub: Ours) -> None:
    send(hub)
    less = {name: content for name, content in FILES.items() if "videos" not in name}
    done = send(hub, {**less, "meta/info.json": b'{"a": 1}'})
    assert (done.difference.deleted, done.difference.changed) == (
        ("videos/a/chunk-000/file-000.mp4",), ("meta/info.json",)
    )  # fmt: skip
    assert there(hub) == {*less, ".gitattributes"}
    assert (done.release, commits(hub)) == ("v3.0.2", 3)
    # Only the small file was sent: the parquet lay there already.
    assert sum(method == "PUT" for method, _, _ in hub.server.log) == 2


def test_going_back_makes_a_newer_release(hub: Ours) -> None:
    first = send(hub)
    send(hub, {**FILES, "meta/info.json": b"2"})
    hub.server.log.clear()
    assert move_tag(hub.repo(), first.commit) == "v3.0.3"
    assert hub.repo().refs()[TAG] == first.commit


def test_a_reader_always_finds_a_version(hub: Ours) -> None:
    """While the tag is away, the newest release is the new commit."""
    send(hub)
    hub.server.faults.append(Fault("POST", r"/tag/", 500, times=99, skip=1))
    with pytest.raises(HubError, match="Run the same command again"):
        send(hub, {**FILES, "meta/info.json": b"2"})
    refs = hub.repo().refs()
    assert TAG not in refs
    assert refs["v3.0.2"] == refs["main"]
    hub.server.faults.clear()
    done = send(hub, {**FILES, "meta/info.json": b"2"})
    check_whole(hub, done)
    assert (done.release, commits(hub)) == ("v3.0.2", 3)


@pytest.mark.parametrize(
    ("method", "where", "status"),
    [
        ("POST", "repos/create", 503),
        ("GET", "/refs", 429),
        ("GET", "/tree/", 500),
        ("POST", "/preupload/", 503),
        ("POST", "/commit/", 429),
        ("POST", "/tag/", 503),
        ("DELETE", "/tag/", 500),
    ],
)
def test_what_passes_is_waited_for(hub: Ours, method: str, where: str, status: int, quick: None) -> None:
    if method == "DELETE":
        send(hub, {**FILES, "meta/info.json": b"old"})
    hub.server.faults.append(Fault(method, where, status, times=2))
    check_whole(hub, send(hub))


@pytest.mark.parametrize(
    ("method", "where"), [("POST", "repos/create"), ("POST", "/commit/"), ("POST", "/tag/"), ("DELETE", "/tag/")]
)
def test_a_lost_answer_is_found_out_by_looking(hub: Ours, method: str, where: str) -> None:
    if method == "DELETE":
        send(hub, {**FILES, "meta/info.json": b"old"})
    hub.server.faults.append(Fault(method, where, mode="drop_after"))
    done = send(hub)
    check_whole(hub, done)
    assert commits(hub) == (3 if method == "DELETE" else 2)


def test_how_long_it_waits(hub: Ours) -> None:
    hub.server.faults.append(Fault("GET", "/refs", 429, headers={"RateLimit": '"api";r=0;t=55'}))
    hub.server.faults.append(Fault("GET", "/refs", 503, headers={"Retry-After": "7"}))
    send_first = hub.repo()
    with pytest.raises(HubError):
        send_first.refs()
    assert hub.waits == [56.0, 8.0]


@pytest.mark.parametrize(
    ("token", "words"),
    [(READER, "may only read"), (STRANGER, "bob cannot publish as alice"), ("hf_wrong", "does not know this token"),
     (None, "hf auth login")],
)  # fmt: skip
def test_who_may_not_publish_is_told(hub: Ours, token: str | None, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(HubError, match=words):
        require_writable(hub.repo(token=token))
    assert require_writable(hub.repo()) == "alice"


@pytest.mark.parametrize(("token", "status"), [(READER, "read-only"), (STRANGER, "read-only, or the namespace")])
def test_a_refused_write_is_told(hub: Ours, token: str, status: str) -> None:
    with pytest.raises(HubError, match=status):
        publish(hub.repo(token=token), FILES, private=True, message="test")


def test_a_private_repository_may_also_be_a_typing_error(hub: Ours) -> None:
    send(hub)
    with pytest.raises(HubError, match=r"no dataset alice/set .*or it is private"):
        hub.repo(token=STRANGER).refs()
    # For comparing, what cannot be seen is not there.
    assert compare(hub.repo("alice/new"), FILES).head is None


def test_another_writer_is_told(hub: Ours) -> None:
    send(hub)
    repo = hub.server.repos[("dataset", "alice/set")]
    other = hub.repo()

    def disturbed(words: str) -> None:
        if words.startswith("sending"):
            files = repo.files(repo.resolve("main"))
            repo.add_commit("refs/heads/main", files, "somebody else", "", "alice", [repo.resolve("main")])

    other.say = disturbed
    with pytest.raises(HubError, match="was changed on the Hub meanwhile"):
        publish(other, {**FILES, "meta/info.json": b"2"}, private=True, message="test")
    assert repo.commit(repo.resolve("main"))["message"].startswith("somebody else")


def test_another_tag_writer_is_told(hub: Ours) -> None:
    done = send(hub)
    mine = hub.repo()
    real: Callable[..., None] = mine.api.create_tag

    def stolen(*words: object, **named: object) -> None:
        real(*words, **named)
        if named.get("tag") == TAG:
            hub.server.repos[("dataset", "alice/set")].set_ref(f"refs/tags/{TAG}", done.commit)

    mine.api.create_tag = stolen  # type: ignore[method-assign]
    with pytest.raises(HubError, match="somebody else"):
        publish(mine, {**FILES, "meta/info.json": b"2"}, private=True, message="test")


def test_no_hub_at_all(hub: Ours) -> None:
    away = hub.repo()
    away._endpoint = "http://127.0.0.1:1"
    with pytest.raises(HubError, match="cannot be reached"):
        away.refs()
    assert len(hub.waits) == 4


def test_all_tries_of_a_call_end_in_time(hub: Ours) -> None:
    """huggingface_hub tries some calls again itself, for minutes; the sum stays bounded."""
    now = [0.0]
    slow = Hub("alice/set", token=TOKEN, endpoint=hub.server.endpoint, wait=hub.waits.append, clock=lambda: now[0])
    tries = 0

    def ask() -> None:
        nonlocal tries
        tries += 1
        now[0] += 600.0
        raise ConnectionError("away")

    with pytest.raises(HubError, match="cannot be reached"):
        slow.call(ask)
    assert tries == 2


def test_names_that_are_none(hub: Ours) -> None:
    for name in ("set", "a/b/c", "alice/../set", "", "alice/se t"):
        with pytest.raises(UsageError, match="owner/name"):
            hub.repo(name)


def test_no_word_holds_the_token(hub: Ours) -> None:
    said: list[str] = []
    for fault in (
        Fault("POST", "/commit/", 500, times=99, body=f"bad {TOKEN}"),
        Fault("POST", "/preupload/", 403, times=99, body=f"who is {TOKEN}"),
        Fault("GET", "/refs", 418, times=99, body=TOKEN),
    ):
        hub.server.faults[:] = [fault]
        repo = hub.repo()
        repo.say = said.append
        with pytest.raises(StudioError) as raised:
            publish(repo, FILES, private=True, message="test")
        said += [str(raised.value), repr(raised.value)]
    assert said
    assert not [words for words in said if TOKEN in words]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """huggingface_hub's own waits take no time."""
    from huggingface_hub.utils import _http

    class Time:
        @staticmethod
        def sleep(seconds: float) -> None:
            return None

        def __getattr__(self, name: str) -> object:
            import time

            return getattr(time, name)

    monkeypatch.setattr(_http, "time", Time())
