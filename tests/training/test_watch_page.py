"""The page of a watched episode, in a real browser, driven by keys; it shows what the history says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import UsageError
from recorders.world.drawing import Painter
from recorders.world.eye import Eye
from recorders.world.scene import Scene, compile_scene
from studio.watching.history import History
from studio.watching.lines import lines_of
from studio.watching.page import Written, write_page
from studio.watching.page.pictures import FREE, OVERHEAD
from tests.devices.browser import Tab, chromium
from tests.devices.programs import CHROMIUM, need
from tests.devices.pseudo import eventually
from tests.training.histories import EVENTS, diffused, ensembled, with_events

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

FRAMES = 26
ALARM = "the actions look as if nobody denormalised them <b>&"
OTHERWISE = "NOT as row 3 says: outcome <i>success</i> there"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    made = with_events(diffused(tmp_path_factory.mktemp("policy") / "diffusion", FRAMES))
    told = {**made.told, "alarms": [ALARM], "compared": {"equal": False, "words": OTHERWISE}}
    return History(told, made.columns, made.outlooks)


@pytest.fixture(scope="module")
def blended(tmp_path_factory: pytest.TempPathFactory) -> History:
    return ensembled(tmp_path_factory.mktemp("policy") / "act", 12)


@pytest.fixture(scope="module")
def written(history: History, tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_page(history, tmp_path_factory.mktemp("page") / "page.html")


@pytest.fixture(scope="module")
def small(blended: History, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """With room for a few pictures only."""
    return write_page(blended, tmp_path_factory.mktemp("page") / "page.html", budget=40_000)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    need(CHROMIUM)
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        opened = browser.tab()
        # What a page throws is kept for us.
        script = "addEventListener('error', event => { window.thrown = event.message; })"
        opened.call("Page.enable")
        opened.call("Page.addScriptToEvaluateOnNewDocument", source=script)
        yield opened


def show(tab: Tab, page: Written, width: int = 1280, height: int = 800) -> None:
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    tab.open(page.path.as_uri())
    eventually(lambda: tab.run("canvases.every(one => one.dataset.drawn === '0')"), "pictures are there", within_s=20)
    assert tab.run("window.thrown") is None


def press(tab: Tab, key: str, shift: bool = False) -> Any:
    code = {"n": "KeyN", "p": "KeyP", " ": "Space"}.get(key, key)
    for kind in ("keyDown", "keyUp"):
        tab.call("Input.dispatchKeyEvent", type=kind, key=key, code=code, modifiers=8 * shift)
    return at(tab)


def at(tab: Tab) -> int:
    return int(tab.run("document.body.dataset.frame"))


def told(page: Written) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="told">(.*?)</script>', page.path.read_text(), re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_the_page_is_driven_by_keys(tab: Tab, written: Written) -> None:
    show(tab, written)
    last, events = FRAMES - 1, sorted(EVENTS)
    assert [press(tab, "ArrowRight"), press(tab, "ArrowRight", shift=True), press(tab, "ArrowLeft")] == [1, 11, 10]
    assert [press(tab, "ArrowLeft", shift=True), press(tab, "ArrowLeft")] == [0, 0]
    assert [press(tab, "End"), press(tab, "ArrowRight", shift=True), press(tab, "Home")] == [last, last, 0]
    assert [press(tab, "n") for _ in range(4)] == [*events, events[-1]]
    assert [press(tab, "p") for _ in range(3)] == [*events[-2::-1], events[0]]
    press(tab, " ")
    eventually(lambda: at(tab) > events[0] + 2, "it plays")
    assert tab.run("document.body.dataset.playing") == "true"
    stopped = press(tab, " ")
    assert (tab.run("document.body.dataset.playing"), at(tab)) == ("false", stopped)
    press(tab, "End")
    press(tab, " ")
    eventually(lambda: tab.run("document.body.dataset.playing") == "false" and at(tab) == last, "it ends by itself")
    tab.run("$('scrub').value = 7; $('scrub').dispatchEvent(new Event('input'))")
    assert at(tab) == 7
    eventually(lambda: tab.run("canvases.every(one => one.dataset.drawn === '7')"), "pictures follow")


def test_the_page_tells_what_the_history_says(tab: Tab, written: Written, history: History) -> None:
    show(tab, written)
    words = tab.run("document.querySelector('[role=alert]').textContent")
    assert words == f"Alarm: {ALARM}"
    assert tab.run("document.querySelectorAll('#alarms p')[1].textContent") == OTHERWISE
    tab.run("show(13)")
    one = history.tracked()[5]
    caption = tab.run("captions[5].textContent")
    now = abs(history.columns.state[13, 5] - history.columns.action[12, 5])
    assert caption.startswith(f"gripper {history.columns.state[13, 5]:.1f} · ")
    assert caption.endswith(f"error {one.mean_error:.1f}, max {one.max_error:.1f}, now {now:.1f}")
    votes = [said for said in history.votes()[13] if np.isfinite(said)]
    assert np.allclose(sorted(tab.run("votes(13)")), sorted(votes), atol=0.006)
    spread = history[13].outlook.thought.spread
    assert spread is not None
    assert f"3 samples spread {spread[:, :5].mean():.1f} deg" in tab.run("$('doubt-words').textContent")
    marks = tab.run("[...document.querySelectorAll('#marks button')].map(one => one.textContent)")
    assert marks == list(EVENTS.values())


@pytest.mark.parametrize("which", ["diffused", "blended"])
def test_lines_are_those_of_the_history(
    tab: Tab, written: Written, small: Written, history: History, blended: History, which: str
) -> None:
    page, watched = (written, history) if which == "diffused" else (small, blended)
    show(tab, page)
    kinds = set()
    for frame in (0, 3, 9, len(watched) - 1):
        found = [one for one in tab.run(f"lines({frame})") if one["kind"] != "came"]
        expected = lines_of(watched, frame)
        assert [one["kind"] for one in found] == [one.kind for one in expected]
        for ours, theirs in zip(found, expected, strict=True):
            assert np.allclose(ours["line"], theirs.points, atol=0.6e-4), "rounded to a tenth of a millimetre"
            kinds.add(theirs.kind)
    more = {"ghost", "sample", "denoising"} if which == "diffused" else {"chunk"}
    assert kinds == {"taken", "plan", *more}


def test_lines_lie_where_the_camera_sees_the_point(tab: Tab, written: Written, history: History) -> None:
    show(tab, written)
    points = history.path[::5]
    for place, view in enumerate(told(written)["pictures"]["views"]):
        pixels = Eye.of(np.array(view["eye"])).project(points, 360, 480)
        for point, pixel in zip(points, pixels, strict=True):
            assert np.allclose(tab.run(f"project(views[{place}].eye, {point.tolist()}, 480, 360)"), pixel, atol=0.05)


def test_a_line_is_turned_off_by_its_number(tab: Tab, written: Written) -> None:
    show(tab, written)
    press(tab, "End")
    eventually(lambda: tab.run(f"canvases[1].dataset.drawn === '{FRAMES - 1}'"), "it is drawn")
    before = tab.run("canvases[1].toDataURL()")
    press(tab, "1")
    off = tab.run("canvases[1].toDataURL()")
    assert off != before
    assert tab.run("document.querySelector('#legend input[name=taken]').checked") is False
    press(tab, "1")
    assert tab.run("canvases[1].toDataURL()") == before


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_it_fits_a_laptop_and_a_phone(tab: Tab, written: Written, tmp_path: Path, width: int, height: int) -> None:
    show(tab, written, width, height)
    assert tab.run("document.documentElement.scrollWidth") <= width
    boxes = tab.run("[...document.querySelectorAll('canvas')].map(one => one.getBoundingClientRect().toJSON())")
    assert len(boxes) == 10
    assert all(box["width"] > width / 4 and box["height"] > 30 for box in boxes)
    assert all(box["left"] >= 0 and box["right"] <= width for box in boxes)
    last = max(box["bottom"] for box in boxes)
    assert last <= height if width > 600 else last > height, (
        "all at a glance on a laptop, one below the other on a phone"
    )
    clock = tab.run("$('clock').getBoundingClientRect().bottom")
    assert clock <= height, "time is always within reach"


def test_the_page_needs_nothing_else(tab: Tab, written: Written) -> None:
    text = written.path.read_text()
    assert written.bytes == len(text.encode())
    assert not re.search(
        r"""(src|href)=["'](?!data:)|https?://|@import|url\((?!data:)""", re.sub(r'id="told">.*?<', "", text)
    )
    show(tab, written)
    used = tab.run("performance.getEntriesByType('resource').map(one => one.name)")
    assert all(name.startswith("data:") for name in used), used
    # Three hundred frames stay below 15 MB.
    assert written.bytes / FRAMES * 300 < 15e6


