"""A watched episode made of sines, the same everywhere to the last bit: what screens make of it can be compared."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from curation.frames import Phase, Vector
from recorders.events import Mark
from recorders.whisker import Whisker
from recorders.world.eye import Eye
from recorders.world.scene import Scene, fingerprint
from studio.watching.history import Columns, History
from studio.watching.moment import Outlook
from training.thought import Thought

FPS, FRAMES, CHUNK, EVERY = 30, 150, 30, 10
SCENE = Scene(width=64, height=48)
GRASP, DROP, AGAIN = 60, 90, 120
"""When the block is grasped, lost, and grasped again."""
ABOVE = Eye(np.array([0.2, 0.0, 0.8]), np.array([0.0, 0.0, -1.0]), np.array([1.0, 0.0, 0.0]), 0.5)


def joints(frame: Vector) -> Vector:
    """Six joints that swing, shape (N, 6)."""
    return np.round(np.stack([20 * np.sin(frame / (9.0 + 3 * joint)) + 10 * joint for joint in range(6)], axis=1), 3)


def way(frame: Vector) -> Vector:
    """Of the tool point, shape (N, 3) [m]."""
    turn = frame / 25.0
    return np.round(np.stack([0.22 + 0.1 * np.sin(turn), 0.1 * np.cos(turn), 0.05 + 0 * turn], axis=1), 5)


def marks(count: int) -> tuple[Mark, ...]:
    """Grasped and lifted, dropped, grasped again, never released."""

    def phase(frame: int) -> Phase:
        up = GRASP <= frame < DROP or frame >= AGAIN
        return Phase.LIFT if up else Phase.REACH

    return tuple(
        Mark(phase(frame), int(frame >= GRASP) + int(frame >= AGAIN), int(frame >= DROP), success=False)
        for frame in range(count)
    )


def outlook(frame: int, *, blended: bool, samples: int) -> Outlook:
    """What was meant: a little beside what came, the more the later."""
    ahead = np.arange(CHUNK, dtype=np.float64)
    plan = joints(frame + ahead + 1) + np.round(ahead[:, None] * 0.2 * np.sin(frame), 3)
    several = np.stack([plan + (number + 1) * np.round(ahead[:, None] * 0.1, 3) for number in range(samples)] or [plan])
    thought = Thought(
        frame=frame, plan=plan, sure=1 if blended else EVERY, chunk=plan, blended=blended,
        samples=several[:samples], seconds=0.02,
    )  # fmt: skip
    aside = np.concatenate([[0.0], ahead + 1])[:, None] * 0.001
    path = way(frame + np.arange(CHUNK + 1.0)) + aside * np.array([1.0, 0.5 * np.sin(frame), 0.0])
    whisker = Whisker(path, joints(frame + np.arange(CHUNK + 1.0)))
    others = tuple(Whisker(path + aside * (number + 1), whisker.joints) for number in range(samples))
    return Outlook(thought, whisker, whisker, others)


def made(*, blended: bool = False, samples: int = 0, alarms: tuple[str, ...] = (), **more: Any) -> History:
    """A whole one that timed out."""
    frames = np.arange(FRAMES + 1.0)
    action = joints(frames[1:])
    physics = np.zeros((FRAMES + 1, 60))
    columns = Columns(joints(frames - 1), physics, way(frames), action, marks(FRAMES + 1))
    asked = range(0, FRAMES, 1 if blended else EVERY)
    told = {
        "checkpoint": {"name": "act-pos2", "folder": "gone", "digest": "0", "label": "act-pos2@002000", "run": "x",
                       "step": 2000, "policy": "act", "privileged": False},
        "source": {"kind": "placement"}, "scene": {"fingerprint": fingerprint(SCENE), "scene": asdict(SCENE)},
        "seed": 7, "placement": {"x": 0.337, "y": -0.015, "yaw_deg": 12.0}, "task": "Pick it", "fps": FPS,
        "limit_frames": FRAMES, "began": {}, "seat": None, "device": "cpu", "threads": 1, "samples": samples,
        "whiskers": True, "versions": {}, "draws": samples > 0, "branches": [], "alarms": list(alarms),
        "settings": {"n_action_steps": 1 if blended else EVERY, "ensemble": 0.01 if blended else None, "blind": []},
        "ending": {"status": "timeout", "outcome": "held_at_timeout", "report": {}}, **more,
    }  # fmt: skip
    return History(told, columns, {at: outlook(at, blended=blended, samples=samples) for at in asked})
