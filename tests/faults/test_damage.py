"""What is damaged, or sends nonsense, is named in one clear line and costs nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

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
from tests.fakes import Still
from tests.faults.harness import (
    ALL,
    BAD_DATA,
    SMALL,
    USAGE,
    Here,
    check_with_store,
    counted,
    studio,
    takes,
)

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
