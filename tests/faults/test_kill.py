"""kill -9 at any moment: what was reported saved is there, what was reported kept is there after the next start.

A session is recorded in several runs, each killed at a chosen moment, each asked for two episodes more than the last;
the final one is let finish. Moments are found from outside: by the clock, by what is said, and by which file appears.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from curation.store import Store
from recorders.journal import read_journal
from tests.faults.harness import (
    SMALL,
    Promised,
    Run,
    attempts,
    check_with_lerobot,
    check_with_store,
    counted,
    ended,
    saved_ids,
    studio,
    takes,
)

# Its own warnings are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

COMMIT = {
    "videos": "videos/*.wrist_cam/*/*.mp4",
    "sidecar": "meta/studio/frames/*.parquet",
    "histograms": "meta/studio/histograms/*.npz",
    "data": "data/*/*.parquet",
    "episodes": "meta/episodes/*/*.parquet",
    "aside": "meta/episodes/*/*.aside",
    "info": "meta/info.json.*.aside",
}
"""Moments of a commit: the first new file that matches."""
RECORD = ("starting", "mid take", "after a kept take", "drawing", *(f"commit: {name}" for name in COMMIT), "saved")


@dataclass(frozen=True)
class Point:
    """A moment to be killed at.

    Attributes:
        phase: one of `RECORD`.
        delay: seconds after it is seen.
        parent_only: kill the command, not its group.
    """

    phase: str
    delay: float
    parent_only: bool = False


def points(rng: random.Random, phases: Sequence[str]) -> list[Point]:
    longest = {"starting": 1.5, "mid take": 0.9, "drawing": 0.1, "saved": 0.05, "after a kept take": 0.02}
    return [Point(phase, rng.uniform(0, longest.get(phase, 0.004)), parent_only=rng.random() < 0.3) for phase in phases]


def kill_at(run: Run, root: Path, point: Point) -> bool:
    """Wait for the moment and kill; False if the run was over before."""
    started = {path.name for path in takes(root)}
    lines = len(run.err)
    seen: Callable[[], object]
    if point.phase == "starting":
        seen = lambda: True  # noqa: E731
    elif point.phase == "mid take":
        seen = lambda: any(path.name not in started and path.stat().st_size > 1000 for path in takes(root))  # noqa: E731
    elif point.phase == "after a kept take":
        seen = lambda: any(", kept (" in line for line in run.err[lines:])  # noqa: E731
    elif point.phase == "saved":
        seen = lambda: any("saved episode" in line for line in run.err[lines:])  # noqa: E731
    elif point.phase == "drawing":
        seen = lambda: any(root.glob("meta/studio/staging/*/*.mp4"))  # noqa: E731
    else:
        pattern = COMMIT[point.phase.removeprefix("commit: ")]
        before = set(root.glob(pattern))
        seen = lambda: set(root.glob(pattern)) - before  # noqa: E731
    if point.phase.startswith("commit"):
        # A commit takes a few milliseconds: look closely once there is something to commit.
        run.until(lambda: seen() or any(root.glob("meta/studio/staging/*/episode.json")))
    if not run.until(seen, poll=0.0 if point.phase.startswith("commit") else 0.0005):
        run.wait()
        return False
    time.sleep(point.delay)
    if not run.running:
        run.wait()
        return False
    run.kill(parent_only=point.parent_only)
    return True


def phase_hit(root: Path, before: set[str]) -> str:
    """What the kill really fell into, told by the files it left."""
    number = counted(root)
    if not (root / "meta/info.json").exists():
        return "create"
    beyond = [name for name in COMMIT if name not in ("aside", "info") and len(list(root.glob(COMMIT[name]))) > number]
    if beyond:
        return f"commit, after {beyond[-1]}"
    if any(root.rglob("*.aside")):
        return "commit, aside"
    journals = takes(root)
    if unfinished(root) - before:
        return "mid take"
    if any(root.glob("meta/studio/staging/*/*")):
        return "drawing"
    return "between takes, kept ones waiting" if {path.stem for path in journals} - before else "between takes"


def unfinished(root: Path) -> set[str]:
    """Takes that have not ended, by their journals."""
    return {path.stem for path in takes(root) if not ended(path)}


class Chain:
    """One dataset through several kills."""

    def __init__(self, root: Path, lerobot: ModuleType, command: Sequence[object]) -> None:
        self.root, self.lerobot, self.command = root, lerobot, command
        self.promised = Promised()
        self.asked = 0
        self.hit: Counter[str] = Counter()

    def start(self, more: int) -> Run:
        self.asked += more
        resume = ["--resume"] if (self.root / "meta/info.json").exists() else []
        return Run(*self.command, "-n", self.asked, "--to", self.root, *SMALL, *resume)

    def kill(self, point: Point) -> bool:
        before = unfinished(self.root)
        run = self.start(2)
        if not kill_at(run, self.root, point):
            self.finished(run, before)
            return False
        where = phase_hit(self.root, before)
        self.hit[where] += 1
        self.promised.hear(run.err, self.root)
        self.heard_offer(run, before)
        self.promised.must_hold(self.root)
        check_with_lerobot(self.lerobot, self.root)
        if (self.root / "meta/info.json").exists():
            check_with_store(self.root)
            self.promised.must_hold(self.root)
        print(
            f"  {point.phase}{' (parent only)' if point.parent_only else ''}: hit {where}; {self.state()}", flush=True
        )
        return True

    def heard_offer(self, run: Run, waiting: set[str]) -> None:
        """Unfinished takes are offered by the next start, before it goes on."""
        said = [
            found for line in run.err if (found := re.match(r"(\d+) unfinished takes? waits?: studio recover", line))
        ]
        if waiting and any(line.startswith("take ") for line in run.err):
            assert [int(found[1]) for found in said] == [len(waiting)], run.err

    def finish(self) -> None:
        before = unfinished(self.root)
        self.finished(self.start(2), before)

    def finished(self, run: Run, before: set[str]) -> None:
        """A run that was let end reached the asked total, with every take ever reported kept."""
        done = run.wait()
        assert done.well, done
        self.promised.hear(done.err, self.root)
        self.heard_offer(run, before)
        self.promised.must_hold(self.root)
        ids = saved_ids(self.root)
        assert len(ids) == len(set(ids)) == self.asked
        assert set(self.promised.kept.values()) <= set(ids)
        assert len({line["attempt"] for line in attempts(self.root)}) == len(attempts(self.root))
        assert unfinished(self.root) == before == {path.stem for path in takes(self.root)}
        print(f"  finished; {self.state()}", flush=True)

    def settle(self, how: str) -> None:
        """`recover` makes episodes of the unfinished takes, or puts them away."""
        waiting = {path.stem: read_journal(path, up_to_damage=True) for path in takes(self.root) if path.stat().st_size}
        headless = [path for path in takes(self.root) if not path.stat().st_size]
        had = saved_ids(self.root)
        done = studio("recover", self.root, how)
        assert done.well, done
        assert takes(self.root) == []
        whole = {name for name, take in waiting.items() if len(take)} if how == "--keep" else set()
        ids = saved_ids(self.root)
        assert ids[: len(had)] == had
        assert set(ids[len(had) :]) == whole
        away = {path.stem for path in (self.root / "meta/studio/trash").glob("*.jsonl")}
        assert set(waiting) - whole | {path.stem for path in headless} <= away
        store = check_with_store(self.root)
        for name in whole:
            assert store.episode(name).length == len(waiting[name])
        check_with_lerobot(self.lerobot, self.root)
        print(
            f"  recover {how}: {len(whole)} of {len(waiting) + len(headless)} made episodes; {self.state()}", flush=True
        )

    def state(self) -> str:
        return f"{counted(self.root)} saved, {len(takes(self.root))} journals, {len(self.promised.kept)} reported kept"


def chain(root: Path, lerobot: ModuleType, command: Sequence[object], moments: Sequence[Point]) -> Chain:
    """Kill at each moment, then finish and settle what was offered."""
    print(f"\n{' '.join(map(str, command))} in {root.name}")
    recording = Chain(root, lerobot, command)
    for point in moments:
        recording.kill(point)
    recording.finish()
    return recording


def told(hit: Counter[str]) -> None:
    print(
        f"\n{sum(hit.values())} kills: " + "; ".join(f"{name} {count}" for name, count in sorted(hit.items())),
        flush=True,
    )


SHORT = ("--keep", "all", "--limit", 0.7)


def test_record_and_generate_killed(tmp_path: Path, lerobot: ModuleType) -> None:
    moments = [Point("mid take", 0.3), Point("commit: data", 0.0, parent_only=True), Point("drawing", 0.02)]
    recording = chain(tmp_path / "record", lerobot, ("record", *SHORT), moments)
    recording.settle("--keep")
    generating = chain(
        tmp_path / "generate", lerobot, ("generate", *SHORT), points(random.Random(0), ["commit: episodes", "drawing"])
    )
    hit = recording.hit + generating.hit
    told(hit)
    assert sum(hit.values()) == 5
    assert len(hit) >= 3
    assert unfinished(generating.root) == set()
    same_as_uninterrupted(generating, tmp_path / "whole")


def same_as_uninterrupted(generating: Chain, root: Path) -> None:
    """What was generated does not depend on how often it was killed."""
    done = studio(*generating.command, "-n", generating.asked, "--to", root, *SMALL)
    assert done.code == 0, done.err
    killed, whole = Store.open(generating.root), Store.open(root)
    for a, b in zip(killed.episodes, whole.episodes, strict=True):
        assert (a.row.seed, a.row.x, a.row.y, a.row.yaw_deg) == (b.row.seed, b.row.x, b.row.y, b.row.yaw_deg)
        assert np.array_equal(killed.numeric(a.index)["action"], whole.numeric(b.index)["action"])
    logged = [
        [(line["attempt"], line["seed"], line["outcome"]) for line in attempts(path)]
        for path in (generating.root, root)
    ]
    assert logged[0] == logged[1]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_kills(tmp_path: Path, lerobot: ModuleType) -> None:
    rng = random.Random(20)
    record = [*points(rng, [*RECORD] * 3), *points(rng, ["mid take"] * 4)]
    rng.shuffle(record)
    made = points(rng, [p for p in RECORD if p not in ("mid take", "after a kept take")] + ["drawing", "starting"] * 2)
    hit: Counter[str] = Counter()
    number = 0
    while record:
        # One chain in four drives whole takes of five seconds, the others stop them early.
        command = ("record",) if number % 4 == 3 else ("record", *SHORT)
        recording = chain(tmp_path / f"record{number}", lerobot, command, record[:5])
        recording.settle("--keep" if number % 2 else "--discard")
        hit += recording.hit
        number, record = number + 1, record[5:]
        if not record and sum(hit.values()) < 52 - len(made):  # some moments were over before they were seen
            record = points(rng, rng.choices(RECORD, k=50 - len(made) - sum(hit.values()) + 2))
    for number, moments in enumerate((made[:7], made[7:])):
        generating = chain(tmp_path / f"generate{number}", lerobot, ("generate", *SHORT), moments)
        same_as_uninterrupted(generating, tmp_path / f"whole{number}")
        hit += generating.hit
    told(hit)
    assert sum(hit.values()) >= 50
    assert {"create", "mid take", "drawing"} <= set(hit)
    assert sum(name.startswith("commit") for name in hit) >= 3
