"""What goes wrong is said in one clear line, with the right exit code, and loses nothing that was there before."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from curation.fingerprint import fingerprint
from curation.frames import Placement
from curation.store import Store
from recorders.clock import RealTime
from recorders.crew import Undrawn
from recorders.journal import Take, read_journal
from recorders.operators import each
from recorders.placements import Placing
from recorders.record import NotDrawn, Recorder
from recorders.session import Session
from recorders.take import Keep, TakeFailed
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from studio import cli
from tests.fakes import Still
from tests.faults.harness import (
    SMALL,
    Promised,
    Run,
    Said,
    check_with_store,
    counted,
    ended,
    saved_ids,
    small_disk,
    studio,
    takes,
)

FAILED, USAGE, BAD_DATA, INTERRUPTED = 1, 2, 3, 130
ALL = ("--keep", "all", "--limit", 0.6)
Here = Callable[..., Said]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Iterator[Here]:
    """Run a command in this process, for those that refuse before they start others."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Said(code, out.splitlines(), err.splitlines())

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def untouched(data: Path) -> Iterator[Path]:
    """The dataset, which after the test is what it was."""
    before = fingerprint(data)
    yield data
    assert fingerprint(data) == before
    check_with_store(data)


# The target.


@pytest.mark.parametrize("verb", ["record", "generate"])
def test_new_data_over_old(here: Here, untouched: Path, verb: str) -> None:
    here(verb, "--to", untouched, *SMALL).refuses(USAGE, str(untouched), "never overwritten", "--resume")


def test_rerender_over_old(here: Here, untouched: Path, two: Path) -> None:
    here("rerender", two, "--to", untouched).refuses(USAGE, str(untouched), "never overwritten")


@pytest.mark.parametrize("verb", ["record", "generate"])
def test_resume_where_nothing_is(here: Here, tmp_path: Path, verb: str) -> None:
    here(verb, "--resume", "--to", tmp_path / "no", *SMALL).refuses(USAGE, "no such folder", "leave --resume away")
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("command", [("replay",), ("recover",), ("rerender", "--to", "/nowhere/new"), ("inspect",)])
def test_reading_where_nothing_is(here: Here, tmp_path: Path, command: tuple[str, ...]) -> None:
    verb, *more = command
    here(verb, tmp_path / "no", *more).refuses(USAGE, str(tmp_path / "no"), "no such folder")
    (tmp_path / "no").mkdir()
    here(verb, tmp_path / "no", *more).refuses(USAGE, str(tmp_path / "no"), "not a LeRobot v3 dataset")


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "DATA"),
        ("recover", "DATA"),
        ("rerender", "DATA", "--to", "NEW"),
        ("record", "--resume", "--to", "DATA", *SMALL),
    ],
)
def test_a_dataset_without_studio_data(here: Here, data: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    shutil.rmtree(data / "meta/studio")
    names = {"DATA": data, "NEW": tmp_path / "new"}
    here(*(names.get(word, word) for word in command)).refuses(USAGE, str(data), "was not recorded by the studio")
    assert not (tmp_path / "new").exists()
    assert counted(data) == 2


@pytest.mark.parametrize("verb", ["replay", "rerender"])
def test_a_dataset_whose_physics_a_foreign_tool_dropped(data: Path, tmp_path: Path, here: Here, verb: str) -> None:
    shutil.rmtree(data / "meta/studio/frames")
    more = ("--to", tmp_path / "new", "--processes", 1) if verb == "rerender" else ()
    here(verb, data, *more).refuses(BAD_DATA, "physics", "missing")
    assert not (tmp_path / "new").exists()


# The settings.


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("--fps", 20), ["fps is 30, asked 20"]),
        (("--look", "nice"), ["look is fast, asked nice"]),
        (("--servo", "hardware"), ["servo is ideal, asked hardware"]),
        (("--block", "duplo", "--bowl", "tray"), ["block is cube, asked duplo", "bowl is round, asked tray"]),
        (("--fps", 20, "--look", "nice", "--servo", "hardware", "--friction", 0.4),
         ["fps is 30, asked 20", "look is fast, asked nice", "servo is ideal, asked hardware",
          "friction is 0.5, asked 0.4"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["record", "generate"])
def test_resume_with_other_settings(here: Here, untouched: Path, verb: str, asked: tuple, named: list[str]) -> None:
    line = here(verb, "--resume", "-n", 3, "--to", untouched, *SMALL, *asked).refuses(USAGE, str(untouched), *named)
    assert line.count(", asked ") == len(named)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("--operator", "exprt"), ["'exprt'", "Valid: expert", "Did you mean expert?"]),
        (("--noise", 99), ["--noise 99", "0 to 20"]),
        (("-n", 0), ["--episodes 0"]),
        (("--limit", 0), ["--limit 0"]),
        (("--fps", 29), ["1/29 s", "Valid fps"]),
        (("--width", 63), ["63x48", "even"]),
        (("--at", 0.7, 0), ["out of the arm's reach", "nearest recordable position is --at"]),
        (("--at", 0.2, 0.2, "--box", 0.2, 0.3, 0, 0.1), ["--at and --box"]),
        (("--targets", "/nowhere.json"), ["/nowhere.json", "Expected"]),
    ],
)
@pytest.mark.parametrize("verb", ["record", "generate"])
def test_what_cannot_be_asked(here: Here, tmp_path: Path, verb: str, asked: tuple, named: list[str]) -> None:
    here(verb, "--to", tmp_path / "new", *SMALL, *asked).refuses(USAGE, *named)
    assert not (tmp_path / "new").exists()


