"""The scene: what stands on the table, how it is lit and seen, and how the servos behave.

A `Scene` is plain data; `compile_scene` turns it into a MuJoCo model through MjSpec; `fingerprint` names the
result. Every constant says where it comes from. Metres, kilograms, seconds, degrees where the name says so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Literal, get_args, get_type_hints

import mujoco
import numpy as np

from curation.errors import UnknownChoice, UsageError

from . import props
from .servo import add_servos

STEPS_PER_SECOND = 600
TIMESTEP = 1.0 / STEPS_PER_SECOND
"""Physics step [s]: twenty to a frame at 30 fps. MuJoCo's friction leaves out the centripetal part of a carried block's
acceleration, so the block drifts outwards in the jaws in proportion to the pads' contact time constant (`solref` in
`assets/so101.xml`), which must be at least two steps: 0.4 mm/s under hard shaking at 4 ms, 1.3 mm/s at 10 ms."""

OVERHEAD_AT = (0.30, -0.09, 0.60)
"""Place of the overhead camera [m], looking straight down (assumed): between placements and bowl, high enough that the
default field of view shows both."""
FOV_LOW, FOV_HIGH = 20.0, 90.0
"""Vertical fields of view that the overhead camera may have [deg]."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One world to record in; two scenes with equal fingerprints look and behave the same."""

    block: Literal["cube", "duplo"] = "cube"
    """What is picked up: a 25 mm cube or a 2x4 Duplo brick."""
    bowl: Literal["round", "free", "tray"] = "round"
    """Where it goes: a fixed bowl, the same bowl free to move, or the square 12 cm tray of earlier datasets."""
    ground: Literal["checker", "dark"] = "checker"
    """The table top."""
    camera: Literal["studio", "thesis"] = "studio"
    """Wrist camera mount: menagerie's side of the gripper, or the opposite side used by earlier datasets."""
    overhead_fov: float = 52.0
    """Vertical field of view of the overhead camera [deg]."""
    distractors: int = 0
    """Extra blocks that are not to be picked up, at most 4."""
    block_scale: float = 1.0
    """Size of the block relative to its standard."""
    look: Literal["fast", "nice"] = "fast"
    """Drawing quality: "fast" has no shadow and no anti-aliasing and keeps up with real time on two cores."""
    servo: Literal["ideal", "hardware"] = "ideal"
    """Servo profile: stiff and exact, or softer with delay, encoder steps and a speed limit."""
    friction: float = 0.5
    """Sliding friction of the rubber pads on plastic, 0.3 to 0.8."""
    width: int = 640
    """Image width [px]."""
    height: int = 480
    """Image height [px]."""
    depth: bool = False
    """Also draw depth images, 0 to 2 m in 8 bits, three equal channels, as `<camera>_depth`."""
    fps: int = 30
    """Control rate [Hz]; its period must be a whole number of physics steps."""

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(Scene).items():
            choices = get_args(kind)
            if choices and getattr(self, name) not in choices:
                raise UnknownChoice(name, getattr(self, name), choices)
        if not 0.3 <= self.friction <= 0.8:
            raise UsageError(f"friction {self.friction} is outside 0.3 to 0.8, the range of rubber on plastic.")
        if not 0 <= self.distractors <= len(props.DISTRACTOR_SPOTS):
            raise UsageError(f"distractors {self.distractors} is outside 0 to {len(props.DISTRACTOR_SPOTS)}.")
        if not 0.6 <= self.block_scale <= 1.4:
            raise UsageError(f"block-scale {self.block_scale} is outside 0.6 to 1.4: the jaws could not hold it.")
        if not FOV_LOW <= self.overhead_fov <= FOV_HIGH:
            raise UsageError(f"overhead-fov {self.overhead_fov} is outside {FOV_LOW:g} to {FOV_HIGH:g} degrees.")
        if not (16 <= self.width <= 1920 and 16 <= self.height <= 1080) or self.width % 2 or self.height % 2:
            raise UsageError(f"image size {self.width}x{self.height} must be even and within 16x16 to 1920x1080.")
        self.steps_per_frame  # noqa: B018  refuses a control period that is not whole

    @property
    def steps_per_frame(self) -> int:
        """Physics steps in one control period."""
        if self.fps <= 0:
            raise UsageError(f"fps {self.fps} must be positive.")
        steps = 1.0 / (self.fps * TIMESTEP)
        if abs(steps - round(steps)) > 1e-9 or round(steps) < 1:
            valid = [rate for rate in range(5, 61) if STEPS_PER_SECOND % rate == 0]
            raise UsageError(
                f"A control period of 1/{self.fps} s is {steps:.3f} physics steps of 1/{STEPS_PER_SECOND} s, "
                f"not a whole number. Valid fps: {', '.join(map(str, valid))}."
            )
        return round(steps)

    @property
    def block_half(self) -> tuple[float, float, float]:
        """Half sizes of the block [m]."""
        x, y, z = props.BLOCKS[self.block].half
        return x * self.block_scale, y * self.block_scale, z * self.block_scale

    @property
    def cameras(self) -> tuple[str, ...]:
        return ("overhead_cam", "wrist_cam")


