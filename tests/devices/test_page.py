"""Keys through the browser page, pressed in a real browser."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from recorders.devices.choose import choose
from recorders.devices.page import BUSY, SILENCE_S, NoPage, Page
from recorders.operators.keymap import DECIDE, DRIVE
from tests.devices.browser import Browser, Tab, chromium
from tests.devices.programs import CHROMIUM, need
from tests.devices.pseudo import PROMPT_S, Listener, eventually


class Served(Listener):
    """A page, and what it told."""

    def __init__(self) -> None:
        super().__init__(releases=True, chords=True)
        self.page = Page()
        self.page.start(self.tell)


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.page.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    need(CHROMIUM)
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def tab(browser: Browser, served: Served) -> Iterator[Tab]:
    opened = browser.tab()
    opened.open(served.page.url)
    eventually(lambda: opened.run("state") == "driving", "the page drives")
    yield opened
    opened.close()


# In a browser.


def test_a_key_is_held_until_it_goes_up(served: Served, tab: Tab) -> None:
    tab.down("i")
    served.until("i")
    assert tab.run("caps.i.className") == "down"
    time.sleep(2 * SILENCE_S)
    assert served.held() == ("i",), "its beats keep it held"
    tab.down("i", repeat=True)
    tab.up("i")
    assert served.until() < PROMPT_S
    assert served.strokes() == [("i", "press"), ("i", "repeat"), ("i", "release")]
    assert tab.run("caps.i.className") == ""


def test_chords_come_and_go_key_by_key(served: Served, tab: Tab) -> None:
    for key in ("i", "left", "space"):
        tab.down(key)
    served.until("i", "left", "space")
    tab.up("left")
    served.until("i", "space")
    tab.up("i")
    tab.up("space")
    served.until()


def test_another_tab_in_front_lets_go(browser: Browser, served: Served, tab: Tab) -> None:
    tab.down("i")
    served.until("i")
    other = browser.tab()
    other.front()
    assert served.until() < PROMPT_S
    other.close()
    eventually(lambda: _in_front(tab), "the page drives again")
    tab.down("i", repeat=True)
    tab.down("k")
    served.until("k")
    assert served.strokes()[-1] == ("k", "press"), "a key that was held before wants a new press"
    tab.up("k")


def _in_front(tab: Tab) -> bool:
    """Ask for the front as a person does: again, when the window did not come."""
    tab.front()
    return bool(tab.run("state") == "driving")


def test_a_window_that_loses_the_focus_lets_go(served: Served, tab: Tab) -> None:
    tab.down("i")
    served.until("i")
    tab.run("dispatchEvent(new Event('blur'))")
    assert served.until() < PROMPT_S


def test_commands_are_no_strokes(served: Served, tab: Tab) -> None:
    tab.call("Input.dispatchKeyEvent", type="keyDown", key="c", code="KeyC", modifiers=2)
    tab.down("k")
    served.until("k")
    assert ("c", "press") not in served.strokes()
    tab.up("k")


def test_a_browser_that_freezes_lets_go_after_the_stated_silence(browser: Browser, served: Served, tab: Tab) -> None:
    tab.down("i")
    served.until("i")
    browser.stop()
    try:
        assert served.until() < SILENCE_S + PROMPT_S
        assert served.strokes() == [("i", "press"), ("", "blur")]
    finally:
        browser.stop(False)
    eventually(lambda: tab.run("held.size") == 0, "the page knows that its key wants a new press")
    assert served.held() == ()


def test_a_page_that_closes_lets_go(browser: Browser, served: Served) -> None:
    brief = browser.tab()
    brief.open(served.page.url)
    eventually(lambda: bool(brief.run("state") == "driving"), "the page drives")
    brief.down("i")
    served.until("i")
    brief.close()
    assert served.until() < PROMPT_S


def test_a_second_page_waits_until_the_first_is_gone(browser: Browser, served: Served) -> None:
    first, second = browser.tab(), browser.tab()
    first.open(served.page.url)
    eventually(lambda: bool(first.run("open()")), "the first page drives")
    second.open(served.page.url)
    eventually(lambda: bool(second.run("state") == "busy"), "the second page is told")
    first.close()
    eventually(lambda: bool(second.run("state") == "driving"), "the second page drives")
    second.down("i")
    served.until("i")
    second.close()


def test_pictures_are_shown_under_their_cameras_names(served: Served, tab: Tab, tmp_path: Path) -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[:, :, 0] = 255
    served.page.show({"overhead_cam": red, "wrist_cam": red})
    eventually(lambda: tab.run("document.querySelectorAll('figure img[src^=blob]').length") == 2, "two pictures")
    tab.run(
        "{ const c = document.createElement('canvas'); c.width = c.height = 1; const x = c.getContext('2d');"
        " const i = images.overhead_cam; i.decode().then(() => { x.drawImage(i, 0, 0, 1, 1);"
        " window.pixel = [...x.getImageData(0, 0, 1, 1).data]; }); }"
    )
    eventually(lambda: tab.run("window.pixel !== undefined"), "the picture is decoded")
    pixel = tab.run("window.pixel")
    assert pixel[0] > 240
    assert max(pixel[1:3]) < 16
    assert tab.run("document.querySelector('figcaption').textContent") == "overhead"


def test_the_page_says_when_the_studio_is_gone(browser: Browser) -> None:
    served = Served()
    left = browser.tab()
    left.open(served.page.url)
    eventually(lambda: bool(left.run("state") == "driving"), "the page drives")
    left.down("i")
    served.until("i")
    served.page.stop()
    assert served.held() == ()
    eventually(lambda: bool(left.run("state") == "lost"), "the page tells")
    left.close()


# Without a browser.


def test_every_key_that_means_something_is_on_the_page() -> None:
    text = files("recorders.devices").joinpath("page.html").read_text(encoding="utf-8")
    table = text[text.index("const DRIVE") : text.index("const LABELS")]
    shown = {key for row in table.split('["')[1:] for key in row.split('"')[0].split(" ")}
    assert set(DRIVE) | set(DECIDE) - {"+"} == shown


def test_the_page_is_the_source_that_is_asked_for() -> None:
    choice = choose("browser")
    assert choice.source.name.startswith("browser page http://127.0.0.1:")
    choice.source.stop()
    choice.source.stop()


@pytest.mark.parametrize("path", ["", "keys", "guess/", "guess/keys", "%00/"])
def test_without_the_secret_there_is_nothing(served: Served, path: str) -> None:
    host = served.page.url.split("/")[2]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{host}/{path}", timeout=5)
    assert refused.value.code == 403
    refused.value.close()


def test_the_page_is_reachable_from_this_machine_only(served: Served) -> None:
    port = int(served.page.url.split("/")[2].split(":")[1])
    # A server on every interface would answer here too.
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=1):
        pass


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 101),
        ({"Origin": "http://HOST"}, 101),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 403),
    ],
)
def test_pages_of_other_sites_may_not_connect(served: Served, headers: dict[str, str], status: int) -> None:
    host = served.page.url.split("/")[2]
    filled = {name: value.replace("HOST", host) for name, value in headers.items()}

    async def connect() -> int:
        async with aiohttp.ClientSession() as client:
            try:
                async with client.ws_connect(served.page.url + "keys", headers=filled):
                    return 101
            except aiohttp.WSServerHandshakeError as refused:
                return refused.status

    assert asyncio.run(connect()) == status


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(NoPage, match=f"port {port}"):
            Page(port)


def _talk(served: Served, said: list[Any], then: Any = None) -> int | None:
    """Say these things as a page would; gives the close code."""

    async def talk() -> int | None:
        async with aiohttp.ClientSession() as client, client.ws_connect(served.page.url + "keys") as page:
            for words in said:
                await page.send_str(words if isinstance(words, str) else json.dumps(words))
            await asyncio.sleep(0.1)
            return then(page) if then else page.close_code

    return asyncio.run(talk())


def test_a_release_that_was_lost_is_noticed_by_the_next_beat(served: Served) -> None:
    _talk(
        served,
        [{"stroke": "press", "key": "i"}, {"stroke": "press", "key": "k"}, {"held": ["k"]}],
        lambda _: served.until("k"),
    )
    assert ("i", "release") in served.strokes()


def test_a_beat_alone_drives_nothing(served: Served) -> None:
    _talk(served, [{"held": ["i"]}, {"stroke": "repeat", "key": "j"}], lambda _: served.until())
    assert {key for key, _ in served.strokes()} <= {""}


def test_nonsense_neither_drives_nor_ends_the_server(served: Served) -> None:
    nonsense = ["", "[]", "null", "{", "7", '{"held": 3}', '{"stroke": "hop", "key": "i"}', '{"stroke": "press"}']
    _talk(served, [*nonsense, {"stroke": "press", "key": "l"}], lambda _: served.until("l"))
    served.until()
    _talk(served, ["x" * 5000])
    _talk(served, [{"stroke": "press", "key": "m"}], lambda _: served.until("m"))


def test_a_page_that_fell_silent_for_long_gives_way_to_another(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorders.devices.page.STALE_S", 0.2)

    async def two() -> tuple[int | None, bool]:
        async with aiohttp.ClientSession() as client:
            first = await client.ws_connect(served.page.url + "keys")
            soon = await client.ws_connect(served.page.url + "keys")
            await soon.receive()
            await asyncio.sleep(0.25)
            late = await client.ws_connect(served.page.url + "keys")
            await late.send_json({"stroke": "press", "key": "i"})
            await first.receive()
            await asyncio.sleep(0.1)
            drives = ("i", "press") in served.strokes()
            for page in (first, soon, late):
                await page.close()
            return soon.close_code, drives

    assert asyncio.run(two()) == (BUSY, True)
