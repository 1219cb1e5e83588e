"""The watch screen: a policy thinks, looked through with keys; going on from any frame; never a traceback."""

from __future__ import annotations

import json
import time
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.frames import Image
from studio.tui.following import Following
from studio.tui.state import Place
from studio.tui.watch_ask import SAME, changed_words
from studio.tui.watch_sight import Sight
from studio.tui.watch_words import MEANT, faded, joint_note, series, strands
from studio.tui.watching import Watching
from studio.tui.widgets.vote_strip import shades
from studio.tui.widgets.whisker_view import Strand, WhiskerView
from studio.watching.files import read_history, write_history
from studio.watching.lines import CLOSED, COLOURS, OPEN, lines_of
from tests.screens import snapshots, watches
from tests.screens.conftest import Open, press, text_of, until
from tests.training.evaluations import write_evaluation
from training.tracking import Tracked

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}


@pytest.fixture(autouse=True, scope="module")
def tracker() -> None:
    """Processes are spawned through it; as `studio.tui.run` starts it before Textual takes stderr."""
    resource_tracker.ensure_running()


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for pictures: they take a process and differ by driver."""
    monkeypatch.setattr("studio.tui.watch_screen.DRAW_S", 1e6)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A history on disk whose policy is gone."""
    write_history(tmp_path / "watched/act-pos2-1", watches.made())
    return tmp_path / "watched/act-pos2-1"


def place(folder: Path) -> Place:
    return Place("watch", None, Watching(folder))


def words(app: Any) -> str:
    return " ".join(text_of(app).split())


