"""studio publish and studio pull against a Hub, over LFS and over Xet, and LeRobot as the reader on the other side."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from curation.fingerprint import fingerprint
from curation.notes import Note, add_notes
from curation.store import Store
from tests.curation.making import make_ours
from tests.end_to_end.commands import BIN, Commands
from tests.hub.conftest import READER, TOKEN, Ours
from tests.hub.server import Fault

READ = """
import json, sys, warnings
warnings.simplefilter("ignore")
from lerobot.datasets import LeRobotDataset
d = LeRobotDataset("alice/set", video_backend="pyav")
last = d[len(d) - 1]
print(json.dumps({"frames": len(d), "rows": len(d.hf_dataset), "revision": str(d.root).rpartition("/")[2],
                  "most": float(d.meta.stats["action"]["max"][5]),
                  "shape": list(last["observation.images.wrist_cam"].shape)}))
"""


def read_as_lerobot(commands: Commands, cache: Path) -> dict[str, Any]:
    """What LeRobot finds in a new process with an empty cache."""
    cache.mkdir()
    surroundings = {**commands.surroundings, "HF_LEROBOT_HOME": str(cache), "HF_HOME": str(cache / "hf")}
    done = subprocess.run(
        [BIN / "python", "-c", READ], env=surroundings, capture_output=True, encoding="utf-8", timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def published(commands: Commands, *more: str, code: int = 0) -> dict[str, Any]:
    said = commands.studio("publish", "set", "--to", "alice/set", "--licence", "cc-by-4.0", "--json", *more, code=code)
    return dict(json.loads(said.out)) if code == 0 else {"error": said.err}


def test_from_one_disk_to_another(hub: Ours, tmp_path: Path) -> None:
    mended_between(hub, tmp_path, thorough=False)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["lfs", "xet"])
def test_both_versions_are_read(request: pytest.FixtureRequest, tmp_path: Path, way: str) -> None:
    mended_between(request.getfixturevalue("hub" if way == "lfs" else "xet"), tmp_path, thorough=True)


def test_over_xet(xet: Ours, tmp_path: Path) -> None:
    commands = xet.commands(tmp_path)
    store = make_ours(tmp_path / "set", [20], ["pick"])
    first = published(commands)
    assert not [path for _, path, _ in xet.server.log if "objects/batch" in path]
    commands.studio("pull", "alice/set", "--to", "back")
    assert fingerprint(tmp_path / "back") == fingerprint(store.root)
    # By name it is fetched once, and read like any other.
    for _ in range(2):
        told = commands.studio("inspect", "hf:alice/set").out
    assert "1 episode" in told
    assert (tmp_path / ".hub/alice--set" / first["commit"] / "meta/info.json").is_file()


def mended_between(ours: Ours, tmp_path: Path, *, thorough: bool) -> None:
    """Published with wrong statistics, mended, published again: readers get the new ones, whole."""
    commands = ours.commands(tmp_path)
    store = make_ours(tmp_path / "set", [20, 18, 20], ["pick", "pick", "place"])
    path = store.root / "meta/stats.json"
    good = json.loads(path.read_bytes())
    path.write_text(json.dumps({**good, "action": {**good["action"], "max": [999.0] * 6}}))
    first = published(commands, "--force")
    if thorough:
        known = store.root / "meta/studio/hub.json"
        remembered = known.read_bytes()
        known.unlink()
        assert "checks found" in published(commands, code=3)["error"]
        known.write_bytes(remembered)
        assert read_as_lerobot(commands, tmp_path / "one") == {
            "frames": 58, "rows": 58, "revision": first["commit"], "most": 999.0, "shape": [3, 48, 64]
        }  # fmt: skip

    commands.studio("stats", "set", "--repair")
    second = published(commands)
    assert (second["difference"]["added"], second["difference"]["deleted"]) == ([], [])
    assert set(second["difference"]["changed"]) <= {
        "README.md", "meta/stats.json", "meta/episodes/chunk-000/file-000.parquet"
    }  # fmt: skip
    assert (first["release"], second["release"]) == ("v3.0.1", "v3.0.2")
    read = read_as_lerobot(commands, tmp_path / "two")
    assert (read["revision"], read["frames"], read["rows"]) == (second["commit"], 58, 58)
    assert read["most"] == pytest.approx(good["action"]["max"][5])

    commands.studio("pull", "alice/set", "--to", "back")
    assert fingerprint(tmp_path / "back") == fingerprint(store.root)
    assert Store.open(tmp_path / "back").rows() == store.rows()
    told = json.loads((tmp_path / "back/meta/studio/hub.json").read_text())
    assert (told["repo"], told["commit"]) == ("alice/set", second["commit"])
    # By its name on the Hub it is pulled once; LeRobot's tag may move, what was pulled does not.
    assert json.loads(commands.studio("inspect", "hf:alice/set", "--json").out)["total_episodes"] == 3
    kept = tmp_path / ".hub/alice--set" / second["commit"]
    assert fingerprint(kept) == fingerprint(store.root)
    if not thorough:
        return
    # What is made of it says where it came from, and an old release can still be had.
    commands.studio("relabel", "back", "put it away", "--to", "next", "-y")
    assert f"from alice/set@{second['commit'][:8]}" in commands.studio("log", "next").out
    commands.studio("pull", "alice/set", "--revision", "v3.0.1", "--to", "old")
    assert "999" in (tmp_path / "old/meta/stats.json").read_text()


def test_what_is_refused_before_anything_is_sent(hub: Ours, tmp_path: Path) -> None:
    commands = hub.commands(tmp_path)
    store = make_ours(tmp_path / "set", [20], ["pick"])
    words = ("publish", "set", "--to", "alice/set", "--licence", "mit")
    assert "Unknown licence" in commands.studio(*words[:-2], code=2).err
    assert "may only read" in hub.commands(tmp_path, READER).studio(*words, code=1).err
    add_notes(store.root, [Note(store.rows()[0].episode_id, "mask", True, "test")])
    assert "lie in the trash" in commands.studio(*words, code=2).err
    assert not hub.server.repos
    told = json.loads(commands.studio(
        "publish", "set", "--to", "alice/set", "--licence", "mit", "--with-masked", "--dry-run", "--json"
    ).out)  # fmt: skip
    assert "meta/info.json" in told["added"]
    assert told["head"] is None
    assert "license: mit" in told["card"]
    assert "marked as put away" in told["card"]
    assert not hub.server.repos
    # A look says what would be refused, as a refusal.
    hub.repo().api.create_repo("alice/set", repo_type="dataset", private=False)
    assert "is public" in commands.studio(*words, "--with-masked", "--dry-run", code=2).err


def test_a_killed_publish_goes_on(hub: Ours, tmp_path: Path) -> None:
    kill_and_go_on(hub, tmp_path, r"/commit/", after=0)


@pytest.mark.slow
@pytest.mark.parametrize("after", range(3))
@pytest.mark.parametrize(
    "where", ["repos/create", "/preupload/", "objects/batch", "/_lfs/", "/commit/", "/tag/", "/refs"]
)
def test_publishing_survives_kills(hub: Ours, tmp_path: Path, where: str, after: int) -> None:
    kill_and_go_on(hub, tmp_path, where, after)


def kill_and_go_on(hub: Ours, tmp_path: Path, where: str, after: int) -> None:
    """Kill it while the Hub thinks about a request; the source is untouched and the same command completes it."""
    commands = hub.commands(tmp_path)
    store = make_ours(tmp_path / "set", [20, 18], ["pick", "pick"])
    mark = fingerprint(store.root)
    hub.server.faults.append(Fault("*", where, mode="slow", delay=3.0, skip=after))
    words = [BIN / "studio", "publish", "set", "--to", "alice/set", "--licence", "mit"]
    child = subprocess.Popen(words, env=commands.surroundings, cwd=tmp_path, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while hub.server.faults[0].times and child.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    time.sleep(3.2)
    hub.server.faults.clear()
    assert fingerprint(store.root) == mark
    done = published(commands)
    refs = hub.repo().refs()
    assert refs["main"] == refs["v3.0"] == refs[done["release"]] == done["commit"]
    commands.studio("pull", "alice/set", "--to", "back")
    assert fingerprint(tmp_path / "back") == mark


def test_a_damaged_download_is_found_and_fetched_anew(hub: Ours, tmp_path: Path) -> None:
    commands = hub.commands(tmp_path)
    store = make_ours(tmp_path / "set", [20], ["pick"])
    published(commands)
    objects = [path for path in (hub.server.root / "lfs").rglob("*") if path.is_file()]
    video = next(path for path in objects if b"ftyp" in path.read_bytes()[:16])
    good = video.read_bytes()
    video.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    said = commands.studio("pull", "alice/set", "--to", "back", code=3)
    assert "not what the Hub says" in said.err
    assert not (tmp_path / "back").exists()
    video.write_bytes(good)
    commands.studio("pull", "alice/set", "--to", "back")
    assert fingerprint(tmp_path / "back") == fingerprint(store.root)
    assert "already exists" in commands.studio("pull", "alice/set", "--to", "back", code=2).err
    assert "has no v9" in commands.studio("pull", "alice/set", "--revision", "v9", "--to", "x", code=1).err
    assert "no dataset alice/nothing" in commands.studio("pull", "alice/nothing", "--to", "x", code=1).err


def test_checkpoints_too(hub: Ours, tmp_path: Path) -> None:
    commands = hub.commands(tmp_path)
    folder = tmp_path / "run/checkpoints/000010/pretrained_model"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"type": "act", "chunk_size": 100}))
    (folder / "model.safetensors").write_bytes(b"weights" * 100)
    (folder / "train_config.json").write_text(json.dumps({"dataset": {"repo_id": "alice/set"}, "steps": 10, "seed": 1}))
    words = ("publish", str(folder.parent), "--policy", "--to", "alice/act", "--licence", "apache-2.0", "--json")
    done = json.loads(commands.studio(*words).out)
    assert (done["tag"], done["difference"]["deleted"]) == ("", [])
    repo = hub.server.repos[("model", "alice/act")]
    assert set(repo.files(done["commit"])) == {
        ".gitattributes", "README.md", "config.json", "model.safetensors", "train_config.json"
    }  # fmt: skip
    assert json.loads(commands.studio(*words).out)["commit"] == done["commit"]
    # Somebody else's checkpoint is not replaced unseen.
    other = shutil.copytree(folder, tmp_path / "other", ignore=shutil.ignore_patterns(".*"))
    (other / "model.safetensors").write_bytes(b"others" * 100)
    said = commands.studio("publish", str(other), *words[2:], code=2)
    assert "was not made from that" in said.err
    assert (
        "no model.safetensors"
        in commands.studio("publish", str(tmp_path), "--policy", "--to", "alice/x", "--licence", "mit", code=2).err
    )


def test_the_token_is_nowhere(hub: Ours, tmp_path: Path) -> None:
    commands = hub.commands(tmp_path)
    make_ours(tmp_path / "set", [20], ["pick"])
    said = commands.studio("publish", "set", "--to", "alice/set", "--licence", "mit")
    hub.server.faults.append(Fault("*", "/", 500, times=99, body=f"your token {TOKEN}"))
    words = ("publish", "set", "--to", "alice/set", "--licence", "mit")
    assert TOKEN not in said.out + said.err
    hub.server.faults[0].status = 400
    said = commands.studio(*words, code=1)
    assert TOKEN not in said.out + said.err
    for path in (tmp_path / "set").rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes()
    repo = hub.server.repos[("dataset", "alice/set")]
    for entry in repo.files(repo.resolve("main")).values():
        assert TOKEN.encode() not in repo.get(entry.oid)


@pytest.mark.slow
def test_the_words_on_the_card_load_that_release(hub: Ours, tmp_path: Path) -> None:
    commands = hub.commands(tmp_path)
    store = make_ours(tmp_path / "set", [20], ["pick"])
    first = published(commands)
    commands.studio("pull", "alice/set", "--to", "back")
    card = (tmp_path / "back/README.md").read_text()
    add_notes(store.root, [Note(store.rows()[0].episode_id, "comment", "later", "test")])
    assert published(commands)["release"] == "v3.0.2"
    code = card.split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [BIN / "python", "-W", "ignore", "-c", f"{code}\nprint(dataset.root, len(dataset))"],
        env=commands.surroundings, capture_output=True, encoding="utf-8", timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    folder, frames = done.stdout.split()[-2:]
    assert (Path(folder).name, frames) == (first["commit"], "20")
