"""pyopenxr, the Khronos loader and a runtime: what the hand does arrives, and every ending is told as one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recorders.devices.controller import FRESH_AFTER_S, RECENTRED, Button, ControllerSample, Pulse
from recorders.devices.openxr.errors import HeadsetGone, NoHeadset
from recorders.devices.openxr.session import Session
from recorders.operators.controller.clutch import Clutch, Hold
from tests.devices.openxr.runtime import (
    DEAD,
    FLOODS,
    FOCUSED,
    INDEX,
    LOSS_PENDING,
    MOTION,
    NOTHING,
    SIMPLE,
    STOPPING,
    TOUCH,
    VISIBLE,
    VIVE,
    Runtime,
    validation,
)

HAND = ControllerSample(
    0.0,
    "right",
    (0.25, 1.5, -0.5),
    (0.0, 0.6, 0.0, 0.8),
    tracked=True,
    squeeze=1.0,
    trigger=0.75,
    stick=(0.5, -0.25),
    buttons=frozenset({Button.LOWER, Button.STICK}),
)


@pytest.fixture
def session(runtime: Runtime) -> Iterator[Session]:
    made = Session("right")
    made.poll()
    yield made
    made.close()


def test_a_session_says_whose_it_is_and_what_the_hand_holds(runtime: Runtime) -> None:
    session = Session("right")
    assert session.runtime == "Test runtime 1.2.3"
    assert session.poll() == ["The headset is ready.", "Right hand: touch controller."]
    runtime.set(profile=NOTHING)
    assert session.poll() == ["The right controller is off."]
    session.close()


@pytest.mark.parametrize(
    ("profile", "has_stick", "buttons"),
    [
        (TOUCH, True, {Button.LOWER, Button.STICK}),
        (INDEX, True, {Button.LOWER, Button.STICK}),
        (MOTION, True, {Button.LOWER, Button.STICK}),
        (VIVE, False, {Button.LOWER, Button.STICK}),
        (SIMPLE, False, set()),
    ],
)
def test_what_the_hand_does_arrives(
    runtime: Runtime, session: Session, profile: int, has_stick: bool, buttons: set[Button]
) -> None:
    runtime.set(profile=profile)
    runtime.move(HAND)
    found = session.read()
    assert abs(time.perf_counter() - found.time) < 0.1
    assert found.sound
    assert found.position == HAND.position
    assert found.rotation == pytest.approx(HAND.rotation)
    assert (found.squeeze, found.trigger) == (1.0, 0.75)
    assert found.stick == (HAND.stick if has_stick else (0.0, 0.0))
    assert found.buttons == buttons
    session.pulse(Pulse(0.5, 0.03))
    assert (runtime.pulses, runtime.felt()) == ({"left": 0, "right": 1}, (0.5, 0.03))


def test_the_left_hand_is_another_one(runtime: Runtime) -> None:
    session = Session("left")
    session.poll()
    runtime.move(replace(HAND, hand="left", buttons=frozenset({Button.UPPER})))
    found = session.read()
    assert (found.hand, found.position, found.buttons) == ("left", HAND.position, {Button.UPPER})
    session.close()


def test_a_pose_that_is_made_up_is_not_tracked(runtime: Runtime, session: Session) -> None:
    runtime.move(replace(HAND, tracked=False))
    found = session.read()
    assert (found.tracked, found.position, found.squeeze) == (False, HAND.position, 1.0)
    runtime.move(HAND, active=False)
    assert not session.read().tracked
    session.pulse(Pulse(0.5, 0.03))  # nobody feels it, and nothing breaks


def test_with_its_menu_open_the_hand_is_not_ours(runtime: Runtime, session: Session) -> None:
    runtime.move(HAND)
    assert session.read().tracked
    runtime.set(wanted=VISIBLE)
    assert session.poll() == ["The headset's menu is open, or it was taken off: the arm stands."]
    found = session.read()
    assert (found.tracked, found.squeeze, found.buttons) == (False, 0.0, frozenset())
    session.pulse(Pulse(0.5, 0.03))
    runtime.set(wanted=FOCUSED)
    assert session.poll() == ["The headset is ready."]
    assert session.read().tracked


def test_in_a_play_space_that_moved_only_a_new_squeeze_drives(runtime: Runtime, session: Session) -> None:
    clutch = Clutch()
    for squeeze in (0.0, 1.0):
        runtime.move(replace(HAND, squeeze=squeeze))
        clutch.see(session.read())
    assert clutch.hold is Hold.DRIVING
    runtime.set(recentred=1)
    assert session.poll() == [RECENTRED]
    clutch.see(session.read())
    assert clutch.hold is Hold.LOST
    time.sleep(FRESH_AFTER_S + 0.02)
    for squeeze, hold in ((1.0, Hold.FREE), (0.0, Hold.FREE), (1.0, Hold.DRIVING)):
        runtime.move(replace(HAND, squeeze=squeeze))
        clutch.see(session.read())
        assert clutch.hold is hold


@pytest.mark.parametrize("wanted", [STOPPING, LOSS_PENDING])
def test_a_session_that_was_quit_or_lost_is_over(runtime: Runtime, session: Session, wanted: int) -> None:
    runtime.set(wanted=wanted)
    with pytest.raises(HeadsetGone):
        session.poll()
    session.close()
    runtime.set(wanted=FOCUSED)
    again = Session("right")
    again.poll()
    assert again.read().tracked
    assert runtime.sessions == 2
    again.close()


def test_a_runtime_that_died_is_told_by_whatever_is_asked(runtime: Runtime, session: Session) -> None:
    runtime.set(health=DEAD)
    with pytest.raises(HeadsetGone, match="InstanceLost"):
        session.poll()
    with pytest.raises(HeadsetGone, match="SessionLost"):
        session.read()
    session.pulse(Pulse(0.5, 0.03))


def test_a_runtime_that_never_runs_out_of_events_holds_up_nothing(runtime: Runtime, session: Session) -> None:
    runtime.set(health=FLOODS)
    runtime.move(HAND)
    began = time.perf_counter()
    session.poll()
    assert time.perf_counter() - began < 0.5
    assert session.read().tracked


def test_a_runtime_without_headless_sessions_is_named_with_the_way_out(runtime: Runtime) -> None:
    runtime.set(headless=0)
    with pytest.raises(NoHeadset, match=r"Test runtime 1\.2\.3 gives controllers only.*SteamVR"):
        Session("right")


def test_a_runtime_without_a_headset_says_so(runtime: Runtime) -> None:
    runtime.set(headset=0)
    with pytest.raises(NoHeadset, match=r"Test runtime 1\.2\.3 sees no headset"):
        Session("right")
    runtime.set(headset=1)
    Session("right").close()


def test_no_runtime_and_one_that_does_not_start(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XR_LOADER_DEBUG", "none")
    runtime.set(health=DEAD)
    with pytest.raises(NoHeadset, match="does not start"):
        Session("right")
    monkeypatch.setenv("XR_RUNTIME_JSON", "/nowhere/at_all.json")
    with pytest.raises(NoHeadset, match="No OpenXR runtime is active"):
        Session("right")


def test_without_pyopenxr_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xr", None)
    with pytest.raises(NoHeadset, match="--extra vr"):
        Session("right")


WHOLE = """
import sys
from recorders.devices.controller import Pulse
from recorders.devices.openxr.session import Session
session = Session("right")
for _ in range(5):
    session.poll()
    session.read()