def table() -> Image:
    """A picture of nothing in particular."""
    rows, columns = np.mgrid[0:120, 0:160]
    return np.stack([90 + rows // 2, 100 + columns // 4, 120 + 0 * rows], axis=2).astype(np.uint8)


def show_pictures(screen: Any) -> None:
    """What the drawing process would have shown, with the lines of the moment."""
    lines = strands(screen._sight, screen.moment, screen._layers)
    for view in screen.query(WhiskerView):
        view.see(table(), watches.ABOVE, lines)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.usefixtures("undrawn")
async def test_the_moment_in_pictures_votes_and_joints(open_studio: Open, shelf: Path, folder: Path, size: str) -> None:
    async with open_studio(shelf, place(folder), size=SIZES[size]) as pilot:
        await press(pilot, *["shift+right"] * 7, *["right"] * 3)
        show_pictures(pilot.app.screen)
        await press(pilot)
        snapshots.matches(pilot.app, f"watch-{size}")
        shown = words(pilot.app)
        assert "frame 73 of 150" in shown
        assert "asked 3 frames ago, 7 of 27 sure" in shown


@pytest.mark.usefixtures("undrawn")
async def test_a_blend_with_samples_and_an_alarm(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    alarm = "The policy's actions look as if they were never denormalised."
    write_history(tmp_path / "w", watches.made(blended=True, samples=2, alarms=(alarm,)))
    async with open_studio(shelf, place(tmp_path / "w"), size=(120, 40), notes=False) as pilot:
        await press(pilot, *["shift+right"] * 4)
        show_pictures(pilot.app.screen)
        await press(pilot)
        snapshots.matches(pilot.app, "watch-blend-120x40")
        assert f"ALARM: {alarm}" in words(pilot.app)
        assert "2 samples spread by" in words(pilot.app)
        await press(pilot, "s")
        assert "samples  " not in text_of(pilot.app).splitlines()[7]
        assert pilot.app.screen._layers == {"denoising", "ghosts"}


@pytest.mark.usefixtures("undrawn")
async def test_keys_step_run_and_jump_to_what_happened(open_studio: Open, shelf: Path, folder: Path) -> None:
    async with open_studio(shelf, place(folder), notes=False) as pilot:
        screen = pilot.app.screen

        async def at(*keys: str) -> int:
            await press(pilot, *keys)
            return int(screen._watching.at)

        assert await at() == 0
        assert await at("left") == 0
        assert await at("right", "right") == 2
        assert await at("shift+right") == 12
        assert await at("shift+left", "left") == 1
        assert await at("n") == watches.GRASP
        assert "grasp, lift!" in words(pilot.app)
        assert await at("n", "n") == watches.AGAIN
        assert await at("p") == watches.DROP
        assert "drop!" in words(pilot.app)
        assert await at("home", "p") == 0
        assert await at("end", "n") == watches.FRAMES - 1


@pytest.mark.usefixtures("undrawn")
async def test_it_runs_as_fast_as_it_was_and_stops_at_the_end(open_studio: Open, shelf: Path, folder: Path) -> None:
    async with open_studio(shelf, place(folder), notes=False) as pilot:
        screen = pilot.app.screen
        await press(pilot, "end", *["shift+left"] * 6)
        began = time.monotonic()
        await pilot.press("space")
        await until(pilot, lambda: screen.state == "paused", seconds=20)
        assert screen._watching.at == watches.FRAMES - 1
        assert time.monotonic() - began > 55 / watches.FPS
        # Watched at once, so that a slow machine does not come to the end first.
        screen.action_run()
        assert (screen._watching.at, screen.state) == (0, "running"), "from the end it runs again from the first frame"


@pytest.mark.usefixtures("undrawn")
async def test_help_names_every_key_and_the_free_camera_turns(open_studio: Open, shelf: Path, folder: Path) -> None:
    async with open_studio(shelf, place(folder), size=(120, 40), notes=False) as pilot:
        screen = pilot.app.screen
        before = screen._camera
        await press(pilot, "l", "i", "minus")
        assert screen._camera.azimuth == before.azimuth + 15
        assert screen._camera.elevation == before.elevation - 15
        assert screen._camera.distance == pytest.approx(before.distance * 1.25)
        await press(pilot, *["k"] * 20, *["plus"] * 30)
        assert (screen._camera.elevation, screen._camera.distance) == (5.0, 0.15), (
            "not below the table, not into the arm"
        )
        await press(pilot, "v")
        assert [view.display for view in screen.query(WhiskerView)] == [True, False]
        await press(pilot, "v", "v", "question_mark")
        shown = words(pilot.app)
        for key in ("run, pause", "go on from here", "next event", "follow the gripper", "past chunks"):
            assert key in shown


@pytest.mark.usefixtures("undrawn")
async def test_what_shall_be_otherwise_is_asked_and_checked(open_studio: Open, shelf: Path, folder: Path) -> None:
    async with open_studio(shelf, place(folder), notes=False) as pilot:
        await press(pilot, "n", "enter")
        assert "Go on from frame 60" in text_of(pilot.app)
        await press(pilot, "enter")
        assert "Nothing would be otherwise" in words(pilot.app)
        assert changed_words({"carried": SAME, "blind": "none"}, ("a", "b")) == ["--usual", "blind"]
        pilot.app.screen.query_one("#carried").value = "actions"
        await press(pilot, "enter")
        assert "How many actions of each chunk?" in words(pilot.app)
        await press(pilot, "escape")
        assert pilot.app.screen._watching.process is None, "nothing was started"


@pytest.mark.usefixtures("undrawn")
async def test_what_cannot_be_read_is_said(open_studio: Open, shelf: Path, folder: Path) -> None:
    (folder / "frames.npz").write_bytes(b"torn")
    async with open_studio(shelf, place(folder), notes=False) as pilot:
        await press(pilot, "right", "space", "n", "enter", "s")
        assert "is not what was written. Watch the episode again." in words(pilot.app)
        await press(pilot, "escape")
        assert "› home" in text_of(pilot.app).splitlines()[0]


@pytest.mark.usefixtures("undrawn")
async def test_what_was_watched_is_listed_and_opened_without_its_policy(
    open_studio: Open, shelf: Path, folder: Path
) -> None:
    (folder.parent / "torn").mkdir()
    (folder.parent / "torn/watch.json").write_text("{")
    async with open_studio(shelf, notes=False) as pilot:
        await press(pilot, "W")
        assert "act-pos2-1" in text_of(pilot.app)
        assert "held at end" in text_of(pilot.app)
        assert "damaged" in text_of(pilot.app)
        row = next(at for at, one in enumerate(pilot.app.screen._all) if one.told)
        await press(pilot, *["down"] * row, "enter")
        assert "frame 0 of 150" in words(pilot.app)
        await press(pilot, "escape", "n")
        assert "Watch a policy think" in text_of(pilot.app)
        await press(pilot, "enter")
        assert "Name a training" in words(pilot.app)


async def test_an_evaluated_episode_is_chosen_and_a_policy_that_is_gone_is_told(
    open_studio: Open, shelf: Path, tmp_path: Path
) -> None:
    rows = write_evaluation(tmp_path / "runs", "act-pos2", [True, True, False, True, False])
    async with open_studio(shelf, Place("evaluation", None, Following(rows)), notes=False) as pilot:
        await press(pilot, "w", "n")
        await press(pilot, "enter")
        watching = pilot.app.studio.trail[-1].what
        assert watching._words == ("watch", "--row", f"{rows}:4")
        assert "● loading" in text_of(pilot.app)
        await until(pilot, lambda: bool(watching.wrong), seconds=180)
        await until(pilot, lambda: "● failed" in text_of(pilot.app))
        assert "checkpoint" in words(pilot.app)
        await press(pilot, "escape")
        await until(pilot, lambda: watching.process is None)


def test_lines_are_what_was_meant_what_was_done_and_ghosts() -> None:
    sight = Sight.of(watches.made(samples=2))
    moment = sight.history[73]
    found = strands(sight, moment, frozenset({"samples", "ghosts"}))
    came, taken, *ghosts, _, _, meant, sure = found
    assert (came.dashed, came.colour, taken.colour) == (True, COLOURS["taken"], COLOURS["taken"])
    assert np.array_equal(came.path, sight.history.path[73 : 73 + 28])
    assert np.array_equal(taken.path, sight.history.path[73 - 44 : 74]), "only what was, of the last seconds"
    assert moment.whisker is not None
    assert (sure.colour, meant.colour) == (COLOURS["plan"], faded("plan", MEANT))
    assert np.array_equal(sure.path, moment.whisker.path[:8])
    assert len(ghosts) == 7
    assert [one.colour[2] for one in ghosts] == sorted(one.colour[2] for one in ghosts), "older ones are fainter"
    assert np.array_equal(ghosts[-1].path, sight.history.outlooks[60].whisker.path)  # type: ignore[union-attr]
    assert len(strands(sight, moment, frozenset())) == 4


@pytest.mark.parametrize("blended", [False, True])
def test_the_screen_draws_what_film_and_page_draw_in_their_colours(blended: bool) -> None:
    sight = Sight.of(watches.made(blended=blended, samples=2))
    moment = sight.history[20]
    drawn = [one for one in strands(sight, moment, frozenset({"samples", "ghosts"})) if not one.dashed]
    lines = lines_of(sight.history, 20)
    assert len(drawn) == len(lines)
    for one, line in zip(drawn, lines, strict=True):
        assert np.array_equal(one.path, line.points), line.kind
        own = np.array(COLOURS[line.kind]) / max(COLOURS[line.kind])
        assert np.allclose(np.array(one.colour) / max(one.colour), own, atol=0.03), f"{line.kind} has its colour"


def test_graphs_show_the_plan_of_the_moment_beyond_what_was_made() -> None:
    sight = Sight.of(watches.made())
    moment = sight.history[145]
    time, state, action, predicted = series(sight, moment, (100, 200))
    assert time[0] == pytest.approx(100 / 30)
    assert np.isfinite(state[:51]).all()
    assert np.isnan(state[51:]).all()
    assert np.isnan(action[50:]).all()
    assert np.array_equal(predicted[45 : 45 + 25], moment.plan)
    assert joint_note(Tracked("x", 2, 0.41, 3.0, 0.0)) == "2f ±0.4"


def test_votes_are_shades_with_the_newest_chunk_lowest() -> None:
    votes = np.full((4, 2), np.nan)
    votes[:, 0], votes[2:, 1] = 0.0, 50.0
    pixels, known = shades(votes, (0, 4), 2, 4)
    assert known.tolist() == [[False, False, True, True], [True] * 4]
    assert pixels[1, 0].tolist() == list(CLOSED)
    assert pixels[0, 3].tolist() == list(OPEN)


def test_the_newest_vote_is_lowest_however_old_it_is() -> None:
    votes = np.full((2, 9), np.nan)
    votes[0, 3], votes[1, 4], votes[1, 8] = 100.0, 100.0, 0.0
    pixels, known = shades(votes, (0, 2), 2, 2)
    assert known.tolist() == [[False, True], [True, True]]
    assert pixels[1].tolist() == [list(OPEN)] * 2
    assert pixels[0, 1].tolist() == list(CLOSED)


def test_a_line_is_drawn_where_it_is_seen_and_not_behind_the_camera() -> None:
    view = WhiskerView()
    ahead = np.array([[0.2, 0.0, 0.0], [0.2, -0.2, 0.0]])
    view._image, view._eye = table(), watches.ABOVE
    view._strands = [Strand(ahead, OPEN)]
    cells = view.lines_over(np.zeros((24, 32), np.uint32))
    assert {line for line, _ in cells} == {6}, "a level line in the middle"
    assert min(column for _, column in cells) == 16
    assert max(column for _, column in cells) == 22, "0.2 m of 0.8 m half a picture's height away"
    view._strands = [Strand(ahead + np.array([0.0, 0.0, 2.0]), OPEN)]
    assert view.lines_over(np.zeros((24, 32), np.uint32)) == {}
    assert np.array_equal(view.with_lines(table()), table())


@pytest.mark.slow
async def test_a_real_policy_is_gone_on_with_otherwise_and_all_is_kept(
    open_studio: Open, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real policy in its own process: run, back, other settings, run, leave."""
    from dataclasses import asdict

    from recorders.world.scene import fingerprint
    from tests.training.evaluations import write_run
    from tests.training.policies import SMALL, tiny_act

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("STUDIO_RUNS", str(tmp_path / "runs"))
    write_run(tmp_path / "runs", "a")
    folder = tiny_act(tmp_path / "runs/a/train/checkpoints/000100/pretrained_model", cameras=(), privileged=True)
    card = {
        "version": 1, "run": "a", "group": "a", "step": 100, "policy": "act", "seed": 3, "fps": 30, "task": "Pick it",
        "scene": {"fingerprint": fingerprint(SMALL), "scene": asdict(SMALL)}, "cameras": {}, "privileged": True,
        "dataset": {"name": "pos2"},
    }  # fmt: skip
    (folder / "studio.json").write_text(json.dumps(card))
    watching = Watching(words=["watch", "a", "--at", "0.3", "0", "--limit", "1.5", "--device", "cpu"])
    async with open_studio(shelf, Place("watch", None, watching), size=(120, 40), notes=False) as pilot:
        screen = pilot.app.screen
        await until(pilot, lambda: watching.at == 44 and screen.state == "paused", seconds=180)
        await until(pilot, lambda: screen._views is not None and bool(screen._views.eyes()))
        assert any("\u2800" < sign < "\u28ff" for line in text_of(pilot.app).splitlines()[2:20] for sign in line[:80])
        await press(pilot, "shift+left", "shift+left", "enter")
        pilot.app.screen.query_one("#carried").value = "actions"
        pilot.app.screen.query_one("#steps").value = "3"
        await press(pilot, "enter")
        await until(pilot, lambda: len(screen._sight.history) == 25)
        await press(pilot, "space")
        await until(pilot, lambda: len(screen._sight.history) >= 35)
        await press(pilot, "space", "escape")
        await until(pilot, lambda: watching.process is None and len(list(Path("watched").glob("*"))) == 2)
    first, second = (read_history(path) for path in sorted(Path("watched").glob("*")))
    assert len(first) == 45
    assert np.array_equal(first.columns.physics[:25], second.columns.physics[:25])
    assert second.asked[:5] == (0, 10, 20, 24, 27)