def test_an_unknown_command(here: Here) -> None:
    said = here("recrod")
    assert said.code == USAGE
    assert len(said.err) == 1
    assert "'recrod'" in said.err[0]
    assert "Did you mean record?" in said.err[0]


# Someone else, or a signal.


def test_two_recorders_and_an_interrupt(here: Here, data: Path) -> None:
    run = Run("record", "--resume", "-n", 9, "--to", data, *SMALL)
    run.until(lambda: takes(data) and takes(data)[0].stat().st_size > 20_000)
    for second in (
        ("record", "--resume", "-n", 9, "--to", data, *SMALL),
        ("generate", "--resume", "-n", 9, "--to", data, *SMALL),
        ("recover", data),
    ):
        here(*second).refuses(USAGE, str(data), "is being recorded by another process")
    assert here("inspect", data).code == 0  # reading is free
    run.signal(signal.SIGINT)
    run.wait().refuses(INTERRUPTED, "studio record: interrupted. What was kept or saved is on disk")
    assert counted(data) == 2
    (path,) = takes(data)
    left = read_journal(path)
    assert left.footer is None
    assert len(left) >= 5
    said = here("recover", data)
    assert said.well, said
    assert any(f"take {path.stem[:8]}: {len(left)} frames" in line for line in said.out), said
    assert any("--keep | --discard" in line for line in said.out)
    assert here("recover", data, "--keep").code == 0
    assert saved_ids(data)[2:] == [path.stem]
    assert Store.open(data).episode(2).length == len(left)
    check_with_store(data)


@pytest.mark.parametrize("to_group", [True, False])
def test_terminated(data: Path, to_group: bool) -> None:
    run = Run("record", "--resume", "-n", 9, *ALL, "--to", data, *SMALL)
    run.until(lambda: run.said("take 3: .* kept"))
    if to_group:
        run.signal(signal.SIGTERM)
    else:
        run.process.terminate()
    done = run.wait()
    done.refuses(INTERRUPTED, "studio record: interrupted. What was kept or saved is on disk")
    promised = Promised()
    promised.hear(done.err, data)
    assert len(promised.kept) >= 2
    promised.must_hold(data)


