"""The library shows every episode, finds them, judges them, and loses none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from curation.library import Entry, entries
from curation.notes import Note, add_notes, read_notes
from studio.tui import library as screen_module
from studio.tui.state import Place
from studio.tui.widgets.player import Player
from studio.tui.widgets.rows import Rows
from tests.screens import snapshots
from tests.screens.conftest import NOW, OUTCOMES, SIZES, Open, make_set, press, settled, text_of, typed, until


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A dataset of eight that a test may change, in a data home of its own."""
    root = make_set(tmp_path / "own" / "mine", OUTCOMES, changed=NOW)
    (root / "meta" / "studio" / "takes").mkdir(exist_ok=True)
    return root


def states(root: Path) -> dict[str, str]:
    return {entry.episode_id: entry.state for entry in entries(root)}


@pytest.mark.parametrize("size", SIZES)
async def test_library(open_studio: Open, shelf: Path, size: str) -> None:
    async with open_studio(shelf, Place("library", shelf / "pos2"), size=SIZES[size]) as pilot:
        await press(pilot, "down", "space")
        player = pilot.app.screen.query_one(Player)
        await until(pilot, lambda: player._reel is not None and player._reel.done)
        snapshots.matches(pilot.app, f"library-{size}")


async def test_a_filter_finds_as_it_is_typed_and_says_what_is_wrong(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, Place("library", shelf / "pos2")) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "missed")
        assert "1 of 8" in text_of(pilot.app)
        await typed(pilot, " h<3")
        assert "Unknown field 'h'" in text_of(pilot.app)
        await press(pilot, *["backspace"] * 2)
        assert "Unknown field" not in text_of(pilot.app)
        await press(pilot, "ctrl+u")
        await typed(pilot, "note:slip")
        assert "1 of 8" in text_of(pilot.app)
        await press(pilot, "enter", "space")
        assert "1 marked" in text_of(pilot.app)


async def test_trash_undo_restore(open_studio: Open, own: Path) -> None:
    async with open_studio(own.parent, Place("library", own)) as pilot:
        await press(pilot, "space", "space", "t")
        assert "2 episodes in the trash" in " ".join(text_of(pilot.app).split())
        assert [i for i, state in states(own).items() if state == "masked"] == ["id-0", "id-1"]
        assert "6 of 6" in text_of(pilot.app)
        await press(pilot, "u")
        assert set(states(own).values()) == {"saved"}
        await press(pilot, "end", "t", "T", "end")
        assert "1 in trash" in text_of(pilot.app)
        await press(pilot, "t")
        assert set(states(own).values()) == {"saved"}
    assert len(read_notes(own)) == 2 + 2 + 2 + 1 + 1


async def test_notes_and_scores_reach_every_marked_episode(open_studio: Open, own: Path) -> None:
    async with open_studio(own.parent, Place("library", own)) as pilot:
        await press(pilot, "down", "down", "space", "space", "n")
        await typed(pilot, "gripper late")
        await press(pilot, "enter")
        await settled(pilot)
        await press(pilot, "home", "7")
        await press(pilot, "down", "plus")
    found = {entry.episode_id: entry for entry in entries(own)}
    assert [i for i, entry in found.items() if "gripper late" in entry.comments] == ["id-2", "id-3"]
    assert (found["id-0"].score, found["id-1"].score, found["id-2"].score) == (0.7, 1.0, None)


async def test_mark_all_and_invert(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, Place("library", shelf / "pos2")) as pilot:
        await press(pilot, "a")
        assert "8 marked" in text_of(pilot.app)
        await press(pilot, "space", "i")
        assert "1 marked" in text_of(pilot.app)
        await press(pilot, "a", "a")
        assert "marked" not in text_of(pilot.app)


async def test_unfinished_takes_are_listed_and_not_trashed(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, Place("library", shelf / "night-shift")) as pilot:
        shown = text_of(pilot.app)
        assert shown.count("unfinished") == 2
        await press(pilot, "end", "t")
        assert "Only saved episodes go to the trash" in " ".join(text_of(pilot.app).replace("▌", " ").split())


async def test_what_others_save_appears(open_studio: Open, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.tui.library.POLL_S", 0.2)
    async with open_studio(own.parent, Place("library", own)) as pilot:
        add_notes(own, [Note("id-5", "comment", "from elsewhere", "person")])
        await pilot.pause(0.4)
        await settled(pilot)
        await press(pilot, *["down"] * 5)
        assert "from elsewhere" in text_of(pilot.app)


async def test_thousands_of_rows_scroll_and_filter_at_once(
    open_studio: Open, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = entries(shelf / "pos2")[0]
    fields = {name: getattr(one, name) for name in Entry.__dataclass_fields__}
    many = [Entry(**{**fields, "episode_id": f"e{n}", "index": n}) for n in range(5000)]
    monkeypatch.setattr(screen_module, "entries", lambda root: many)
    async with open_studio(shelf, Place("library", shelf / "pos2")) as pilot:
        rows = pilot.app.screen.query_one(Rows)
        began = time.process_time()
        await press(pilot, "end")
        assert rows.item.index == 4999
        await press(pilot, "slash")
        await typed(pilot, "index<7")
        assert "7 of 5000" in text_of(pilot.app)
        # Generous: it takes a tenth of this; a table that builds every row anew takes several times as much.
        assert time.process_time() - began < 5.0


async def test_esc_leaves_the_filter_before_the_screen(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, Place("library", shelf / "pos2")) as pilot:
        await press(pilot, "slash", "escape")
        assert "› library" in text_of(pilot.app).splitlines()[0]
        await press(pilot, "escape")
        assert "› home" in text_of(pilot.app).splitlines()[0]
