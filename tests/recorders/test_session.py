"""A dataset being recorded: its log of attempts, and what a crash leaves half done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.episodes import StagedEpisode
from curation.errors import DataError, Mismatch, NotADataset, TargetExists, UsageError
from curation.frames import Placement
from curation.layout import ATTEMPTS, STAGING, TAKES, TRASH
from curation.store import Store
from curation.video import Encoding
from recorders.crew import draw_take
from recorders.journal import Journal, Take, finish_journal, read_journal
from recorders.operators import each
from recorders.resimulate import judge_unfinished
from recorders.rollout import Start
from recorders.session import Session
from recorders.take import Keep, TakeFailed, run_take
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from tests.fakes import Still

SCENE = Scene(width=64, height=48)
FRAMES = 4


@pytest.fixture(scope="module")
def world() -> Iterator[SimWorld]:
    world = SimWorld(SCENE)
    yield world
    world.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("session") / "set"
    Session.create(root, SCENE, Encoding()).close()
    return root


class Desk:
    """A session with what a test does to it."""

    def __init__(self, root: Path, world: SimWorld) -> None:
        self.root, self.world = root, world
        self.session = Session.resume(root)

    def again(self) -> Session:
        """What the next start sees."""
        self.session.close()
        self.session = Session.resume(self.root, SCENE)
        return self.session

    def drive(self, attempt: int, *, rule: Keep = Keep.ALL, nan_at: int = -1) -> Path:
        """A finished take on disk, not settled; or an unfinished one, if NaN was sent."""
        start = Start(attempt + 100, Placement(0.25, 0.1, 5.0))
        journal: Journal = self.session.begin(start, "still", attempt)
        try:
            run_take(self.world, each(lambda _: Still(nan_at)), start, journal, rule=rule, limit=FRAMES)
        except TakeFailed:
            assert nan_at >= 0
        return journal.path

    def draw(self, path: Path) -> StagedEpisode:
        return StagedEpisode.load(
            draw_take(read_journal(path), self.root, SCENE, self.world.painter, self.session.store.encoding)
        )

    def waiting(self) -> tuple[list[str], list[str]]:
        kept, unfinished = self.session.waiting()
        return [take.header["episode_id"] for take in kept], [path.stem for path in unfinished]

    @property
    def log(self) -> list[dict]:
        return [json.loads(line) for line in (self.root / ATTEMPTS).read_text().splitlines()]


@pytest.fixture
def desk(empty: Path, tmp_path: Path, world: SimWorld) -> Iterator[Desk]:
    root = tmp_path / "set"
    shutil.copytree(empty, root)
    desk = Desk(root, world)
    yield desk
    desk.session.close()


def test_a_take_is_kept_then_saved(desk: Desk) -> None:
    path = desk.drive(0)
    desk.session.settle(read_journal(path))
    assert desk.waiting() == ([path.stem], [])
    assert desk.session.save(desk.draw(path)) == 0
    assert not path.exists()
    assert not list((desk.root / STAGING).iterdir())
    assert [row.episode_id for row in Store.open(desk.root).rows()] == [path.stem]
    assert desk.waiting() == ([], [])


def test_the_log_holds_every_attempt_once(desk: Desk) -> None:
    paths = [desk.drive(attempt, rule=rule) for attempt, rule in enumerate((Keep.ALL, Keep.SUCCESS, Keep.ALL))]
    for path in paths[:2]:
        take = read_journal(path)
        desk.session.settle(take)
        if take.footer["kept"]:
            desk.session.settle(take)
    desk.again()
    desk.waiting()
    desk.again()
    desk.waiting()
    assert [(line["attempt"], line["episode_id"], line["kept"]) for line in desk.log] == [
        (0, paths[0].stem, True), (1, paths[1].stem, False), (2, paths[2].stem, True),
    ]  # fmt: skip
    assert {key: desk.log[0][key] for key in ("seed", "x", "y", "yaw_deg", "status", "outcome", "operator")} == {
        "seed": 100, "x": 0.25, "y": 0.1, "yaw_deg": 5.0,
        "status": "timeout", "outcome": "never_reached", "operator": "still",
    }  # fmt: skip


def test_the_next_attempt_is_a_new_one(desk: Desk) -> None:
    assert desk.session.next_attempt == 0
    desk.session.settle(read_journal(desk.drive(0)))
    assert desk.again().next_attempt == 1
    torn = desk.drive(1, nan_at=2)  # a kill in the middle of attempt 1
    assert desk.again().next_attempt == 2
    headless = desk.session.journal("headless")
    headless.write_bytes(b"")  # a kill before the header of attempt 2 was written
    assert desk.again().next_attempt == 2
    assert set(desk.waiting()[1]) == {"headless", torn.stem}


def test_kept_takes_come_in_the_order_they_were_driven(desk: Desk) -> None:
    paths = {attempt: desk.drive(attempt) for attempt in (3, 0, 2, 1)}
    desk.again()
    assert desk.waiting()[0] == [paths[attempt].stem for attempt in range(4)]


def test_a_take_that_was_not_kept_is_put_away_at_the_next_start(desk: Desk) -> None:
    path = desk.drive(0, rule=Keep.SUCCESS)  # and killed before it was settled
    desk.again()
    assert desk.waiting() == ([], [])
    assert not path.exists()
    assert len(read_journal(desk.root / TRASH / path.name)) == FRAMES
    assert [line["kept"] for line in desk.log] == [False]


def test_killed_while_putting_away(desk: Desk) -> None:
    path = desk.drive(0, rule=Keep.SUCCESS)
    data = path.read_bytes()
    desk.session.settle(read_journal(path))
    path.write_bytes(data)  # in the trash, not yet gone from the takes
    desk.again()
    assert desk.waiting() == ([], [])
    assert not path.exists()
    assert len(desk.log) == 1


def test_committed_with_its_journal_still_there(desk: Desk) -> None:
    path = desk.drive(0)
    data = path.read_bytes()
    desk.session.settle(read_journal(path))
    desk.session.save(desk.draw(path))
    path.write_bytes(data)
    desk.again()
    assert desk.waiting() == ([], [])
    assert not path.exists()
    assert desk.session.store.total_episodes == 1
    assert len(desk.log) == 1


def test_a_stage_that_was_not_committed_is_drawn_again(desk: Desk) -> None:
    path = desk.drive(0)
    desk.draw(path)
    desk.again()
    assert not list((desk.root / STAGING).iterdir())
    assert desk.waiting() == ([path.stem], [])


def test_a_take_of_a_fleet_that_was_not_adopted_comes_again(desk: Desk) -> None:
    path = desk.drive(0)
    staged = desk.root / STAGING / path.name
    path.rename(staged)
    assert desk.session.next_attempt == 0
    take = desk.session.adopt(staged)
    assert isinstance(take, Take)
    assert not staged.exists()
    assert desk.waiting() == ([path.stem], [])
    path.rename(staged)
    (desk.root / ATTEMPTS).unlink()
    assert desk.again().next_attempt == 0
    assert desk.waiting() == ([], [])


def test_an_unfinished_take_kept_by_a_person(desk: Desk) -> None:
    path = desk.drive(0, nan_at=3)
    desk.again()
    assert desk.waiting() == ([], [path.stem])
    take = read_journal(path)
    footer = judge_unfinished(take, desk.world, desk.session.store.scene["physics"]["layout"])
    assert footer["kept"]
    assert footer["report"]["judged_so_far"] == "never_reached"
    assert footer["outcome"] == "interrupted"
    assert footer["frames"] == 3
    finish_journal(path, take, footer)
    desk.again()  # a kill right after: it is kept like any other
    assert desk.waiting() == ([path.stem], [])
    desk.session.save(desk.draw(path))
    assert desk.session.store.episode(0).length == 3


def test_a_torn_log_is_mended(desk: Desk) -> None:
    paths = [desk.drive(0), desk.drive(1)]
    desk.session.settle(read_journal(paths[0]))
    with (desk.root / ATTEMPTS).open("a") as file:
        file.write('{"attempt": 1, "epi')  # the disk was full
    desk.again()
    desk.waiting()
    assert [line["episode_id"] for line in desk.log] == [path.stem for path in paths]
    desk.again()
    assert desk.session.next_attempt == 2


def test_a_damaged_log_is_named(desk: Desk) -> None:
    (desk.root / ATTEMPTS).write_text('{"attempt": 0}\n{"attem\n{"attempt": 2}\n')
    desk.session.close()
    with pytest.raises(DataError, match=r"attempts\.jsonl is damaged"):
        Session.resume(desk.root)


def test_only_one_session_at_a_time(desk: Desk) -> None:
    with pytest.raises(UsageError, match="is being recorded by another process"):
        Session.resume(desk.root)
    desk.again()  # and after it is closed, again


def test_new_data_needs_a_place_where_nothing_is(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(TargetExists, match="already exists and is never overwritten"):
        Session.create(desk.root, SCENE, Encoding())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(TargetExists):
        Session.create(tmp_path / "mine", SCENE, Encoding())
    (tmp_path / "file").write_text("mine")
    with pytest.raises(TargetExists):
        Session.create(tmp_path / "file", SCENE, Encoding())


def test_a_kill_while_creating_does_not_block_the_name(desk: Desk, tmp_path: Path) -> None:
    half = tmp_path / "half"
    (half / "meta" / "studio").mkdir(parents=True)
    shutil.copy(desk.root / "meta/studio/scene.json", half / "meta/studio/scene.json")
    (half / "meta" / "info.json.123.aside").write_text("{")
    Session.create(half, SCENE, Encoding()).close()


def test_a_folder_that_is_no_recording(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(NotADataset):
        Session.resume(tmp_path / "absent")
    (desk.root / "meta/studio/scene.json").unlink()
    desk.session.close()
    with pytest.raises(NotADataset, match="was not recorded by the studio"):
        Session.resume(desk.root)


def test_every_difference_is_named(desk: Desk) -> None:
    asked = Scene(width=128, height=48, fps=20, look="nice", servo="hardware", block="duplo", friction=0.4)
    desk.session.close()
    with pytest.raises(Mismatch) as refused:
        Session.resume(desk.root, asked)
    for words in (
        "width is 64, asked 128", "fps is 30, asked 20", "look is fast, asked nice", "servo is ideal, asked hardware",
        "block is cube, asked duplo", "friction is 0.5, asked 0.4",
    ):  # fmt: skip
        assert words in str(refused.value)
    assert "height" not in str(refused.value)


@pytest.mark.parametrize(("name", "word"), [("fingerprint", "scene fingerprint is"), ("mujoco", "MuJoCo is")])
def test_a_scene_that_only_looks_the_same(desk: Desk, name: str, word: str) -> None:
    path = desk.root / "meta/studio/scene.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, name: "other"}))
    desk.session.close()
    with pytest.raises(Mismatch, match=word):
        Session.resume(desk.root, SCENE)


def test_journals_lie_where_the_design_says(desk: Desk) -> None:
    assert desk.drive(0).parent == desk.root / TAKES