@pytest.mark.parametrize("delay", [0.02, 0.3, 1.0])
def test_interrupted_while_the_drawing_process_starts(data: Path, delay: float) -> None:
    run = Run("record", "--resume", "-n", 30, *ALL, "--to", data, *SMALL)
    run.until(lambda: run.said("take 2: .* kept"))
    time.sleep(delay)
    run.signal(signal.SIGINT)
    done = run.wait()
    done.refuses(INTERRUPTED, "interrupted. What was kept or saved is on disk")
    promised = Promised()
    promised.hear(done.err, data)
    assert promised.kept
    promised.must_hold(data)


def test_generate_interrupted(data: Path) -> None:
    run = Run("generate", "--resume", "-n", 60, *ALL, "--to", data, *SMALL)
    run.until(lambda: run.said("saved episode 2"))
    run.signal(signal.SIGINT)
    done = run.wait()
    done.refuses(INTERRUPTED, "interrupted. What was kept or saved is on disk")
    assert len(takes(data)) <= 1  # one may be on its way into the dataset
    assert all(ended(path) for path in takes(data))
    assert not (data / "meta/studio/staging").exists()
    check_with_store(data)


def test_the_drawing_process_is_killed_during_a_take(data: Path) -> None:
    run = Run("record", "--resume", "-n", 30, "--keep", "all", "--limit", 1.5, "--to", data, *SMALL)
    run.until(lambda: any(data.glob("meta/studio/staging/*/*.mp4")))
    attempt = len([line for line in run.err if line.startswith("take ")])
    run.until(lambda: len([line for line in run.err if line.startswith("take ")]) > attempt)
    time.sleep(0.3)  # into the next take, during which drawing waits
    drawing = [p for p in psutil.Process(run.process.pid).children() if "spawn_main" in " ".join(p.cmdline())]
    drawing[0].kill()
    done = run.wait()
    done.refuses(FAILED, "A drawing process ended without a word (exit code -9)", "--resume")
    promised = Promised()
    promised.hear(done.err, data)
    assert promised.kept
    promised.must_hold(data)


# The disk.


@pytest.mark.parametrize("free", [70, 135, 260])
def test_the_disk_is_full(disks: None, two: Path, tmp_path: Path, free: int) -> None:
    """With so many KiB free: while driving, drawing or saving."""
    with small_disk(tmp_path / "disk", f"{free}k") as remount:
        root = tmp_path / "disk" / "data"
        done = studio("record", "-n", 4, *ALL, "--to", root, *SMALL)
        line = done.refuses(
            FAILED, "Cannot write", str(root), "No space left on device", "Everything saved before is intact"
        )
        promised = Promised()
        promised.hear(done.err, root)
        promised.must_hold(root)
        print(f"\n{free} KiB: {len(promised.kept)} kept, {counted(root)} saved; {line}")
        remount("size=64m")
        resume = ["--resume"] if (root / "meta/info.json").exists() else []
        asked = len(promised.kept) + 1
        again = studio("record", *resume, "-n", asked, *ALL, "--to", root, *SMALL)
        assert again.well, again
        promised.hear(again.err, root)
        promised.must_hold(root)
        ids = saved_ids(root)
        assert len(ids) == asked
        assert set(promised.kept.values()) <= set(ids)
        check_with_store(root)


def test_a_full_disk_stops_rerender_without_a_target(disks: None, two: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "120k"):
        to = tmp_path / "disk" / "new"
        studio("rerender", two, "--to", to, "--processes", 1).refuses(FAILED, "Cannot write", "No space left on device")
        assert not list(to.parent.glob("*new*"))


def test_a_read_only_dataset(disks: None, here: Here, two: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "8m") as remount:
        root = tmp_path / "disk" / "data"
        shutil.copytree(two, root)
        before = fingerprint(root)
        remount("ro")
        for command in (
            ("record", "--resume", "-n", 3, "--to", root, *SMALL),
            ("generate", "--resume", "-n", 3, "--to", root, *SMALL),
            ("recover", root),
        ):
            here(*command).refuses(FAILED, "Cannot write", str(root), "Read-only file system")
        here("record", "--to", tmp_path / "disk" / "new", *SMALL).refuses(
            FAILED, "Cannot write", "Read-only file system"
        )
        assert here("inspect", root).code == here("replay", root).code == 0
        assert fingerprint(root) == before


