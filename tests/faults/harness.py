"""Start `studio` for real, watch it from outside, kill it, and look at what it left."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from curation.errors import BrokenJournal
from curation.frames import JOINTS
from curation.store import Store
from curation.video import count_frames
from recorders.journal import read_journal
from recorders.sidecar import read_sidecar

ROOT = Path(__file__).parents[2]
SMALL = ("--width", "64", "--height", "48")
ALL = ("--keep", "all", "--limit", 0.6)
FAILED, USAGE, BAD_DATA, INTERRUPTED = 1, 2, 3, 130
"""Exit codes, as people may rely on them."""
CAMERAS = ("observation.images.overhead_cam", "observation.images.wrist_cam")
PROGRESS = re.compile(
    r"take \d+: |saved episode \d+$|\d+ unfinished takes? waits?: studio recover |drawn \d+ of \d+$"
    r"|scene \w+ became \w+$|.* already holds \d+ episodes\.$"
)


@dataclass
class Said:
    """What a finished command said.

    Attributes:
        code: exit code.
        out, err: lines.
    """

    code: int
    out: list[str]
    err: list[str]

    @property
    def well(self) -> bool:
        """It did what was asked, and had nothing to complain about."""
        return self.code == 0 and not self.complaints

    @property
    def complaints(self) -> list[str]:
        """Lines of stderr that are not progress."""
        return [line for line in self.err if line and not PROGRESS.match(line)]

    def refuses(self, code: int, *words: str) -> str:
        """One clear line with these words, this exit code, no traceback. Returns the line."""
        everything = "\n".join([f"exit code {self.code}", *self.out, "--", *self.err])
        assert "Traceback" not in everything, everything
        assert "fault of ours" not in everything, everything
        assert self.code == code, everything
        assert len(self.complaints) == 1, everything
        line = self.complaints[0]
        assert line.startswith("studio "), everything
        for word in words:
            assert word in line, f"{word!r} is not in: {line}"
        return line


Here = Callable[..., Said]
"""Runs a command in this process, for those that refuse before they start others."""


class Run:
    """A running `studio` in a process group of its own."""

    def __init__(self, *arguments: object, cwd: Path | None = None) -> None:
        command = [sys.executable, "-m", "studio.cli", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "0"}
        self.process = subprocess.Popen(
            command, cwd=cwd or ROOT, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.err: list[str] = []
        self.out: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(self.process.stderr, self.err)),
            threading.Thread(target=self._read, args=(self.process.stdout, self.out)),
        ]
        for reader in self._readers:
            reader.start()

    @staticmethod
    def _read(stream: Any, lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def until(self, condition: Callable[[], Any], *, limit: float = 120.0, poll: float = 0.0005) -> bool:
        """Wait for a condition; False if the command ended first."""
        end = time.monotonic() + limit
        while not condition():
            if not self.running:
                return bool(condition())
            assert time.monotonic() < end, "\n".join(["waited in vain", *self.err])
            time.sleep(poll)
        return True

    def said(self, pattern: str) -> bool:
        return any(re.search(pattern, line) for line in list(self.err))

    def signal(self, number: int) -> None:
        """To the whole group, as a terminal does."""
        os.killpg(self.process.pid, number)

    def kill(self, *, parent_only: bool = False) -> None:
        """kill -9 of the group; or of the command itself, after which its children must end too."""
        if parent_only:
            self.process.kill()
        else:
            self.signal(signal.SIGKILL)
        self.process.wait()
        end = time.monotonic() + 20
        with suppress(ProcessLookupError):
            while True:
                os.killpg(self.process.pid, 0)
                if time.monotonic() > end:
                    self.signal(signal.SIGKILL)
                    raise AssertionError("its children are still there without it")
                time.sleep(0.01)
        self.wait()

    def wait(self, limit: float = 240.0) -> Said:
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            raise AssertionError("\n".join(["it hangs", *self.err])) from None
        for reader in self._readers:
            reader.join(20)
            assert not reader.is_alive(), "a child outlived the command"
        return Said(code, self.out, self.err)


def studio(*arguments: object) -> Said:
    """Run a command to its end."""
    return Run(*arguments).wait()


def takes(root: Path) -> list[Path]:
    return sorted((root / "meta/studio/takes").glob("*.jsonl"))


def ended(path: Path) -> bool:
    """Whether a take has its footer; a kill can come before its header."""
    try:
        return read_journal(path, up_to_damage=True).footer is not None
    except BrokenJournal:
        return False


def attempts(root: Path) -> list[dict[str, Any]]:
    path = root / "meta/studio/attempts.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def counted(root: Path) -> int:
    try:
        return int(json.loads((root / "meta/info.json").read_bytes())["total_episodes"])
    except FileNotFoundError:
        return 0


@dataclass
class Promised:
    """What a recording has said so far, over all its starts.

    Attributes:
        kept: attempt -> episode id, of takes reported kept.
        saved: indices of episodes reported saved.
        ids: index -> episode id, of every episode seen so far; it never changes.
    """

    kept: dict[int, str] = field(default_factory=dict)
    saved: set[int] = field(default_factory=set)
    ids: dict[int, str] = field(default_factory=dict)

    def hear(self, lines: list[str], root: Path) -> None:
        """Take a command's words literally."""
        logged = {line["attempt"]: line["episode_id"] for line in attempts(root) if line["kept"]}
        for line in lines:
            if found := re.match(r"take (\d+): .*, kept \(", line):
                self.kept[int(found[1])] = logged[int(found[1])]
            if found := re.search(r"saved episode (\d+)", line):
                self.saved.add(int(found[1]))

    def must_hold(self, root: Path) -> None:
        """Right after a kill, before anything else is started: on disk and promised are the same."""
        assert counted(root) > max(self.saved, default=-1)
        saved = saved_ids(root)
        for index, episode_id in self.ids.items():
            assert saved[index] == episode_id, f"episode {index} has become another one"
        self.ids = dict(enumerate(saved))
        for attempt, episode_id in self.kept.items():
            if episode_id not in saved:
                take = read_journal(root / f"meta/studio/takes/{episode_id}.jsonl")
                assert take.footer is not None, f"take {attempt} is lost"
                assert take.footer["kept"] * len(take), f"take {attempt} is lost"


