"""The user's flow: sessions, merges, gaps, another gripper range, a filter, statistics; every frame traced back."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.fingerprint import file_hash, fingerprint
from curation.origins import origin_of
from curation.provenance import read_provenance
from curation.store import Store
from tests.end_to_end.commands import BIN, Commands
from tests.end_to_end.test_targets import GAPS, written
from tests.hub.conftest import TOKEN, Ours
from tests.hub.server import Fault, HubServer

PLACES = ((0.337, -0.015), (0.217, 0.225))


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    sessions: int
    episodes: int
    gaps: int
    size: tuple[str, ...] = ()


SMALL = Scale(sessions=1, episodes=2, gaps=2, size=("--width", "64", "--height", "48"))
WHOLE = Scale(sessions=5, episodes=20, gaps=20)


@dataclass(frozen=True)
class Flow:
    """What was recorded and made."""

    commands: Commands
    raw: tuple[str, ...]
    scale: Scale

    def open(self, name: str) -> Store:
        return Store.open(self.commands.home / name)


def record(commands: Commands, scale: Scale) -> Flow:
    """Sessions at both places and at gap positions, merged as they came."""
    raw: list[str] = []
    merged = ""
    for place, (x, y) in enumerate(PLACES):
        names = [f"place{place}-session{session}" for session in range(scale.sessions)]
        for session, name in enumerate(names):
            commands.studio(
                "generate", "--episodes", str(scale.episodes), "--at", str(x), str(y), "--jitter", "0.01",
                "--seed", str(100 * place + session), "--to", name, *scale.size,
            )  # fmt: skip
        together = f"upto{place}"
        # Merged of merged: the second time the first result is a source.
        commands.studio("merge", *([merged] if merged else []), *names, "--to", together, "-y")
        merged, raw = together, raw + names
    targets = written(commands.home / "gaps.json", [(x, y, 0) for x, y, _ in GAPS[: scale.gaps]])
    commands.studio("generate", "--targets", str(targets), "--to", "gaps", *scale.size)
    commands.studio("merge", merged, "gaps", "--to", "all", "-y")
    return Flow(commands, (*raw, "gaps"), scale)


def check_origins(flow: Flow, name: str, *, numbers: bool) -> None:
    """Each episode has its own video: that of the very take that provenance leads back to."""
    sources = {
        row.episode_id: (store, store.episode(row.episode_id))
        for store in map(flow.open, flow.raw)
        for row in store.rows()
    }
    store = flow.open(name)
    story = read_provenance(store.root)
    seen = set()
    for episode in store.episodes:
        origin, start = origin_of(story, episode.row.episode_id)
        source, taken = sources[origin]
        assert start == 0
        assert origin not in seen
        seen.add(origin)
        for camera, path in episode.videos.items():
            assert file_hash(path) == file_hash(taken.videos[camera])
        have, want = store.numeric(episode.index), source.numeric(taken.index)
        if numbers:
            assert all(have[key].tobytes() == want[key].tobytes() for key in want)
        assert (episode.row.x, episode.row.y, episode.row.outcome) == (taken.row.x, taken.row.y, taken.row.outcome)


def curate(flow: Flow) -> None:
    """Gripper, filter, statistics, checks, on what was merged."""
    commands = flow.commands
    commands.studio("gripper", "all", "0..100:0..1", "--to", "pi0", "-y")
    before, after = flow.open("all"), flow.open("pi0")
    for index in (0, before.total_episodes - 1):
        old, new = before.numeric(index), after.numeric(index)
        for key in ("action", "observation.state"):
            np.testing.assert_allclose(new[key][:, 5], old[key][:, 5] / 100, rtol=1e-6)
            assert np.array_equal(new[key][:, :5], old[key][:, :5])
    check_origins(flow, "pi0", numbers=False)
    told = json.loads(
        commands.studio(
            "filter", "pi0", "--where", "success", "--farther-than", "0.07", "--from", *flow.raw[:-1],
            "--controls", "random", "--to", "far", "-y", "--json",
        ).out
    )  # fmt: skip
    far, control = (Store.open(Path(result["dataset"])) for result in told)
    assert far.total_episodes == control.total_episodes > 0
    places = np.array([(row.x, row.y) for name in flow.raw[:-1] for row in flow.open(name).rows()])
    for row in far.rows():
        assert row.success
        assert np.hypot(*(places - (row.x, row.y)).T).min() >= 0.07
    check_origins(flow, "far", numbers=False)
    commands.studio("stats", "far", "--verify")
    commands.studio("check", "far", "--no-doctor")
    # Statistics that somebody broke are found and mended, and nothing else changes.
    mark, path = fingerprint(far.root), far.root / "meta/stats.json"
    stats = json.loads(path.read_bytes())
    stats["action"]["max"][5] = 97.0
    path.write_text(json.dumps(stats))
    assert "action" in commands.studio("stats", "far", "--verify", code=3).out
    assert "stats" in commands.studio("check", "far", "--no-doctor", code=3).out
    commands.studio("stats", "far", "--repair")
    commands.studio("stats", "far", "--verify")
    assert fingerprint(far.root) == mark


def publish(flow: Flow, server: HubServer) -> None:
    """Publish the filtered set, with wrong statistics, interrupted; mend, publish again, and read it elsewhere."""
    commands, root = flow.commands, flow.open("far").root
    words = ("publish", "far", "--to", "alice/far", "--licence", "cc-by-4.0", "--json")
    path = root / "meta/stats.json"
    good = path.read_bytes()
    path.write_bytes(good.replace(b'"std"', b'"old"', 1))
    server.faults.append(Fault("POST", "/commit/", 500, times=99))
    assert "Run the same command again" in commands.studio(*words, "--force", code=1).err
    server.faults.clear()
    first = json.loads(commands.studio(*words, "--force").out)
    path.write_bytes(good)
    second = json.loads(commands.studio(*words).out)
    assert "meta/stats.json" in second["difference"]["changed"]
    assert not [name for name in second["difference"]["changed"] if name.startswith(("data/", "videos/"))]
    assert (first["release"], second["release"]) == ("v3.0.1", "v3.0.2")
    read = lerobot_reads(commands, "alice/far", commands.home / "elsewhere")
    assert read == {"frames": flow.open("far").total_frames, "revision": second["commit"], "std": True}
    # Somebody else publishes in between: told, and nothing is overwritten.
    repo = server.repos[("dataset", "alice/far")]
    server.faults.append(Fault("POST", "/preupload/", mode="slow", delay=4.0))
    path.write_bytes(good + b"\n")
    child = subprocess.Popen(
        [BIN / "studio", *words], env=commands.surroundings, cwd=commands.home, stderr=subprocess.PIPE
    )
    while server.faults[0].times:
        assert child.poll() is None
        time.sleep(0.05)
    repo.add_commit("refs/heads/main", repo.files(second["commit"]), "somebody else", "", "alice", [second["commit"]])
    _, said = child.communicate(timeout=120)
    assert child.returncode == 1
    assert b"was changed on the Hub meanwhile" in said
    path.write_bytes(good)


def lerobot_reads(commands: Commands, repo: str, cache: Path) -> dict[str, Any]:
    """What LeRobot finds in a new process with an empty cache, every episode's last image decoded."""
    cache.mkdir()
    code = (
        "import json, sys, warnings; warnings.simplefilter('ignore')\n"
        "from lerobot.datasets import LeRobotDataset\n"
        f"d = LeRobotDataset({repo!r}, video_backend='pyav')\n"
        "for e in d.meta.episodes: d[e['dataset_to_index'] - 1]\n"
        "print(json.dumps({'frames': len(d), 'revision': d.root.name, 'std': 'std' in d.meta.stats['action']}))"
    )
    surroundings = {**commands.surroundings, "HF_LEROBOT_HOME": str(cache), "HF_HOME": str(cache / "hf")}
    done = subprocess.run(
        [BIN / "python", "-c", code], env=surroundings, capture_output=True, encoding="utf-8", timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(tmp_path / "hub") as made:
        made.add_user("alice", TOKEN)
        yield made


def test_the_users_flow_in_small(tmp_path: Path, server: HubServer) -> None:
    flow = record(Ours(server, []).commands(tmp_path), SMALL)
    assert flow.open("all").total_episodes == 6
    check_origins(flow, "all", numbers=True)
    curate(flow)
    publish(flow, server)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_users_flow(tmp_path: Path, server: HubServer) -> None:
    flow = record(Ours(server, []).commands(tmp_path), WHOLE)
    assert [flow.open(name).total_episodes for name in ("upto0", "upto1", "all")] == [100, 200, 220]
    check_origins(flow, "all", numbers=True)
    curate(flow)
    publish(flow, server)
