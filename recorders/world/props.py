"""What stands around the arm: table top, lights, block, bowl and distractors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import mujoco

BOX, CYLINDER, PLANE = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER, mujoco.mjtGeom.mjGEOM_PLANE

BOWL_CENTRE = (0.217, -0.225)
"""Bowl axis on the table [m], as in the earlier work's scene."""
BOWL_RIM_RADIUS = 0.062
"""Radius of the round bowl's rim [m]."""
BOWL_HEIGHT = 0.037
"""Height of the round bowl's rim above the table [m]."""
BOWL_FLOOR_RADIUS = 0.042
"""Radius of the round bowl's floor, where its wall begins [m]."""
BOWL_MASS = 0.15
"""Mass of the free bowl [kg] (assumed): a plastic bowl of this size, heavy enough to stand when a cube drops in."""
CUBE_MASS = 0.020
"""Mass of the 25 mm cube [kg] (assumed): 1.28 g/cm3, solid plastic."""
_BOWL_WALL = 0.0025
_BOWL_SIDES = 16
TRAY_HALF, TRAY_HEIGHT, _TRAY_WALL = 0.060, 0.032, 0.003
"""The earlier work's square tray [m]: half side, rim height, half wall."""

OBJECT_FRICTION = (0.8, 0.01, 0.0005)
"""Sliding (no unit), torsional and rolling [m] friction of objects on each other and on the table (assumed, high
for plastic): a block stays where it was put when the gripper brushes it."""
_OBJECT = {"condim": 4, "friction": list(OBJECT_FRICTION), "solref": [0.005, 1.0]}
"""The stiff contact keeps a dropped block from sinking in."""


@dataclass(frozen=True)
class Block:
    """A block's half sizes [m], mass [kg] and colour."""

    half: tuple[float, float, float]
    mass: float
    rgba: tuple[float, float, float, float]


BLOCKS = {
    "cube": Block((0.0125, 0.0125, 0.0125), CUBE_MASS, (0.80, 0.13, 0.11, 1.0)),
    # LEGO Duplo 2x4: 64 x 32 x 19.2 mm, 30 g in the earlier work's scene.
    "duplo": Block((0.032, 0.016, 0.0096), 0.030, (0.92, 0.92, 0.90, 1.0)),
}

DISTRACTOR_SPOTS = ((0.25, 0.05), (0.30, 0.20), (0.20, 0.12), (0.36, 0.08))
"""Default places of the distractor blocks [m]; the first is the earlier work's confuser."""
_DISTRACTOR_COLOURS = (
    (0.90, 0.90, 0.88, 1.0),
    (0.16, 0.48, 0.30, 1.0),
    (0.93, 0.78, 0.20, 1.0),
    (0.33, 0.27, 0.55, 1.0),
)


def add_ground(spec: mujoco.MjSpec, ground: Literal["checker", "dark"]) -> None:
    """An endless table top and a sky, so that every camera that looks up sees a horizon."""
    spec.add_texture(
        name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.82, 0.86, 0.90], rgb2=[0.38, 0.47, 0.58], width=128, height=768,
    )  # fmt: skip
    material = spec.add_material(name="table", specular=0.08, shininess=0.1)
    if ground == "checker":
        spec.add_texture(
            name="table", type=mujoco.mjtTexture.mjTEXTURE_2D, builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
            rgb1=[0.66, 0.64, 0.60], rgb2=[0.60, 0.58, 0.54], width=256, height=256,
        )  # fmt: skip
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "table"
        material.texrepeat = [5.0, 5.0]
        material.texuniform = True
    else:
        material.rgba = [0.12, 0.12, 0.13, 1.0]
    spec.worldbody.add_geom(
        name="table", type=PLANE, size=[0, 0, 0.05], material="table", contype=0, conaffinity=1,
        condim=_OBJECT["condim"], friction=_OBJECT["friction"],
    )  # fmt: skip


