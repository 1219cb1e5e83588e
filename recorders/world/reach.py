"""Where a block can be placed: within reach, in view, clear of the bowl. Kinematics only, no planner.

Reach was fixed before any planner existed; a planner that cannot serve a placement inside it has failed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from curation.errors import UsageError
from curation.frames import Placement

from . import props
from .gripper import REACH_Z
from .kinematics import PAN_X, Grip, solve
from .scene import OVERHEAD_AT, Scene

MIN_RADIUS = 0.10
"""Closest placement to the pan axis [m]: nearer, the block stands under the folded arm."""
GRASP_HEIGHT = 0.012
"""Height of the tool point above the table [m] at which reach is asked."""
PITCHES = tuple(math.radians(pitch) for pitch in range(90, 29, -5))
"""Approach pitches that count, steepest first [rad]: 30 degrees and more."""
BOWL_GAP = 0.012
"""Free table between block and bowl [m], so that open jaws fit."""
DISTRACTOR_GAP = 0.045
"""Distance of a distractor's centre from the block's corners, or from a point to keep free [m] (assumed): half a cube's
diagonal and 27 mm for an open jaw between them."""
DISTRACTOR_STREAM = 7
"""Keeps the random stream of the distractors' places apart from the placement's, which has the same seed."""
DISTRACTOR_BOX = (0.18, 0.40, -0.12, 0.28)
"""Where a distractor may stand that leaves its spot: x low, x high, y low, y high [m]; the usual box of placements."""
_TRIES = 5000
_TOOL = np.array([0.0, 0.0, REACH_Z])


def reachable(placement: Placement) -> bool:
    """Whether some pitch of at least 30 degrees brings the tool point to the block within joint limits."""
    if math.hypot(placement.x - PAN_X, placement.y) < MIN_RADIUS:
        return False
    point = np.array([placement.x, placement.y, GRASP_HEIGHT])
    return any(solve(Grip(point, pitch, 0.0), _TOOL) is not None for pitch in PITCHES)


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
    camera_x, camera_y, height = OVERHEAD_AT
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


def distractor_places(
    scene: Scene,
    placement: Placement,
    seed: int,
    *,
    keep_out: Iterable[tuple[float, float]] = (),
    standing: int = 0,
) -> list[tuple[float, float]]:
    """Where the distractors stand: their default spots, or seeded free ones where something is too near.

    Args:
        scene: says how many there are.
        placement: of the block.
        seed: of the free spots.
        keep_out: further points on the table to stand clear of, as of the block [m].
        standing: how many, from the first on, stand already and get no place here; keep out of theirs.

    Raises:
        UsageError: if there is no room for them.
    """
    rng = np.random.default_rng([seed, DISTRACTOR_STREAM])
    apart = math.hypot(*scene.block_half[:2]) + DISTRACTOR_GAP
    taken = [(placement.x, placement.y), *keep_out]
    places = []
    for spot in props.DISTRACTOR_SPOTS[standing : scene.distractors]:
        place = _free_spot(scene, spot, taken, apart, rng)
        places.append(place)
        taken.append(place)
    return places


def _free_spot(
    scene: Scene, spot: tuple[float, float], taken: list[tuple[float, float]], apart: float, rng: np.random.Generator
) -> tuple[float, float]:
    """A spot, or the first drawn one, that is clear of the bowl and `apart` metres from all that is taken."""
    x_low, x_high, y_low, y_high = DISTRACTOR_BOX
    x, y = spot
    for _ in range(_TRIES):
        if all(math.hypot(x - a, y - b) >= apart for a, b in taken) and clear_of_bowl(scene, Placement(x, y)):
            return x, y
        x, y = float(rng.uniform(x_low, x_high)), float(rng.uniform(y_low, y_high))
    raise UsageError(f"There is no free room on the table for {scene.distractors} distractors. Ask for fewer.")