def scene_from(values: dict[str, Any]) -> Scene:
    """The scene written by `asdict`; unknown names are refused."""
    known = Scene.__dataclass_fields__.keys()
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UsageError(f"The scene names {', '.join(unknown)}, unknown to this version. Upgrade the studio.")
    return Scene(**values)


def fingerprint(scene: Scene) -> str:
    """Sixteen hex digits that change with anything that moves or is seen in the scene."""
    text = json.dumps({"model": build(scene).to_xml(), "scene": asdict(scene)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def compile_scene(scene: Scene) -> mujoco.MjModel:
    """The MuJoCo model of a scene."""
    return build(scene).compile()


def build(scene: Scene) -> mujoco.MjSpec:
    """The MjSpec of a scene, arm first so that its joints come first in qpos."""
    spec = mujoco.MjSpec.from_string((files(__package__) / "assets" / "so101.xml").read_text(encoding="utf-8"))
    _options(spec, scene)
    props.add_ground(spec, scene.ground)
    props.add_lights(spec, shadows=scene.look == "nice")
    add_servos(spec, scene.servo)
    props.add_block(spec, "block", scene.block_half, props.BLOCKS[scene.block].rgba, props.BLOCKS[scene.block].mass)
    props.add_bowl(spec, scene.bowl)
    for index in range(scene.distractors):
        props.add_distractor(spec, index)
    _cameras(spec, scene)
    for name in ("fixed_pad", "moving_pad"):
        spec.geom(name).friction = [scene.friction, 0.005, 0.0005]
    return spec


def _options(spec: mujoco.MjSpec, scene: Scene) -> None:
    option = spec.option
    option.timestep = TIMESTEP
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Elliptic cones, impratio 10 and noslip keep a shaken block in the jaws; pyramidal cones let it creep out.
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10.0
    option.noslip_iterations = 3
    option.iterations = 20
    visual = spec.visual
    visual.global_.offwidth, visual.global_.offheight = max(scene.width, 1280), max(scene.height, 960)
    visual.quality.shadowsize = 2048 if scene.look == "nice" else 0
    visual.quality.offsamples = 4 if scene.look == "nice" else 0
    visual.headlight.ambient = [0.34, 0.34, 0.36]
    visual.headlight.diffuse = [0.22, 0.22, 0.22]
    visual.headlight.specular = [0.0, 0.0, 0.0]
    visual.map.znear, visual.map.zfar = 0.005, 20.0
    # Half the width of the shadow map over the model's extent: a narrower map leaves streaks of shadow on the table.
    visual.map.shadowclip = 1.5
    visual.map.haze = 0.35
    visual.rgba.haze = [0.80, 0.84, 0.88, 1.0]


def _cameras(spec: mujoco.MjSpec, scene: Scene) -> None:
    """Overhead: image up = +x, image right = -y. Wrist: on the gripper."""
    spec.worldbody.add_camera(
        name="overhead_cam", pos=list(OVERHEAD_AT), quat=_axes([0, -1, 0], [1, 0, 0]), fovy=scene.overhead_fov
    )
    gripper = spec.body("gripper")
    if scene.camera == "studio":
        # Menagerie's wrist camera pose, wider than its 48.5 deg so that both jaws are in view.
        tilt = [np.cos(-0.285), np.sin(-0.285), 0.0, 0.0]
        gripper.add_camera(name="wrist_cam", pos=[0, 0.055, -0.045], quat=tilt, fovy=60.0)
    else:
        # Half a turn about z, then -0.7 rad about the camera's x axis.
        tilt = [0.0, 0.0, np.sin(-0.35), np.cos(-0.35)]
        gripper.add_camera(name="wrist_cam", pos=[0, -0.039, -0.055], quat=tilt, fovy=71.0)


def _axes(right: list[float], up: list[float]) -> list[float]:
    """Quaternion wxyz of a camera whose image x and y axes are given."""
    columns = np.array([right, up, np.cross(right, up)], dtype=float).T
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, columns.flatten())
    return [float(value) for value in quat]
