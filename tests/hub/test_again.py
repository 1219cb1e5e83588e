"""A dataset published again and again: what makes a release, whose work is in the way, what people wrote stays."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml

from curation.checks import Finding
from curation.consolidate import Snapshot
from curation.errors import DataError, UnknownChoice, UsageError
from curation.hub.card import BEGIN, END
from curation.hub.dataset import README, Terms, contents_of, intend, is_ours, past_of, remember, require_publishable
from curation.hub.publish import Published, publish
from curation.hub.tags import TAG
from curation.layout import INTENDED, PROVENANCE, json_bytes
from curation.notes import Note, add_notes
from curation.store import Store
from tests.curation.making import make_ours
from tests.hub.conftest import Ours
from tests.hub.repository import Entry

TERMS = Terms(licence="cc-by-4.0")
ERROR = Finding("stats", "error", "stats.json is wrong in 3 features.", "Training sees other units.", "studio stats")


def send(
    ours: Ours,
    root: Path,
    *,
    private: bool = True,
    replace: bool = False,
    message: str = "one",
    findings: Sequence[Finding] = (),
    meanwhile: Callable[[], object] = lambda: None,
    killed: bool = False,
) -> Published:
    """What the command does, without the time it takes to start; something may happen while it sends."""
    hub, taken = ours.repo(), Snapshot.of(root)
    contents = contents_of(hub, taken, TERMS, findings, None)

    def before(mark: str) -> None:
        meanwhile()
        taken.require_still()
        intend(root, hub.repo, mark)

    done = publish(
        hub, contents, private=private, message=message, ours=is_ours,
        past=None if replace else past_of(root, hub.repo), before=before,
    )  # fmt: skip
    if not killed:
        remember(root, done)
    return done


def card_of(ours: Ours) -> str:
    repo = ours.server.repos[("dataset", "alice/set")]
    return repo.get(repo.files(repo.resolve("main"))[README].oid).decode()


def write_there(ours: Ours, name: str, data: bytes) -> None:
    """Somebody else commits a file on the Hub's pages."""
    repo = ours.server.repos[("dataset", "alice/set")]
    head = repo.resolve("main")
    files = {**repo.files(head), name: Entry(repo.put("blob", data), len(data))}
    repo.add_commit("refs/heads/main", files, "by hand", "", "alice", [head])


def note(root: Path, words: str) -> None:
    """A change of the data as readers of the Hub see it."""
    add_notes(root, [Note(Store.open(root).rows()[0].episode_id, "comment", words, "test")])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_ours(tmp_path / "set", [20, 18], ["pick", "place"]).root


def test_only_a_change_makes_a_release(hub: Ours, root: Path) -> None:
    first, again = send(hub, root), send(hub, root)
    assert (again.commit, again.release) == (first.commit, "v3.0.1")
    for number in range(2, 12):
        note(root, f"note {number}")
        done = send(hub, root, message=f"change {number}")
        assert done.release == f"v3.0.{number}"
        assert send(hub, root, message="never used").commit == done.commit
    text = card_of(hub)
    assert 'revision="v3.0.11"' in text
    earlier = [line.split("`")[1] for line in text.splitlines() if line.startswith("- `v3.0.")]
    assert earlier == [f"v3.0.{number}" for number in range(10, 0, -1)]
    assert f"- `v3.0.1` ({first.commit[:8]}): one, " in text
    assert "change 10" in text
    assert hub.repo().refs()[TAG] == done.commit