def test_fewer_pictures_where_they_would_be_too_much(tab: Tab, small: Written) -> None:
    found = told(small)["pictures"]
    assert small.every == found["every"] > 2
    assert found["bytes"] < 60_000
    assert all(len(view["images"]) == -(-13 // found["every"]) for view in found["views"])
    show(tab, small)
    assert f"A picture is there of every {found['every']}" in tab.run("$('notes').textContent")
    assert press(tab, "ArrowRight") == 1
    eventually(lambda: tab.run("canvases[0].dataset.drawn === '1'"), "lines are of every frame")


def test_an_eye_is_where_the_picture_was_taken(history: History) -> None:
    """The block's red pixels are where its centre is projected."""
    scene = Scene(width=480, height=360)
    painter = Painter(scene, compile_scene(scene))
    qpos = history.columns.physics[0, 1 : 1 + painter.model.nq]
    first = painter.address("block")
    shots = painter.shots(qpos, {"overhead": OVERHEAD, "free": FREE.camera(np.zeros(3))})
    painter.close()
    for image, eye in shots.values():
        red = image.astype(int)
        rows, columns = np.nonzero((red[:, :, 0] > 120) & (red[:, :, 1] < 60) & (red[:, :, 2] < 60))
        (pixel,) = eye.project(qpos[None, first : first + 3], *image.shape[:2])
        assert len(rows) > 40
        assert np.allclose(pixel, [np.median(columns), np.median(rows)], atol=4)


def test_nothing_is_written_of_nothing(history: History, tmp_path: Path) -> None:
    columns = history.columns
    empty = type(columns)(columns.state[:0], columns.physics[:0], columns.tip[:0], columns.action[:0], ())
    with pytest.raises(UsageError, match="no frame"):
        write_page(History(history.told, empty, {}), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())