def saved_ids(root: Path) -> list[str]:
    """Ids of the counted episodes, read past `Store`, which would tidy up."""
    import pyarrow.parquet as pq

    rows = []
    for path in sorted(root.glob("meta/episodes/*/*.parquet")):
        with path.open("rb") as file:
            rows += pq.read_table(file, columns=["episode_index", "studio/episode_id"]).to_pylist()
    ordered = sorted(rows, key=lambda row: row["episode_index"])
    return [row["studio/episode_id"] for row in ordered][: counted(root)]


def check_with_lerobot(lerobot: Any, root: Path) -> int:
    """Plain LeRobot loads every counted episode and decodes every frame; returns how many frames."""
    if not counted(root):
        return 0
    dataset = lerobot.LeRobotDataset("studio/faults", root=root, video_backend="pyav")
    lengths = list(dataset.meta.episodes["length"])[: counted(root)]
    assert dataset.num_episodes == counted(root)
    assert len(dataset) == sum(lengths)
    seen = 0
    for episode, length in enumerate(lengths):
        for frame in range(length):
            item = dataset[seen]
            assert (int(item["episode_index"]), int(item["frame_index"])) == (episode, frame)
            assert item["action"].shape == (len(JOINTS),)
            assert bool(item["action"].isfinite().all())
            assert all(item[camera].shape == (3, 48, 64) and float(item[camera].std()) > 0.02 for camera in CAMERAS)
            seen += 1
    assert seen == json.loads((root / "meta/info.json").read_bytes())["total_frames"]
    return seen


def check_with_store(root: Path) -> Store:
    """Counts, rows, lengths, videos, physics and statistics agree; nothing stray is left."""
    store = Store.open(root, writing=True)  # nobody else is: what the kill left is cleared up
    start = 0
    for episode in store.episodes:
        columns = store.numeric(episode.index)
        take = read_sidecar(episode.frames)
        assert take.header["episode_id"] == episode.row.episode_id
        assert episode.start == start
        assert len(take) == episode.length == len(columns["action"])
        assert np.array_equal(columns["action"], take.action.astype(np.float32))
        assert np.array_equal(columns["observation.state"], take.state.astype(np.float32))
        for camera, path in episode.videos.items():
            assert count_frames(path) == episode.length, camera
        start += episode.length
    assert store.total_frames == start
    stats = root / "meta/stats.json"
    if store.episodes:
        found = json.loads(stats.read_bytes())
        assert all(value["count"] == [start] for key, value in found.items() if key in ("action", "index", "timestamp"))
        actions = np.concatenate([store.numeric(index)["action"] for index in range(store.total_episodes)])
        assert np.allclose(found["action"]["mean"], actions.mean(0), atol=1e-3)
        assert np.allclose(found["action"]["max"], actions.max(0), atol=1e-4)
    number = store.total_episodes
    assert not [path for path in root.rglob("*.aside") if "staging" not in path.parts]  # a session clears that one
    for pattern, each in (("data/*/*", 1), ("meta/episodes/*/*", 1), ("videos/*/*/*", 2), ("meta/studio/frames/*", 1)):
        assert len(list(root.glob(pattern))) == number * each, pattern
    return store


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A file system of its own, so that it can be full or read-only even for root; yields a way to remount it."""
    folder.mkdir(parents=True)
    sudo = [] if os.getuid() == 0 else ["sudo", "-n"]

    def remount(options: str) -> None:
        subprocess.run([*sudo, "mount", "-o", f"remount,{options}", folder], check=True, capture_output=True)

    options = f"size={size},uid={os.getuid()},mode=0755"
    subprocess.run([*sudo, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True, capture_output=True)
    try:
        yield remount
    finally:
        subprocess.run([*sudo, "umount", "-l", folder], check=True, capture_output=True)


def can_mount() -> str:
    """Why no file system can be mounted here; empty if one can."""
    import tempfile

    try:
        with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder) / "disk", "64k"):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", b"") or b""
        return f"cannot mount a tmpfs: {error} {told.decode(errors='replace').strip()}"