session.pulse(Pulse(0.5, 0.03))
if sys.argv[1] == "wrong":
    session._ask["grip"].type = 1
    session.read()
session.close()
"""


@pytest.mark.parametrize("way", ["right", "wrong"])
def test_the_validation_layer_of_khronos_has_nothing_to_say(runtime: Runtime, tmp_path: Path, way: str) -> None:
    """And would say something: a structure that says it is another one is what it must not let through."""
    log = tmp_path / "validation.txt"
    surroundings = {**os.environ, **validation(log)}
    subprocess.run([sys.executable, "-c", WHOLE, way], env=surroundings, check=way == "right", timeout=60)
    lines = log.read_text().splitlines()
    assert any("is initialized" in line for line in lines)
    found = [line for line in lines if "VALID_DEBUG" not in line and line.strip()]
    assert bool(found) == (way == "wrong"), found


def test_who_spoke_to_a_headset_can_still_draw() -> None:
    """pyopenxr turns PyOpenGL to GLX, which MuJoCo's EGL does not survive."""
    script = """
from recorders.devices.openxr.session import _load
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene

_load()
scene = Scene(width=64, height=48)
model = compile_scene(scene)
print(Painter(scene, model).draw(model.qpos0)["overhead_cam"].std())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert float(done.stdout) > 5