def test_data_that_this_was_not_made_from_is_not_replaced(hub: Ours, root: Path, tmp_path: Path) -> None:
    first = send(hub, root)
    other = make_ours(tmp_path / "other", [25], ["push"]).root
    with pytest.raises(UsageError, match=f"at {first.commit[:8]}.*studio pull alice/set.*--replace"):
        send(hub, other)
    assert hub.repo().refs()["main"] == first.commit
    # What was made from what is there may follow it.
    parent = {"name": "set", "hub": {"repo": "alice/set", "commit": first.commit}, "provenance": None}
    (other / PROVENANCE).parent.mkdir(exist_ok=True)
    (other / PROVENANCE).write_bytes(
        json_bytes({"parents": [{"name": "between", "provenance": {"parents": [parent]}}]})
    )
    second = send(hub, other)
    assert second.release == "v3.0.2"
    # Now the first folder is the one that does not know.
    note(root, "later")
    with pytest.raises(UsageError, match="--replace"):
        send(hub, root)
    third = send(hub, root, replace=True)
    assert (third.release, hub.repo().refs()["v3.0.2"]) == ("v3.0.3", second.commit)


def test_a_publish_that_was_not_remembered_is_no_strangers(hub: Ours, root: Path) -> None:
    """Killed between its commit and the note of it."""
    first = send(hub, root)
    (root / "meta/studio/hub.json").unlink()
    assert send(hub, root).commit == first.commit
    note(root, "later")
    second = send(hub, root, killed=True)
    note(root, "later still")
    assert send(hub, root).release == "v3.0.3"
    assert not (root / INTENDED).exists()
    assert hub.repo().refs()["v3.0.2"] == second.commit


def test_a_dataset_that_changes_meanwhile_is_not_published(hub: Ours, root: Path) -> None:
    first = send(hub, root)
    note(root, "what is sent")
    with pytest.raises(UsageError, match=r"changed meanwhile .*notes\.jsonl"):
        send(hub, root, meanwhile=lambda: note(root, "masked while it is sent"))
    assert hub.repo().refs()["main"] == first.commit


def test_a_snapshot_is_of_one_moment(root: Path, tmp_path: Path) -> None:
    taken = Snapshot.of(root)
    taken.require_still()
    before = dict(taken.files)
    other = make_ours(tmp_path / "other", [25], ["push"]).root
    for name in ("meta/info.json", "meta/stats.json", "meta/tasks.parquet"):
        shutil.copy(other / name, root / name)
    assert taken.store.total_episodes == 2
    for name, content in before.items():
        if name.startswith("meta/") and isinstance(content, Path):
            assert "meta/studio/frames" in name or "meta/studio/histograms" in name
    assert json.loads(bytes(before["meta/info.json"]))["total_episodes"] == 2  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"3 files, such as meta/info\.json"):
        taken.require_still()


def test_what_people_put_there_stays(hub: Ours, root: Path) -> None:
    send(hub, root)
    write_there(hub, "LICENSE", b"words")
    write_there(hub, README, card_of(hub).replace(BEGIN, f"Words of a person.\n\n{BEGIN}").encode())
    note(root, "later")
    done = send(hub, root)
    assert done.difference.kept == ("LICENSE",)
    assert done.difference.deleted == ()
    assert "Words of a person." in card_of(hub)
    assert card_of(hub).count(BEGIN) == card_of(hub).count(END) == 1


def test_a_card_of_this_disk_is_kept_unless_the_hub_has_newer_words(hub: Ours, root: Path) -> None:
    (root / README).write_text("---\npretty_name: Ours\ntags: [mine]\nlicense: mit\n---\n# Ours\n\nBy hand.\n")
    send(hub, root)
    front = yaml.safe_load(card_of(hub).split("---")[1])
    assert (front["pretty_name"], front["license"]) == ("Ours", "cc-by-4.0")
    assert {"mine", "LeRobot", "so_follower"} <= set(front["tags"])
    assert front["configs"] == [{"config_name": "default", "data_files": "data/*/*.parquet"}]
    assert "By hand." in card_of(hub)
    write_there(hub, README, card_of(hub).replace("By hand.", "By hand, there.").encode())
    note(root, "later")
    send(hub, root)
    assert "By hand, there." in card_of(hub)
    (root / README).write_text("---\ntags: [unclosed\n---\n")
    (root / "meta/studio/hub.json").unlink()
    with pytest.raises(UsageError, match="YAML"):
        send(hub, root)
    (root / README).write_text("---\n[a, b]\n---\n")
    with pytest.raises(UsageError, match="no mapping"):
        send(hub, root)


