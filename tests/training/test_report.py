"""studio report: one file that says all and shows it, films that are the episodes, readable in a real browser."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
from pathlib import Path

import av
import numpy as np
import pytest

from tests.screens.browser import CHROMIUM, browser
from tests.studio.conftest import Studio, studio
from tests.training.evaluations import write_evaluation, write_run
from tests.training.policies import tiny_act
from training.evaluated import read_evaluation
from training.page import page, paragraph, table
from training.report import stand_for

__all__ = ["studio"]


def test_the_median_and_the_worst_of_every_class_stand_for_it(home: Path) -> None:
    folder = write_evaluation(home, "a", [True] * 5 + [False] * 7, infeasible=(11,))
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    for row, seconds in zip(rows, (5.0, 9.0, 6.0, 7.0, 8.0)):
        row["seconds"] = seconds
    for row in rows[5:]:
        row |= {"outcome": "timeout", "closest_m": 0.01 * row["index"]}
    rows[5]["outcome"] = "missed_goal"
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = [(each.row.index, each.why) for each in stand_for(read_evaluation(folder).rows)]
    assert found == [
        (3, "success: median of 5 by time"),
        (1, "success: worst of 5 by time"),
        (8, "timeout: median of 5 by closest approach"),
        (10, "timeout: worst of 5 by closest approach"),
        (5, "missed goal: median of 1 by closest approach"),
    ]


def test_nothing_in_a_name_becomes_markup() -> None:
    text = page("<b>", [paragraph("a < b & <script>"), table(["<i>"], [("<u>", 3)])])
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;u&gt;" in text


def test_a_report_says_what_was_trained_on_what_and_how_it_did(studio: Studio, home: Path, tmp_path: Path) -> None:
    run = write_run(home, "a", positions=[(0.337, -0.015)])
    lines = [{"step": 10 * n, "loss": 1 / (n + 1)} for n in range(20)]
    (run / "progress.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_evaluation(home, "a", [True] * 14 + [False] * 6, infeasible=(19,))
    said = studio("report", "a", "--no-films", "--json")
    assert said.code == 0, said.err
    text = (tmp_path / json.loads(said.out)["report"]).read_text()
    for words in ("14 of 19", "95 % CI 51 to 88 %", "At all places: 14 of 20", "limit 10 s", "servo ideal",
                  "the dataset is not here any more", "One training: says nothing about the recipe",
                  "Loss of a", "dropped in transport", "chunk_size"):  # fmt: skip
        assert words in text, words
    # Self-contained: nothing is fetched.
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert len(re.findall(r'src="data:image/png;base64,', text)) == 2
    again = studio("report", "a", "--no-films")
    assert again.code == 2
    assert "never overwritten" in again.err


def test_a_report_of_two_says_the_verdict(studio: Studio, home: Path, tmp_path: Path) -> None:
    write_evaluation(home, "a", [True] * 18 + [False] * 2)
    write_evaluation(home, "b", [True] * 4 + [False] * 16)
    write_evaluation(home, "c", [True] * 4 + [False] * 16, limit_frames=900)
    said = studio("report", "a", "b", "--no-films", "--to", "ab.html")
    assert said.code == 0, said.err
    text = (tmp_path / "ab.html").read_text()
    assert "A is better." in text
    assert "exact McNemar" in text
    apart = studio("report", "a", "c", "--no-films", "--to", "ac.html")
    assert apart.code == 0
    assert "time limit is 10.0 and 30.0" in (tmp_path / "ac.html").read_text()
    for words, says in ((("a", "b", "c"), "of one run, or of two"), (("a", "--to", "x.pdf"), "must end in .html")):
        refused = studio("report", *words)
        assert refused.code == 2
        assert says in refused.err


def test_evaluations_of_one_checkpoint_have_a_column_each(studio: Studio, home: Path, tmp_path: Path) -> None:
    base = write_evaluation(home, "a", [True] * 18 + [False] * 2, key="k1")
    blind = write_evaluation(home, "a", [True] * 2 + [False] * 18, key="k2", settings={"blind": ["overhead_cam"]})
    said = studio("report", str(base), str(blind), "--no-films", "--to", "ab.html")
    assert said.code == 0, said.err
    text = (tmp_path / "ab.html").read_text()
    for words in ("a@000100 (as trained)", "a@000100 (blind overhead_cam)", "not as trained: blind overhead_cam",
                  "Not as it was trained: blind overhead_cam."):  # fmt: skip
        assert words in text, words
    alone = studio("report", "a", "--no-films", "--to", "a.html")
    assert alone.code == 0, alone.err
    assert '<p class="big">18 of 20</p>' in (tmp_path / "a.html").read_text()


@pytest.fixture
def evaluated(studio: Studio, home: Path, lerobot: None) -> Path:
    """A tiny policy, really evaluated on three placements in batches of two."""
    checkpoint = tiny_act(home / "tiny/train/checkpoints/000010/pretrained_model", cameras=(), privileged=True)
    write_run(home, "tiny", positions=[(0.337, -0.015)])
    card = {"version": 1, "run": "tiny", "group": "tiny", "step": 10, "policy": "act", "seed": 0, "privileged": True}
    (checkpoint / "studio.json").write_text(json.dumps(card))
    words = ("--at", "0.337", "-0.015", "-n", "3", "--limit", "1.5", "--batch", "2", "--device", "cpu", "--json")
    said = studio("evaluate", "tiny", *words)
    assert said.code == 0, said.err
    return Path(json.loads(said.out)["folder"])


def test_films_are_the_episodes_that_were_evaluated(studio: Studio, evaluated: Path, tmp_path: Path) -> None:
    said = studio("report", "tiny", "--to", "tiny.html")
    assert said.code == 0, said.err
    text = (tmp_path / "tiny.html").read_text()
    assert "otherwise" not in text
    assert "no result" in text  # it sees the block
    found = re.findall(r'src="data:video/mp4;base64,([^"]+)"', text)
    assert len(found) == len(stand_for(read_evaluation(evaluated).rows))
    for each in found:
        with av.open(io.BytesIO(base64.b64decode(each))) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert (len(frames), frames[0].shape) == (23, (240, 968, 3))
        assert np.abs(frames[0].astype(int) - frames[-1]).max() > 60  # the arm moved
    if CHROMIUM is None:
        return
    shown = asyncio.run(_shown(tmp_path / "tiny.html", tmp_path / "profile"))
    assert shown == {"films": len(found), "broken": 0, "sideways": False}


async def _shown(file: Path, profile: Path) -> dict[str, object]:
    """What a real browser makes of it: films that load, pictures that do not, whether it must be scrolled across."""
    async with browser(profile) as tab:
        await tab.tell("Page.navigate", url=file.as_uri())
        await tab.until("document.readyState === 'complete' && document.images.length > 0")
        await tab.until("[...document.querySelectorAll('video')].every(v => v.readyState >= 1)")
        return {
            "films": await tab.value("[...document.querySelectorAll('video')].filter(v => v.videoWidth == 968).length"),
            "broken": await tab.value("[...document.images].filter(i => !i.naturalWidth).length"),
            "sideways": await tab.value("document.documentElement.scrollWidth > innerWidth"),
        }


def test_without_its_checkpoint_there_are_no_films_and_the_page_says_so(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    write_evaluation(home, "a", [True] * 4)
    said = studio("report", "a", "--to", "a.html")
    assert said.code == 0, said.err
    assert "none of its episodes can be run again" in (tmp_path / "a.html").read_text()
