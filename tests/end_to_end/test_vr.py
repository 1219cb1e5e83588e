"""Recording with a headset from the command line: real pyopenxr, real loader, a runtime that a test moves."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curation.layout import TAKES
from curation.store import Store
from curation.video import Encoding
from recorders.booth import Booth
from recorders.devices.controller import Button, ControllerSample
from recorders.devices.motion_log import Replayed
from recorders.operators.controller.driver import Controller
from recorders.placements import Placing
from recorders.session import Session
from recorders.shelf import DatasetShelf
from recorders.sitting import Sitting
from recorders.world.scene import Scene
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.sim import SimWorld
from tests.devices.openxr.runtime import DEAD, WELL, Runtime, build, moving, validation
from tests.end_to_end.commands import Commands
from tests.end_to_end.recordings import AT, SMALL, TRIES, Recording, phantom
from tests.operators.controller.phantom import Phantom
from tests.recorders.sittings import Hasty


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Callable[..., tuple[Recording, Runtime]]]:
    """Record beside a headset that is on."""
    made: list[Recording] = []
    runtimes: list[Runtime] = []
    headset = tmp_path / "headset"

    def run(*words: str) -> tuple[Recording, Runtime]:
        runtimes.append(Runtime(headset))
        surroundings = Commands(tmp_path).surroundings | {
            "XR_RUNTIME_JSON": str(build(tmp_path)),
            "STUDIO_TEST_XR": str(headset),
            "PYTHONUNBUFFERED": "1",
            **validation(tmp_path / "validation.txt"),
        }
        made.append(Recording(("--operator", "vr", *words, *SMALL, "--json"), {**os.environ, **surroundings}))
        return made[-1], runtimes[-1]

    yield run
    for recording in made:
        recording.kill()
    for runtime in runtimes:
        runtime.close()


class Pausing:
    """The same motion, in the middle of which the hand stands until it is told to squeeze anew and go on."""

    def __init__(self, hand: Phantom, at_s: float) -> None:
        self._hand = hand
        self._pause_s = at_s
        self._now = 0.0
        self._again_s = float("inf")

    def again(self) -> None:
        """Let go, squeeze and go on."""
        self._again_s = self._now

    def __call__(self, seconds: float) -> ControllerSample:
        self._now = seconds
        there = self._hand.at(min(seconds, self._pause_s))
        if seconds < self._again_s + 0.3:
            return there if seconds < self._again_s else replace(there, squeeze=0.0)
        return self._hand.at(self._pause_s + max(0.0, seconds - self._again_s - 0.6))


def place(recording: Recording, runtime: Runtime, hand: Phantom, interrupt: Callable[[], None] | None = None) -> None:
    """Bring the block into the bowl; a person who fails, because a busy machine let a reading come late, tries again.

    Args:
        recording: is READY, or about to be.
        runtime: whose right hand it is.
        hand: what it does.
        interrupt: is called in the middle of it.
    """
    for _ in range(TRIES):
        runtime.move(hand.at(0.0))
        recording.says(r"take \d+: block at")
        time.sleep(0.5)
        motion = Pausing(hand, 2.5 if interrupt else 1e9)
        with moving(runtime, motion, 120.0):
            if interrupt is not None:
                time.sleep(3.0)
                interrupt()
                motion.again()
            if recording.told("take: success, .* kept", hand.seconds + 10):
                return
        press(runtime, Button.UPPER)
        recording.says("discarded")
    raise AssertionError(f"{TRIES} takes failed:\n{recording.said}")


def press(runtime: Runtime, button: Button) -> None:
    """Press and release a button, with the hand let go."""
    resting = replace(runtime.hands["right"][0], squeeze=0.0, buttons=frozenset())
    for buttons in (frozenset[Button](), frozenset({button}), frozenset[Button]()):
        runtime.move(replace(resting, buttons=buttons))
        time.sleep(0.4)


def test_a_pick_and_place_by_headset_becomes_an_episode_also_across_a_runtime_that_died(
    record: Callable[..., tuple[Recording, Runtime]], tmp_path: Path
) -> None:
    hand = phantom()
    log = tmp_path / "motion.jsonl"
    recording, runtime = record("--to", "mine", *AT, "-n", "2", "--motion-log", str(log))

    def dies() -> None:
        runtime.set(health=DEAD)
        recording.says("The OpenXR runtime is gone")
        runtime.set(health=WELL)
        recording.says("connected again")
        recording.says("The headset is ready")

    place(recording, runtime, hand)
    place(recording, runtime, hand, dies)
    press(runtime, Button.LOWER)
    assert recording.ends() == 0, recording.said

    store = Store.open(tmp_path / "mine")
    assert [(row.operator, row.outcome) for row in store.rows()] == [("vr", "success")] * 2
    assert not list((tmp_path / "mine" / TAKES).glob("*"))
    for index, row in enumerate(store.rows()):
        actions = store.numeric(index)["action"]
        assert np.abs(np.diff(actions, axis=0))[:, :5].max() <= STEP_LIMIT_DEG_PER_S / 30 + 1e-3
        told = row.extra["controller"]
        assert told["source"] == "Test runtime 1.2.3, right hand"
        assert told["sample_age_ms"]["median"] < 100
        assert (told["frames"]["lost"] > 30) == (index == 1)
    told = (tmp_path / "validation.txt").read_text().splitlines()
    assert [line for line in told if line.strip() and "VALID_DEBUG" not in line] == []
    replayed = replay(log, tmp_path / "again")
    for index in range(2):
        assert np.array_equal(replayed.numeric(index)["action"], store.numeric(index)["action"])


def replay(log: Path, root: Path) -> Store:
    """Hold the sitting of a motion log once more, as fast as it goes."""
    scene = Scene(width=64, height=48)
    world = SimWorld(scene)
    controller = Controller(Replayed(log), scene.fps)
    shelf = DatasetShelf(Session.create(root, scene, Encoding()), lambda event: None)
    try:
        Booth(
            Sitting(label="vr", placing=Placing(at=(0.337, -0.015), yaw=30.0), episodes=2), world, controller,
            hands=controller, pressed=controller.pressed, release=controller.release, shelf=shelf,
            inbox=queue.SimpleQueue(), tell=lambda event: None, show=lambda tick: None, clock=Hasty(scene.fps),
        ).run()  # fmt: skip
    finally:
        shelf.close()
        world.close()
    return Store.open(root)


def test_without_a_headset_no_dataset_is_begun(tmp_path: Path) -> None:
    nothing = {"XR_RUNTIME_JSON": str(tmp_path / "nowhere.json")}
    said = Commands(tmp_path, nothing).studio("record", "--operator", "vr", "--to", "mine", code=1)
    assert "No OpenXR runtime is active" in said.err
    assert not (tmp_path / "mine").exists()


def test_what_is_asked_of_a_controller_needs_one(tmp_path: Path) -> None:
    said = Commands(tmp_path).studio("record", "--motion", "a.jsonl", "--to", "mine", code=2)
    assert "--motion a.jsonl is for --operator vr" in said.err


@pytest.mark.slow
def test_twenty_episodes_by_headset(record: Callable[..., tuple[Recording, Runtime]], tmp_path: Path) -> None:
    """Twenty motions, each another and by a hand that trembles by a millimetre: judged, saved, opened by LeRobot."""
    from lerobot.datasets import LeRobotDataset

    recording, runtime = record("--to", "mine", *AT, "-n", "20")
    for take in range(20):
        place(recording, runtime, phantom(seed=take, tremble=0.001))
    press(runtime, Button.LOWER)
    assert recording.ends() == 0, recording.said
    assert len(LeRobotDataset("studio/vr", root=tmp_path / "mine").meta.episodes) == 20
    rows = Store.open(tmp_path / "mine").rows()
    assert [row.outcome for row in rows] == ["success"] * 20
    # Medians over takes: what else a machine does in one of them is not ours.
    assert np.median([row.extra["tick_p99_ms"] for row in rows]) < 1000 / 30
    assert np.median([row.extra["controller"]["sample_to_control_ms"]["p95"] for row in rows]) < 20