def test_only_broken_yaml_is_called_that(hub: Ours, root: Path) -> None:
    (root / PROVENANCE).write_bytes(json_bytes({"version": 1, "parents": [{"hub": "no mapping"}], "edits": []}))
    with pytest.raises(DataError, match=r"provenance\.json cannot be read: parents\[0\]\.hub is no object"):
        contents_of(hub.repo(), Snapshot.of(root), TERMS, (), None)


def test_what_is_public_is_not_published_to_by_mistake(hub: Ours, root: Path) -> None:
    assert not send(hub, root, private=False).private
    note(root, "later")
    with pytest.raises(UsageError, match=r"is public.*--public"):
        send(hub, root)
    assert send(hub, root, private=False).release == "v3.0.2"


def test_the_card_says_what_the_data_says(hub: Ours, root: Path) -> None:
    finding = Finding("videos", "warning", f"{root}/videos/x.mp4 is dark.", "Nothing is <seen>.", "studio drop", (1,))
    send(hub, root, findings=[finding])
    text = card_of(hub)
    assert "2 episodes, 38 frames, " in text
    assert "| pick | 1 | 20 |" in text
    assert "success 1" in text
    assert "videos/x.mp4 is dark. Nothing is &lt;seen>." in text
    assert "shoulder_pan.pos" in text
    assert "in degrees, the gripper in 0..100" in text
    assert str(root.parent) not in text
    assert "not every image" in text
    thorough = contents_of(hub.repo(), Snapshot.of(root), Terms(licence="mit", deep=True), (), None)
    assert "every image was looked at. Nothing was found." in bytes(thorough[README]).decode()  # type: ignore[arg-type]


def test_no_folder_of_a_disk_is_published(hub: Ours, root: Path) -> None:
    parent = {"name": "raw", "path": "/home/someone/raw", "provenance": {"parents": [{"path": "/home/someone/older"}]}}
    (root / PROVENANCE).write_bytes(json_bytes({"version": 1, "parents": [parent], "edits": []}))
    contents = contents_of(hub.repo(), Snapshot.of(root), TERMS, (), None)
    for name, content in contents.items():
        data = content if isinstance(content, bytes) else content.read_bytes()
        assert b"/home/someone" not in data, name
        assert str(root).encode() not in data, name
    told = json.loads(bytes(contents[PROVENANCE]))  # type: ignore[arg-type]
    assert told["parents"][0]["name"] == "raw"
    assert "hub.json" not in "".join(contents)


def test_what_is_not_fit_to_be_published(root: Path, tmp_path: Path) -> None:
    store = Store.open(root)
    require_publishable(store, TERMS, [])
    with pytest.raises(DataError, match=r"found 1 errors.*studio stats.*--force"):
        require_publishable(store, TERMS, [ERROR])
    require_publishable(store, Terms(licence="mit", force=True), [ERROR])
    with pytest.raises(UnknownChoice, match=r"Did you mean cc-by-4\.0"):
        require_publishable(store, Terms(licence="cc-by-4"), [])
    with pytest.raises(UsageError, match="needs its text"):
        require_publishable(store, Terms(licence="other"), [])
    (root / "LICENSE").write_text("ours")
    require_publishable(store, Terms(licence="other"), [])
    add_notes(root, [Note(store.rows()[0].episode_id, "mask", True, "test")])
    with pytest.raises(UsageError, match=r"1 episodes .* lie in the trash"):
        require_publishable(store, TERMS, [])
    newer = shutil.copytree(root, tmp_path / "newer")
    info = json.loads((newer / "meta/info.json").read_text())
    (newer / "meta/info.json").write_text(json.dumps({**info, "codebase_version": "v3.1"}))
    with pytest.raises(UsageError, match=r"is of LeRobot v3\.1"):
        require_publishable(Store.open(newer), TERMS, [])