# The operator.


def test_an_operator_that_sends_nan(data: Path) -> None:
    scene = Scene(width=64, height=48)
    session = Session.resume(data, scene)
    world, recorder = SimWorld(scene), Recorder(session, lambda event: None)
    drive = {"episodes": 3, "seed": 0, "rule": Keep.ALL, "limit": 30, "clock": RealTime(30)}
    try:
        with pytest.raises(TakeFailed, match=r"failed after 7 frames: .*elbow_flex = nan.*studio recover"):
            recorder.record(world, each(lambda _: Still(nan_at=7)), "still", Placing(at=(0.25, 0.1)), **drive)
        kept, unfinished = session.waiting()
        assert not kept
        assert len(unfinished) == 1
        take = read_journal(unfinished[0])
        assert len(take) == 7
        assert take.footer is None
        assert take.header["placement"]["x"] == Placement(0.25, 0.1).x
        assert session.next_attempt == 3
    finally:
        recorder.close()
        world.close()
        session.close()
    check_with_store(data)


def test_takes_that_cannot_be_drawn(two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stay, are counted, and make the command fail instead of going on for ever."""
    root = tmp_path / "data"
    shutil.copytree(two, root)
    scene = Scene(width=64, height=48)
    session = Session.resume(root, scene)
    told: list[object] = []
    world, recorder = SimWorld(scene), Recorder(session, told.append)
    settle = session.settle

    def damage(take: Take) -> None:
        settle(take)
        flip(session.journal(take.header["episode_id"]), 0.5)

    monkeypatch.setattr(session, "settle", damage)
    try:
        with pytest.raises(NotDrawn, match=r"2 kept takes cannot be drawn .* holds 2 of 4 episodes.*studio recover"):
            recorder.record(
                world, each(lambda _: Still()), "still", Placing(at=(0.25, 0.1)),
                episodes=4, seed=0, rule=Keep.ALL, limit=5, clock=RealTime(30),
            )  # fmt: skip
    finally:
        recorder.close()
        world.close()
        session.close()
    undrawn = [event for event in told if isinstance(event, Undrawn)]
    assert {event.journal for event in undrawn} == set(takes(root))
    assert all("is damaged at line" in event.why for event in undrawn)
    check_with_store(root)


# Damage.


def interrupted_take(root: Path) -> Path:
    """An unfinished take of eight frames."""
    session = Session.resume(root)
    world, recorder = SimWorld(session.scene), Recorder(session, lambda event: None)
    try:
        with pytest.raises(TakeFailed):
            recorder.record(
                world, each(lambda _: Still(nan_at=8)), "still", Placing(at=(0.25, 0.1)),
                episodes=9, seed=0, rule=Keep.ALL, limit=30, clock=RealTime(30),
            )  # fmt: skip
    finally:
        recorder.close()
        world.close()
        session.close()
    return takes(root)[0]


def flip(path: Path, where: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 1
    path.write_bytes(content)


def cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


def only_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().split(b"\n")[0] + b"\n")


@pytest.mark.parametrize(
    ("damage", "words", "frames"),
    [
        (lambda path: flip(path, 0.7), "is damaged at line 7: its checksum does not match", 5),
        (lambda path: flip(path, 0.01), "is damaged at line 1: its checksum does not match", 0),
        (lambda path: cut(path, -9), "7 frames (0.2 s)", 7),
        (lambda path: cut(path, 0), "is damaged at line 1: it has no header", 0),
        (only_header, "no frames", 0),
    ],
    ids=["middle", "header", "torn", "empty", "header only"],
)  # fmt: skip
def test_a_wrecked_journal(here: Here, data: Path, damage: Callable[[Path], None], words: str, frames: int) -> None:
    path = interrupted_take(data)
    damage(path)
    said = here("record", "--resume", "-n", 2, "--to", data, *SMALL)  # it is offered, and stops nothing
    assert said.code == 0
    assert said.err[0] == f"1 unfinished take waits: studio recover {data} --keep | --discard"
    said = here("recover", data)
    assert said.well, said
    assert any(words in line for line in said.out), said
    assert path.exists()
    said = here("recover", data, "--keep", "--json")
    result = json.loads("\n".join(said.out))
    assert said.code == 0
    assert not said.err
    assert result["episodes"] == 2 + bool(frames)
    assert [take["done"] for take in result["unfinished"]] == ["saved" if frames else "discarded"]
    assert not path.exists()
    if frames:
        assert Store.open(data).episode(path.stem).length == frames
    else:
        assert (data / "meta/studio/trash" / path.name).exists()
    check_with_store(data)


def test_a_take_is_discarded_into_the_trash(here: Here, untouched: Path) -> None:
    path = interrupted_take(untouched)
    content = path.read_bytes()
    here("recover", untouched, "--keep", "--discard").refuses(USAGE, "exclude each other")
    assert here("recover", untouched, "--discard").code == 0
    assert not path.exists()
    assert (untouched / "meta/studio/trash" / path.name).read_bytes() == content


def test_a_video_that_cannot_be_read(here: Here, data: Path, tmp_path: Path) -> None:
    video = Store.open(data).episode(0).videos["observation.images.overhead_cam"]
    cut(video, 1500)
    here("inspect", data, "--poster", tmp_path / "poster.png").refuses(BAD_DATA, str(video), "cannot be read")
    assert here("replay", data).code == 0  # physics is the truth


def test_a_damaged_video_does_not_cost_a_new_take(data: Path) -> None:
    """Its statistics are needed to go on; they are there unless a foreign tool dropped them too."""
    video = Store.open(data).episode(0).videos["observation.images.overhead_cam"]
    cut(video, 1500)
    shutil.rmtree(data / "meta/studio/histograms")
    done = studio("record", "--resume", "-n", 3, *ALL, "--to", data, *SMALL)
    done.refuses(BAD_DATA, str(video), "cannot be read")
    (path,) = takes(data)
    assert read_journal(path).footer["kept"]
    assert counted(data) == 2


def test_damaged_metadata(here: Here, data: Path) -> None:
    info = data / "meta/info.json"
    info.write_bytes(info.read_bytes()[:300])
    for command in (
        ("record", "--resume", "--to", data, *SMALL),
        ("recover", data),
        ("replay", data),
        ("inspect", data),
    ):
        said = here(*command)
        assert said.code in (USAGE, BAD_DATA), said
        said.refuses(said.code, str(data), "info.json is damaged")


# Rerender.


@pytest.mark.parametrize("moment", ["meta/info.json", "videos/*/*/*.mp4"])
def test_rerender_killed_leaves_no_target(untouched: Path, tmp_path: Path, moment: str) -> None:
    to = tmp_path / "new"
    run = Run("rerender", untouched, "--to", to, "--ground", "dark", "--processes", 1)
    assert run.until(lambda: any(tmp_path.glob(f".new.*.partial/{moment}")))
    run.kill(parent_only=True)
    assert not to.exists()
    if moment.startswith("videos"):
        done = studio("rerender", untouched, "--to", to, "--ground", "dark", "--processes", 1)
        assert done.well, done
        assert [p.name for p in tmp_path.iterdir() if "new" in p.name] == ["new"]
        assert counted(to) == 2


def test_rerender_interrupted(untouched: Path, tmp_path: Path) -> None:
    run = Run("rerender", untouched, "--to", tmp_path / "new", "--processes", 1)
    run.until(lambda: any(tmp_path.glob(".new.*.partial/meta/info.json")))
    run.signal(signal.SIGINT)
    run.wait().refuses(INTERRUPTED, "interrupted")
    assert not list(tmp_path.glob("*new*"))


def test_rerender_cannot_change_what_happened(here: Here, untouched: Path, tmp_path: Path) -> None:
    here("rerender", untouched, "--to", tmp_path / "new", "--distractors", 9).refuses(USAGE, "distractors 9")
    assert not (tmp_path / "new").exists()