def add_lights(spec: mujoco.MjSpec, *, shadows: bool) -> None:
    """A warm key light from the front left and a cool fill from behind, so that faces differ in tone."""
    directional = mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    spec.worldbody.add_light(
        name="key", type=directional, pos=[0.6, 0.5, 1.5], dir=[-0.30, -0.35, -1.0],
        diffuse=[0.62, 0.60, 0.56], specular=[0.25, 0.25, 0.25], castshadow=shadows,
    )  # fmt: skip
    spec.worldbody.add_light(
        name="fill", type=directional, pos=[-0.5, -0.6, 1.0], dir=[0.5, 0.6, -0.7],
        diffuse=[0.12, 0.14, 0.18], specular=[0.0, 0.0, 0.0], castshadow=False,
    )  # fmt: skip


def add_block(
    spec: mujoco.MjSpec, name: str, half: tuple[float, float, float], rgba: tuple[float, ...], mass: float
) -> None:
    """A free block, resting at the origin until it is placed."""
    body = spec.worldbody.add_body(name=name, pos=[0.3, 0.0, half[2]])
    body.add_freejoint(name=name)
    body.add_geom(name=name, type=BOX, size=list(half), rgba=list(rgba), mass=mass, contype=1, conaffinity=1, **_OBJECT)


def add_distractor(spec: mujoco.MjSpec, index: int) -> None:
    """A cube like the block in another colour, at its default spot."""
    x, y = DISTRACTOR_SPOTS[index]
    cube = BLOCKS["cube"]
    name = f"distractor_{index}"
    add_block(spec, name, cube.half, _DISTRACTOR_COLOURS[index], cube.mass)
    spec.body(name).pos = [x, y, cube.half[2]]


def add_bowl(spec: mujoco.MjSpec, kind: Literal["round", "free", "tray"]) -> None:
    """The goal, with its axis at `BOWL_CENTRE`."""
    body = spec.worldbody.add_body(name="bowl", pos=[*BOWL_CENTRE, 0.0])
    if kind == "free":
        body.add_freejoint(name="bowl")
    if kind == "tray":
        _tray(body)
    else:
        _round_bowl(body, free=kind == "free")


def _round_bowl(body: mujoco.MjsBody, *, free: bool) -> None:
    rgba = [0.20, 0.42, 0.70, 1.0]
    mass = {"mass": BOWL_MASS / (_BOWL_SIDES + 1)} if free else {}
    common = {"rgba": rgba, "contype": 1, "conaffinity": 1, **_OBJECT, **mass}
    body.add_geom(type=CYLINDER, size=[BOWL_FLOOR_RADIUS + 0.003, 0.002, 0], pos=[0, 0, 0.002], **common)
    rise, run = BOWL_HEIGHT - 0.002, BOWL_RIM_RADIUS - BOWL_FLOOR_RADIUS
    slope, length = math.atan2(run, rise), math.hypot(run, rise) / 2
    middle = (BOWL_RIM_RADIUS + BOWL_FLOOR_RADIUS) / 2
    width = BOWL_RIM_RADIUS * math.tan(math.pi / _BOWL_SIDES) * 1.02
    for side in range(_BOWL_SIDES):
        turn = 2 * math.pi * side / _BOWL_SIDES
        quat = _product(
            (math.cos(turn / 2), 0, 0, math.sin(turn / 2)), (math.cos(slope / 2), 0, math.sin(slope / 2), 0)
        )
        place = [middle * math.cos(turn), middle * math.sin(turn), rise / 2 + 0.002]
        body.add_geom(type=BOX, size=[_BOWL_WALL, width, length], pos=place, quat=quat, **common)


def _tray(body: mujoco.MjsBody) -> None:
    common = {"rgba": [0.85, 0.85, 0.80, 1.0], "contype": 1, "conaffinity": 1, **_OBJECT}
    body.add_geom(type=BOX, size=[TRAY_HALF, TRAY_HALF, 0.002], pos=[0, 0, 0.002], **common)
    middle = (TRAY_HEIGHT + 0.002) / 2
    for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        size = [_TRAY_WALL if x else TRAY_HALF, _TRAY_WALL if y else TRAY_HALF, (TRAY_HEIGHT - 0.002) / 2]
        body.add_geom(type=BOX, size=size, pos=[x * TRAY_HALF, y * TRAY_HALF, middle], **common)


def _product(a: tuple[float, ...], b: tuple[float, ...]) -> list[float]:
    """Quaternion product a * b, wxyz."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return [
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    ]
