"""kill -9 at any moment of an edit: sources keep every byte, the target is absent or whole, the next run clears up."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from curation.fingerprint import file_hashes
from curation.staging import this_host
from curation.store import Store
from studio.cli import run
from tests.curation.making import Truth, make_ours, make_packed, truth_of
from tests.curation.old import make_old
from tests.faults.harness import Run, Said, small_disk, studio

pytestmark = pytest.mark.filterwarnings("ignore")  # LeRobot's own

Content = dict[str, Truth]
"""Of every episode, by its id."""

FAILED = 1
MOMENTS = {
    "building": "*",
    "videos": "videos/*/*/*.mp4",
    "numbers": "data/*/*.parquet",
    "counted": "meta/info.json",
    "proving": "meta/studio/provenance.json",
}
"""Moments of an edit after which it may be killed: what is first seen in the folder that is being built."""
PHASES = ("starting", *MOMENTS, "half the videos", "named")


@dataclass(frozen=True)
class Edit:
    """A command but for its target, its sources, and how many videos it makes."""

    command: tuple[object, ...]
    sources: tuple[Path, ...]
    videos: int


@pytest.fixture(scope="module")
def edits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Edit]:
    """One that copies files, one that takes compressed frames out of files, one that encodes."""
    folder = tmp_path_factory.mktemp("sources")
    one, two = (make_ours(folder / name, [12] * 14, ["pick"] * 14).root for name in ("one", "two"))
    packed = make_packed(folder / "packed", [[8, 10, 12], [9, 8], [14, 16]], ["pick", "place"] * 3 + ["pick"]).root
    return {
        "merge": Edit(("merge", one, two), (one, two), 56),
        "drop": Edit(("drop", packed, "0", "3"), (packed,), 10),
        "trim": Edit(("trim", one, "--frames", 3, 10), (one,), 28),
    }


def killed(edit: Edit, to: Path, phase: str, delay: float) -> bool:
    """Run and kill; False if it was over before."""
    running = Run(*edit.command, "--to", to, "-y")
    partial = to.with_name(f".{to.name}.{this_host()}-{running.process.pid}.partial")
    seen: Callable[[], object]
    if phase == "starting":
        seen = lambda: True  # noqa: E731
    elif phase == "named":
        seen = to.exists
    elif phase == "half the videos":
        seen = lambda: len(list(partial.glob(MOMENTS["videos"]))) > edit.videos // 2  # noqa: E731
    else:
        seen = lambda: any(partial.glob(MOMENTS[phase]))  # noqa: E731
    if not running.until(seen, poll=0.0):
        running.wait()
        return False
    time.sleep(delay)
    if not running.running:
        running.wait()
        return False
    running.kill()
    return True


def hashes(edit: Edit) -> dict[Path, str]:
    return file_hashes(path for root in edit.sources for path in root.rglob("*") if path.is_file())


def require_whole(lerobot: ModuleType, root: Path, expected: Content) -> None:
    """The dataset is what an undisturbed run makes, and LeRobot reads every frame."""
    require_content(root, expected)
    dataset = lerobot.LeRobotDataset("studio/faults", root=root, video_backend="pyav")
    assert len(dataset) == Store.open(root).total_frames
    assert all(int(dataset[index]["index"]) == index for index in range(0, len(dataset), 5))


def require_content(root: Path, expected: Content) -> None:
    """Every number is the expected one, and every image looks like it: x264 does not always give the same images the
    same stream."""
    have = truth_of(Store.open(root))
    assert have.keys() == expected.keys()
    for name, truth in expected.items():
        assert have[name].task == truth.task
        for key, values in truth.numbers.items():
            assert np.array_equal(have[name].numbers[key], values), (name, key)
        for key, images in truth.images.items():
            for image, other in zip(images, have[name].images[key], strict=True):
                assert np.abs(image.astype(int) - other).mean() < 2, (name, key)


def try_to_kill(
    edit: Edit, to: Path, phase: str, delay: float, lerobot: ModuleType, expected: Content, *, opened: bool
) -> str:
    """Kill once, look, run again. Returns what the kill left, "" if it came too late."""
    before = hashes(edit)
    hit = killed(edit, to, phase, delay)
    left = [path for path in to.parent.iterdir() if path.name.endswith(".partial")]
    assert hashes(edit) == before
    where = "named" if to.exists() else "building" if left else "nothing written"
    if to.exists():
        require_whole(lerobot, to, expected)
        assert left == []
        shutil.rmtree(to)
    again = studio(*edit.command, "--to", to, "-y")
    assert again.well, again
    assert [path.name for path in to.parent.iterdir()] == [to.name], "what the kill left must be cleared up"
    if opened:
        require_whole(lerobot, to, expected)
    else:
        require_content(to, expected)
    assert hashes(edit) == before
    shutil.rmtree(to)
    print(f"  {edit.command[0]}, {phase} + {1000 * delay:.1f} ms: {where if hit else 'over before'}", flush=True)
    return where if hit else ""


def undisturbed(edit: Edit, to: Path) -> Content:
    assert run([*map(str, edit.command), "--to", str(to), "-y"]) == 0
    return truth_of(Store.open(to))


def test_two_kills(edits: dict[str, Edit], tmp_path: Path, lerobot: ModuleType) -> None:
    (tmp_path / "out").mkdir()
    for name, phase in (("merge", "proving"), ("trim", "half the videos")):
        expected = undisturbed(edits[name], tmp_path / name)
        to = tmp_path / "out" / "new"
        tries = (try_to_kill(edits[name], to, phase, 0.0, lerobot, expected, opened=True) for _ in range(8))
        assert "building" in tries, "every kill came too late"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_thirty_kills(edits: dict[str, Edit], tmp_path: Path, lerobot: ModuleType) -> None:
    rng = random.Random(4)
    (tmp_path / "out").mkdir()
    expected = {name: undisturbed(edit, tmp_path / name) for name, edit in edits.items()}
    longest = {"starting": 2.5, "named": 0.05, "building": 0.3}
    hit: Counter[tuple[str, str]] = Counter()
    points = [(name, phase) for name in edits for phase in PHASES]
    while sum(hit.values()) < 30:
        name, phase = points.pop(0) if points else (rng.choice(list(edits)), rng.choice(PHASES))
        delay = rng.uniform(0, longest.get(phase, 0.02))
        to = tmp_path / "out" / "new"
        opened = rng.random() < 0.2
        if left := try_to_kill(edits[name], to, phase, delay, lerobot, expected[name], opened=opened):
            hit[name, left] += 1
    print(f"{sum(hit.values())} kills:", "; ".join(f"{' '.join(key)} {count}" for key, count in sorted(hit.items())))
    assert {left for _, left in hit} >= {"building", "nothing written"}
    assert {name for name, left in hit if left == "building"} == set(edits)


@pytest.mark.slow
def test_a_conversion_that_is_killed(tmp_path: Path) -> None:
    """LeRobot's converter runs in a process of its own, which must not outlive the command."""
    old = make_old(tmp_path / "old", [6, 7, 5], ["pick", "place", "pick"])
    before = file_hashes(path for path in old.rglob("*") if path.is_file())
    (tmp_path / "out").mkdir()
    to = tmp_path / "out" / "new"
    running = Run("convert", old, "--to", to)
    assert running.until(lambda: any(to.parent.glob(".new.*.partial/converting/tmp")))
    time.sleep(1.0)
    running.kill(parent_only=True)
    assert file_hashes(path for path in old.rglob("*") if path.is_file()) == before
    assert [path.suffix for path in to.parent.iterdir()] == [".partial"]
    assert studio("convert", old, "--to", to).well
    assert [path.name for path in to.parent.iterdir()] == ["new"]
    assert Store.open(to).total_frames == 18


