"""Where a block can be placed: within reach, in view, clear of the bowl. Kinematics only, no planner.

Reach was fixed before any planner existed; a planner that cannot serve a placement inside it has failed.
"""

from __future__ import annotations

import math

import numpy as np

from curation.frames import Placement

from . import props
from .kinematics import PAN_X, Grip, solve
from .scene import Scene

MIN_RADIUS = 0.10
"""Closest placement to the pan axis [m]: nearer, the block stands under the folded arm."""
GRASP_HEIGHT = 0.012
"""Height of the tool point above the table [m] at which reach is asked."""
PITCHES = tuple(math.radians(pitch) for pitch in range(90, 29, -5))
"""Approach pitches that count, steepest first [rad]: 30 degrees and more."""
BOWL_GAP = 0.012
"""Free table between block and bowl [m], so that open jaws fit."""
_TCP = np.array([0.0, 0.0, -0.0981])


def reachable(placement: Placement) -> bool:
    """Whether some pitch of at least 30 degrees brings the tool point to the block within joint limits."""
    if math.hypot(placement.x - PAN_X, placement.y) < MIN_RADIUS:
        return False
    point = np.array([placement.x, placement.y, GRASP_HEIGHT])
    return any(solve(Grip(point, pitch, 0.0), _TCP) is not None for pitch in PITCHES)


def clear_of_bowl(scene: Scene, placement: Placement) -> bool:
    """Whether the block stands beside the bowl with a gap for the jaws."""
    half = math.hypot(*scene.block_half[:2])
    x, y = placement.x - props.BOWL_CENTRE[0], placement.y - props.BOWL_CENTRE[1]
    if scene.bowl == "tray":
        outside = max(abs(x), abs(y)) - props.TRAY_HALF
    else:
        outside = math.hypot(x, y) - props.BOWL_RIM_RADIUS
    return outside > half + BOWL_GAP


def view(scene: Scene) -> tuple[float, float, float, float]:
    """What the overhead camera sees of the table: x low, x high, y low, y high [m]."""
    camera_x, camera_y, height = 0.30, -0.09, 0.60
    tall = height * math.tan(math.radians(scene.overhead_fov) / 2)
    wide = tall * scene.width / scene.height
    return camera_x - tall, camera_x + tall, camera_y - wide, camera_y + wide


def in_view(scene: Scene, placement: Placement) -> bool:
    """Whether the overhead camera sees the whole block."""
    half = math.hypot(*scene.block_half[:2])
    x_low, x_high, y_low, y_high = view(scene)
    inside_x = x_low + half <= placement.x <= x_high - half
    return inside_x and y_low + half <= placement.y <= y_high - half


def problems(scene: Scene, placement: Placement) -> list[str]:
    """Why a block cannot be recorded at a placement; empty if it can."""
    found = []
    if not reachable(placement):
        found.append("out of the arm's reach")
    if not clear_of_bowl(scene, placement):
        found.append("in or too close to the bowl")
    if not in_view(scene, placement):
        found.append("outside the overhead camera's view")
    return found


def nearest_valid(scene: Scene, placement: Placement, step: float = 0.005) -> Placement | None:
    """The closest placement without problems, on a 5 mm lattice around the asked one, within 30 cm."""
    offsets = np.arange(-60, 61) * step
    dx, dy = np.meshgrid(offsets, offsets, indexing="ij")
    order = np.argsort(np.hypot(dx, dy), axis=None, kind="stable")
    for index in order:
        x, y = placement.x + float(dx.flat[index]), placement.y + float(dy.flat[index])
        moved = Placement(round(x, 4), round(y, 4), placement.yaw_deg)
        if not problems(scene, moved):
            return moved
    return None


def distractor_places(scene: Scene, placement: Placement, seed: int) -> list[tuple[float, float]]:
    """Where the distractors stand: their default spots, or seeded free ones where the block is too near."""
    rng = np.random.default_rng([seed, 7])
    apart = math.hypot(*scene.block_half[:2]) + 0.045
    taken = [(placement.x, placement.y)]
    places = []
    for spot in props.DISTRACTOR_SPOTS[: scene.distractors]:
        x, y = spot
        while any(math.hypot(x - a, y - b) < apart for a, b in taken) or not clear_of_bowl(scene, Placement(x, y)):
            x, y = float(rng.uniform(0.18, 0.40)), float(rng.uniform(-0.12, 0.28))
        places.append((x, y))
        taken.append((x, y))
    return places
