"""The page itself in a browser, opened by an emulated Quest."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from recorders.devices.controller import Button, ControllerSample, Pulse
from tests.devices.browser import Browser
from tests.devices.pseudo import PROMPT_S, eventually
from tests.devices.web.heard import Heard
from tests.devices.web.quest import Quest, quests

HELD = ControllerSample(0.0, "right", (0.2, 1.1, -0.4), (0.0, 0.6, 0.0, 0.8), True, 1.0, 0.5, (0.25, 0.5))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with quests(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def quest(browser: Browser, heard: Heard) -> Iterator[Quest]:
    made = Quest(browser)
    made.open(heard.source.address)
    heard.says("press Start")
    made.start()
    made.move(HELD)
    heard.until(lambda: heard.sound, "the hand is seen")
    yield made
    made.tab.close()


def test_the_page_tells_the_grip_and_not_the_aim(heard: Heard, quest: Quest) -> None:
    pressed = ControllerSample(**{**vars(HELD), "buttons": frozenset({Button.LOWER, Button.STICK})})
    quest.move(pressed)
    heard.until(lambda: heard.samples[-1].buttons == pressed.buttons, "the buttons")
    found = heard.samples[-1]
    assert np.allclose(found.position, HELD.position, atol=1e-5)
    assert np.allclose(found.rotation, HELD.rotation, atol=1e-5)
    assert (found.squeeze, found.trigger, found.stick) == (1.0, 0.5, (0.25, 0.5))
    assert heard.source.name == "WebXR (meta-quest-touch-plus), right hand"


def test_whatever_the_headset_is_in_doubt_about_lets_go(heard: Heard, quest: Quest) -> None:
    for doubt, over, words in (
        ("quest.updateVisibilityState('visible-blurred')", "quest.updateVisibilityState('visible')", "menu is open"),
        ("quest.controllers.right.connected = false", "quest.controllers.right.connected = true", ""),
        ("see(false)", "see(true)", ""),
    ):
        quest.run(doubt)
        heard.until(lambda: not heard.sound, doubt, within_s=5)
        if words:
            heard.says(words)
        heard.samples.clear()
        time.sleep(PROMPT_S)
        heard.take()
        assert not any(sample.sound for sample in heard.samples), doubt
        quest.run(over)
        heard.until(lambda: heard.sound, over)


def test_a_recentred_headset_drops_the_hand_for_a_while(heard: Heard, quest: Quest) -> None:
    heard.samples.clear()
    quest.run("quest.recenter()")
    heard.says("recentred")
    assert any(not sample.sound for sample in heard.samples)
    heard.until(lambda: heard.sound, "the hand is seen again")


def test_another_tab_in_front_and_a_session_left_are_told(browser: Browser, heard: Heard, quest: Quest) -> None:
    other = browser.tab()
    other.front()
    heard.says("hidden")
    assert not heard.sound
    other.close()
    quest.tab.front()
    heard.says("The headset is ready")
    quest.run("quest.activeSession.end()")
    heard.says("left in the headset")
    assert not heard.sound
    quest.start()
    heard.until(lambda: heard.sound, "Start goes on")


def test_the_connection_comes_back_by_itself(heard: Heard, quest: Quest) -> None:
    quest.run("socket.close()")
    heard.says("page is gone")
    heard.says("The headset is ready")
    heard.until(lambda: heard.sound, "the hand is seen again")


def test_the_person_sees_hears_and_feels_what_the_studio_says(heard: Heard, quest: Quest) -> None:
    red = np.full((24, 32, 3), (250, 10, 10), np.uint8)
    heard.source.show({"overhead_cam": red})
    heard.source.tell("RECORDING", ["saved episode 3"])
    heard.source.ring(good=True)
    heard.source.pulse(Pulse(0.5, 0.03))
    eventually(lambda: quest.run("pulses.length") == 1, "the hand feels it")
    assert quest.run("pulses[0].join()") == "0.5,30"
    eventually(lambda: quest.run("look.now") == "RECORDING", "the words")
    eventually(lambda: quest.run("[...paint.getImageData(200, 200, 1, 1).data][0]") > 200, "the picture")
    assert quest.run("flash") == "good"
    assert quest.run("screen.gl.getError()") == 0


def test_a_second_tab_is_refused_and_says_so(browser: Browser, heard: Heard, quest: Quest) -> None:
    second = Quest(browser)
    second.open(heard.source.address)
    eventually(lambda: second.state() == "busy", "it says so")
    heard.says("A second page")
    second.tab.close()
    quest.tab.front()
    heard.until(lambda: heard.sound, "the first drives")