@pytest.fixture
def source(edits: dict[str, Edit]) -> Iterator[Path]:
    """A dataset that after the test is what it was."""
    edit = edits["trim"]
    before = hashes(edit)
    yield edit.sources[0]
    assert hashes(edit) == before


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process."""

    def here(*arguments: object) -> Said:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Said(code, out.splitlines(), err.splitlines())

    return here


@pytest.mark.parametrize("free", [40, 140])
def test_the_disk_is_full(disks: None, here: Callable[..., Said], source: Path, tmp_path: Path, free: int) -> None:
    """With so many KiB free: while videos are written, or what is written last."""
    with small_disk(tmp_path / "disk", f"{free}k") as remount:
        to = tmp_path / "disk" / "new"
        line = here("merge", source, "--to", to, "-y").refuses(FAILED, "Cannot write", "No space left on device")
        print(f"\n{free} KiB: {line}")
        assert list(to.parent.iterdir()) == []
        remount("size=64m")
        assert here("merge", source, "--to", to, "-y").well
        assert Store.open(to).total_episodes == 14


def test_a_target_that_is_read_only(disks: None, here: Callable[..., Said], source: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as remount:
        remount("ro")
        to = tmp_path / "disk" / "new"
        for command in (("merge", source, "--to", to, "-y"), ("convert", source, "--arrays", to)):
            here(*command).refuses(FAILED, "Cannot write", "Read-only file system")


def test_a_disk_that_is_too_small_for_arrays(
    disks: None, here: Callable[..., Said], source: Path, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "200k"):
        to = tmp_path / "disk" / "new"
        here("convert", source, "--arrays", to).refuses(FAILED, "Cannot write", "No space left on device")
        assert list(to.parent.iterdir()) == []
