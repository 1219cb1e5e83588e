"""A checkpoint on its way to the Hub: what goes along, what is refused, what others lose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from curation.errors import UsageError
from curation.hub.checkpoint import (
    checkpoint_contents,
    checkpoint_root,
    intend,
    past_of,
    published_before,
    remember,
)
from curation.hub.publish import Published, publish
from tests.hub.conftest import Ours
from tests.hub.repository import Entry

NAMES = (
    "policy_preprocessor.json", "policy_preprocessor_step_3_normalizer_processor.safetensors", "studio.json",
    "train_config.json", "LICENSE", "encoder/config.json", "classifier.json",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As LeRobot writes it, with folders of a disk in its settings."""
    root = tmp_path / "home/me/runs/a/checkpoints/000010/pretrained_model"
    root.mkdir(parents=True)
    (root / "config.json").write_text(json.dumps({"type": "act", "pretrained_path": "/home/me/runs/b/model"}))
    (root / "model.safetensors").write_bytes(b"weights" * 100)
    (root / "encoder").mkdir()
    for name in NAMES:
        (root / name).write_text("{}")
    told = {"dataset": {"root": "/home/me/data/pos2", "episodes": None}, "output_dir": r"C:\Users\me\runs", "lr": 0.1}
    (root / "train_config.json").write_text(json.dumps(told))
    (root / "studio.json").write_text(
        json.dumps({"dataset": {"path": str(Path.home() / "x")}, "why": f"in {Path.home()}/y"})
    )
    return root


def send(ours: Ours, root: Path, *, replace: bool = False, killed: bool = False) -> Published:
    """What the command does, without the time it takes to start."""
    hub = ours.repo("alice/act", kind="model")
    contents = checkpoint_contents(root, hub.repo, "mit")
    done = publish(
        hub, contents, private=True, message="one", tagged=False, ours=published_before(root, hub.repo).__contains__,
        past=None if replace else past_of(root, hub.repo), before=lambda mark: intend(root, hub.repo, mark),
    )  # fmt: skip
    if not killed:
        remember(root, done, contents.keys())
    return done


def there(ours: Ours) -> set[str]:
    repo = ours.server.repos[("model", "alice/act")]
    return set(repo.files(repo.resolve("main"))) - {".gitattributes"}


def text(root: Path, name: str) -> str:
    content = checkpoint_contents(root, "alice/act", "mit")[name]
    return content.decode() if isinstance(content, bytes) else content.read_text()


def test_no_folder_of_a_disk_goes_along(folder: Path) -> None:
    assert checkpoint_root(folder.parent) == folder
    contents = checkpoint_contents(folder, "alice/act", "mit")
    assert set(contents) == {*NAMES, "config.json", "model.safetensors", "README.md"}
    for name, content in contents.items():
        data = content if isinstance(content, bytes) else content.read_bytes()
        assert b"/me" not in data, name
        assert b"Users" not in data, name
        assert str(Path.home()).encode() not in data, name
    told = json.loads(text(folder, "train_config.json"))
    assert told == {"dataset": {"root": "pos2", "episodes": None}, "output_dir": "runs", "lr": 0.1}
    assert json.loads(text(folder, "studio.json"))["why"] == "in ~/y"
    assert json.loads((folder / "config.json").read_text())["pretrained_path"] == "/home/me/runs/b/model"


@pytest.mark.parametrize("name", [".env", "notes.txt", "optimizer_state.safetensors", "token.json"])
def test_what_lerobot_did_not_write_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).write_text("{}")
    with pytest.raises(UsageError, match=name):
        checkpoint_contents(folder, "alice/act", "mit")


def test_links_and_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (folder / "README.md").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match=r"README\.md"):
        checkpoint_contents(folder, "alice/act", "mit")
    (folder / "README.md").unlink()
    (folder / "more").mkdir()
    (folder / "more/config.json").write_text("{}")
    with pytest.raises(UsageError, match=r"more/config\.json"):
        checkpoint_contents(folder, "alice/act", "mit")


def test_the_licence_that_was_asked_for_is_the_one_on_the_card(folder: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: apache-2.0\ntags: [mine]\n---\n# Ours\n\nBy hand.\n")
    front = yaml.safe_load(text(folder, "README.md").split("---")[1])
    assert (front["license"], front["tags"]) == ("mit", ["mine"])
    assert text(folder, "README.md").endswith("# Ours\n\nBy hand.\n")
    (folder / "README.md").write_text("Words alone.\n")
    assert yaml.safe_load(text(folder, "README.md").split("---")[1])["license"] == "mit"
    (folder / "README.md").write_text("---\ntags: [unclosed\n---\n")
    with pytest.raises(UsageError, match="YAML"):
        checkpoint_contents(folder, "alice/act", "mit")


def test_only_what_was_put_there_from_here_is_taken_away(hub: Ours, folder: Path) -> None:
    send(hub, folder)
    repo = hub.server.repos[("model", "alice/act")]
    head = repo.resolve("main")
    files = {**repo.files(head), "video.mp4": Entry(repo.put("blob", b"film"), 4)}
    repo.add_commit("refs/heads/main", files, "by hand", "", "alice", [head])
    (folder / "LICENSE").unlink()
    with pytest.raises(UsageError, match="was not made from that"):
        send(hub, folder)
    done = send(hub, folder, replace=True)
    assert (done.difference.deleted, done.difference.kept) == (("LICENSE",), ("video.mp4",))
    assert "video.mp4" in there(hub)
    # Now it is known again, also if nothing could be written down after the commit.
    (folder / "model.safetensors").write_bytes(b"better" * 100)
    send(hub, folder, killed=True)
    (folder / "model.safetensors").write_bytes(b"best" * 100)
    assert send(hub, folder).difference.changed == ("model.safetensors",)
