"""A Quest that nobody wears: Meta's emulator of WebXR in a headless Chromium, moved by tests."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.frames import Vector
from recorders.devices.controller import RATE_HZ, Button, ControllerSample
from tests.devices.browser import Browser, Tab, chromium
from tests.devices.programs import CHROMIUM, need
from tests.devices.pseudo import eventually
from tests.operators.controller.phantom import quaternion

EMULATOR = Path(__file__).parents[3] / ".tools" / "iwer" / "iwer.min.js"
FLAGS = (
    "--ignore-certificate-errors",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=320,240",
    "--autoplay-policy=no-user-gesture-required",
)
SET_UP = """
window.quest = new IWER.XRDevice(IWER.metaQuest3);
quest.installRuntime({ forceInstall: true });
window.pulses = [];
const hand = quest.controllers.right;
hand.inputSource.gamepad.hapticActuators.forEach(actuator => {
  actuator.pulse = (strength, ms) => (pulses.push([strength, ms]), Promise.resolve(true));
});
// The emulator calls every pose inferred; a headset that sees its controllers does not.
const grip = hand.inputSource.gripSpace;
const place = grip[Object.getOwnPropertySymbols(grip).find(name => "emulated" in Object(grip[name]))];
window.see = seen => { place.emulated = !seen; };
see(true);
window.move = ([px, py, pz, qx, qy, qz, qw, squeeze, trigger, right, back, click, lower, upper]) => {
  hand.position.set(px, py, pz);
  hand.quaternion.set(qx, qy, qz, qw);
  const values = { squeeze, trigger, thumbstick: click, "a-button": lower, "b-button": upper };
  for (const [name, value] of Object.entries(values)) hand.updateButtonValue(name, value);
  hand.updateAxes("thumbstick", right, back);
};
window.play = (rows, rate) => {
  clearInterval(window.playing);
  let now = 0, last = performance.now();
  window.playing = setInterval(() => {
    // A hand does not jump: while a busy machine holds this page up, the hand stands.
    const passed = performance.now() - last;
    last += passed;
    now += Math.min(passed, 20) / 1000;
    const place = Math.min(rows.length - 1, Math.floor(now * rate));
    move(rows[place]);
    if (place === rows.length - 1) clearInterval(window.playing);
  }, 5);
};
"""


class Quest:
    """One tab in which a Quest 3 is emulated.

    Args:
        browser: of the tab.
    """

    def __init__(self, browser: Browser) -> None:
        self.tab: Tab = browser.tab()
        for text in (EMULATOR.read_text(encoding="utf-8"), SET_UP):
            self.tab.call("Page.addScriptToEvaluateOnNewDocument", source=text)
        self.tab.call("Page.enable")
        self._from_grip: Vector = np.eye(4)

    def open(self, address: str) -> None:
        """Open the page, without starting the session."""
        self.tab.open(address)
        offset = self.tab.run("IWER.metaQuest3.controllerConfig.layout.right.gripOffsetMatrix")
        self._from_grip = np.linalg.inv(np.array(offset).reshape(4, 4).T)

    def start(self) -> None:
        """Press Start."""
        eventually(lambda: self.state() in ("open", "ended"), "the page can start")
        self.tab.call("Runtime.evaluate", expression="document.getElementById('enter').click()", userGesture=True)
        eventually(lambda: self.state() == "visible", "the session has started")

    def state(self) -> str:
        """Of the page."""
        return str(self.tab.run("document.body.dataset.state"))

    def move(self, sample: ControllerSample) -> None:
        """Put the right hand here at once."""
        self.tab.run(f"clearInterval(window.playing); move({json.dumps(self._row(sample))})")

    def play(self, samples: Sequence[ControllerSample]) -> None:
        """Let the right hand make this motion by the page's clock; at its end it stays. Returns at once."""
        self.tab.run(f"play({json.dumps([self._row(sample) for sample in samples])}, {RATE_HZ})")

    def run(self, script: str) -> Any:
        return self.tab.run(script)

    def _row(self, sample: ControllerSample) -> list[float]:
        """What the emulator is set to: the aim, which stands apart from the grip."""
        grip = np.eye(4)
        grip[:3, 3] = sample.position
        grip[:3, :3] = _matrix(sample.rotation)
        aim = grip @ self._from_grip
        down = [float(button in sample.buttons) for button in (Button.STICK, Button.LOWER, Button.UPPER)]
        right, forward = sample.stick
        return [*aim[:3, 3], *quaternion(aim[:3, :3]), sample.squeeze, sample.trigger, right, -forward, *down]


def _matrix(rotation: tuple[float, float, float, float]) -> Vector:
    import mujoco

    x, y, z, w = rotation
    out = np.zeros(9)
    mujoco.mju_quat2Mat(out, np.array([w, x, y, z]))
    return out.reshape(3, 3)


@contextmanager
def quests(profile: Path) -> Iterator[Browser]:
    """A browser in which Quests can be emulated; skips, loudly, where there is none."""
    need(CHROMIUM)
    if not EMULATOR.exists():
        text = f"no emulator of WebXR at {EMULATOR}. Run .ci/setup"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    with chromium(profile, FLAGS) as browser:
        yield browser
