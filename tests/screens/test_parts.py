"""The parts that screens are made of."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest
from rich.text import Text

from curation.frames import Outcome
from curation.palette import OUTCOMES
from curation.rates import wilson
from studio.tui.theme import BACKGROUND, SIXTEEN, STUDIO, contrast, outcome_style
from studio.tui.widgets.outcome_bar import BAR, outcome_bar, progress_bar
from studio.tui.words import ago, clock_words, cut, interval_words, length_words, moment, path_words, size_words
from tests.screens.conftest import NOW

SNAPSHOTS = sorted(Path(__file__).with_name("snapshots").glob("*.txt"))


def widths(bar: Text) -> list[int]:
    return [span.end - span.start for span in bar.spans]


@pytest.mark.parametrize(
    ("outcomes", "width", "cells"),
    [
        ({"success": 5}, 20, [20]),
        ({"success": 3, "timeout": 1}, 20, [15, 5]),
        ({"success": 999, "timeout": 1}, 20, [19, 1]),
        ({"success": 1, "timeout": 1, "missed_goal": 1}, 10, [4, 3, 3]),
        ({"success": 98, "timeout": 1, "missed_goal": 1}, 10, [8, 1, 1]),
    ],
)
def test_an_outcome_bar_shows_shares_and_hides_none(outcomes: dict[str, int], width: int, cells: list[int]) -> None:
    bar = outcome_bar(outcomes, width, "#333333")
    assert (len(bar.plain), widths(bar)) == (width, cells)


def test_a_bar_without_episodes_is_as_long() -> None:
    assert outcome_bar({}, 12, "#333333").cell_len == 12


@pytest.mark.parametrize(("share", "lit"), [(0.0, 0), (0.5, 5), (1.0, 10)])
def test_a_progress_bar_is_lit_up_to_its_share(share: float, lit: int) -> None:
    bar = progress_bar(share, 10, "#00ff00", "#333333")
    assert bar.plain == BAR * 10
    assert str(bar.style) == "#00ff00"
    assert sum(span.end - span.start for span in bar.spans if span.style == "#333333") == 10 - lit


@pytest.mark.parametrize("outcome", [*Outcome, "a word of another tool"])
def test_outcomes_read_on_the_background_and_differ(outcome: str) -> None:
    colour = outcome_style(outcome).color
    assert colour is not None
    assert contrast(tuple(colour.get_truecolor()), BACKGROUND) >= 4.0
    others = {outcome_style(other).color for other in OUTCOMES if other != outcome}
    assert colour not in others


@pytest.mark.parametrize("theme", [STUDIO, SIXTEEN], ids=lambda theme: theme.name)
def test_words_read_on_every_ground(theme: object) -> None:
    def rgb(name: str) -> tuple[int, int, int]:
        text = str(getattr(theme, name, None) or theme.variables[name])
        return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)

    for ground in ("background", "surface", "panel"):
        for ink in ("foreground", "muted", "accent", "success", "warning", "error"):
            assert contrast(rgb(ink), rgb(ground)) >= 4.5, (ink, ground)
    assert contrast(rgb("foreground"), rgb("chosen")) >= 4.5


def test_the_sixteen_colours_are_those_of_the_terminal() -> None:
    own = {"background", "surface", "panel", "primary", "secondary", "success", "warning", "error", "foreground"}
    for name in own:
        parts = str(getattr(SIXTEEN, name))
        assert {parts[1:3], parts[3:5], parts[5:7]} <= {"00", "55", "aa", "ff"}, name


def test_words() -> None:
    assert [ago(NOW - timedelta(seconds=s), NOW) for s in (5, 300, 7200, 200_000)] == [
        "just now",
        "5 min ago",
        "2 h ago",
        "2 d ago",
    ]
    assert [clock_words(s) for s in (None, 7, 247, 3847)] == ["-", "0:07", "4:07", "1:04:07"]
    assert [length_words(s) for s in (48, 720, 11_160)] == ["48 s", "12 min", "3.1 h"]
    assert [size_words(n) for n in (812_000_000, 12_400_000_000)] == ["812 MB", "12.4 GB"]
    assert interval_words(wilson(6, 9)) == "35-88 %"
    assert [cut("teleop", n) for n in (6, 4, 1)] == ["teleop", "tel…", "…"]
    assert moment("long ago") == "long ago"


def test_a_path_is_said_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    assert path_words(Path("sets/a")) == "./sets/a"
    assert path_words(tmp_path / "sets") == "./sets"
    assert path_words(tmp_path.parent / "sets") == "~/sets"
    assert path_words(Path("/data/sets")) == "/data/sets"


@pytest.mark.parametrize("file", SNAPSHOTS, ids=lambda file: file.stem)
def test_no_screen_shows_an_emoji(file: Path) -> None:
    shown = file.read_text(encoding="utf-8")
    wide = {char for char in shown if ord(char) >= 0x1F000 or unicodedata.east_asian_width(char) in "WF"}
    assert not wide


def test_the_screens_of_trainings_load_nothing_that_is_heavy() -> None:
    names = ("runs_screen", "training_screen", "train", "evaluation_screen")
    heavy = ("torch", "lerobot", "mujoco", "transformers", "scipy")
    line = (
        f"import sys; from importlib import import_module; [import_module('studio.tui.' + n) for n in {names}]; "
        f"print([h for h in {heavy} if h in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
