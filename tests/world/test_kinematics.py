"""Closed-form kinematics, held to the published arm and to MuJoCo's forward kinematics."""

from __future__ import annotations

import math

import mujoco
import numpy as np
import pytest

from curation.frames import JOINTS, Vector
from recorders.world import gripper
from recorders.world.kinematics import (
    PAN_X,
    Grip,
    closing_axis_rise,
    forward,
    gripper_rotation,
    roll_for_heading,
    solve,
)
from recorders.world.scene import Scene, compile_scene
from recorders.world.units import HIGH, JOINT_HIGH, JOINT_LOW, LOW, from_radians, to_radians

GOLDEN = [
    ((0, 0, 0, 0, 0, 0), (0.3914, 0.0, 0.2265)),
    ((20, -30, 40, 50, -90, 10), (0.2406, -0.0652, 0.0720)),
    ((-60, 20, 10, 60, 45, 50), (0.1482, 0.1781, -0.0094)),
]
"""Joints [deg] and position of the official `gripperframe` site [m]."""
TOOL = np.array([0.004, 0.002, -0.100])


class Arm:
    """Forward kinematics of the compiled model."""

    def __init__(self) -> None:
        self.model = compile_scene(Scene())
        self.data = mujoco.MjData(self.model)

    def pose(self, joints: Vector) -> tuple[Vector, Vector]:
        """Position and rotation of the gripper at joint angles [rad], shape (5,) or (6,)."""
        self.data.qpos[: len(joints)] = joints
        mujoco.mj_kinematics(self.model, self.data)
        gripper = self.data.body("gripper")
        return gripper.xpos.copy(), gripper.xmat.reshape(3, 3).copy()

    def tool(self, joints: Vector, tool: Vector) -> Vector:
        """Position of a tool point."""
        position, rotation = self.pose(joints)
        point: Vector = position + rotation @ tool
        return point


@pytest.fixture(scope="module")
def arm() -> Arm:
    return Arm()


def random_joints(rng: np.random.Generator) -> Vector:
    """Body joints [rad] well inside limits, elbow up, whose hand is in front of the pan axis."""
    while True:
        joints = rng.uniform(JOINT_LOW[:5] + 0.01, JOINT_HIGH[:5] - 0.01)
        joints[2] = rng.uniform(math.radians(-73), JOINT_HIGH[2] - 0.01)
        if reach_in_plane(joints) > 0.03:
            return np.asarray(joints)


def reach_in_plane(joints: Vector) -> float:
    """Distance of `TOOL` in front of the pan axis in the arm's plane [m]."""
    pitch = joints[1] + joints[2] + joints[3]
    lift, fore = joints[1], joints[1] + joints[2]
    wrist = 0.0303992 + 0.028 * math.cos(lift) + 0.11257 * math.sin(lift)
    wrist += 0.1349 * math.cos(fore) + 0.0052 * math.sin(fore) + 0.0611 * math.cos(pitch)
    return float(wrist + (gripper_rotation(0.0, pitch, joints[4]) @ TOOL)[0])


@pytest.mark.parametrize(("degrees", "position"), GOLDEN)
def test_forward_kinematics_equal_the_published_arm(
    arm: Arm, degrees: tuple[float, ...], position: tuple[float, ...]
) -> None:
    arm.pose(np.radians(degrees))
    assert np.abs(arm.data.site("gripperframe").xpos - position).max() < 5e-4


def test_inverse_kinematics_return_the_joints_that_forward_kinematics_came_from(arm: Arm) -> None:
    rng = np.random.default_rng(5)
    for _ in range(500):
        joints = random_joints(rng)
        point = arm.tool(joints, TOOL)
        solved = solve(Grip(point, float(joints[1:4].sum()), float(joints[4])), TOOL)
        assert solved is not None, np.degrees(joints)
        assert np.abs(arm.tool(solved, TOOL) - point).max() < 1e-6
        assert np.abs(solved - joints).max() < 1e-5


def test_inverse_kinematics_keep_joint_limits(arm: Arm) -> None:
    rng = np.random.default_rng(6)
    solved = []
    for _ in range(4000):
        position = rng.uniform([0.05, -0.3, 0.0], [0.45, 0.3, 0.3])
        grip = Grip(position, float(rng.uniform(0.0, math.pi / 2)), float(rng.uniform(-math.pi, math.pi)))
        joints = solve(grip, TOOL)
        if joints is not None:
            assert np.abs(arm.tool(joints, TOOL) - position).max() < 1e-6
            solved.append(joints)
    assert len(solved) > 500
    assert (np.array(solved) >= JOINT_LOW[:5]).all()
    assert (np.array(solved) <= JOINT_HIGH[:5]).all()


@pytest.mark.parametrize("joint", range(5))
def test_a_pose_beyond_one_joint_limit_is_not_solved(arm: Arm, joint: int) -> None:
    # Each within limits but for the one that is moved 2 degrees past its own.
    poses = [[0, 0, 0, 30, 0], [0, 0, 0, 0, 0], [0, -60, 0, 20, 0], [0, -60, 0, 0, 0], [0, 0, 0, 30, 0]]
    joints = np.radians(poses[joint])
    inside = joints.copy()
    joints[joint] = JOINT_HIGH[joint] + math.radians(2)
    inside[joint] = JOINT_HIGH[joint] - math.radians(2)
    for angles, found in ((inside, True), (joints, False)):
        grip = Grip(arm.tool(angles, TOOL), float(angles[1:4].sum()), float(angles[4]))
        assert (solve(grip, TOOL) is not None) is found


@pytest.mark.parametrize("x", [0.9, PAN_X + 0.001])
def test_a_point_that_no_pose_reaches_is_not_solved(x: float) -> None:
    sideways = np.array([0.0, 0.02, -0.1])
    assert solve(Grip(np.array([x, 0.0, 0.02]), math.pi / 2, math.radians(2.7894)), sideways) is None


def test_roll_for_heading_lays_the_closing_axis_along_the_heading(arm: Arm) -> None:
    rng = np.random.default_rng(7)
    seen = 0
    for _ in range(600):
        position = np.array([rng.uniform(0.15, 0.33), rng.uniform(-0.2, 0.2), 0.03])
        pitch, heading = float(rng.uniform(math.radians(45), math.pi / 2)), float(rng.uniform(-math.pi, math.pi))
        roll = roll_for_heading(position, pitch, heading, TOOL)
        joints = None if roll is None else solve(Grip(position, pitch, roll), TOOL)
        if joints is None:
            continue
        seen += 1
        closing = arm.pose(joints)[1][:, 0]
        off = math.remainder(math.atan2(closing[1], closing[0]) - heading, 2 * math.pi)
        assert abs(off) < math.radians(0.1)
    assert seen > 200


def test_gripper_rotation_and_rise_are_those_of_the_model(arm: Arm) -> None:
    rng = np.random.default_rng(8)
    for _ in range(100):
        joints = random_joints(rng)
        pitch = float(joints[1:4].sum())
        rotation = arm.pose(joints)[1]
        assert np.abs(gripper_rotation(float(joints[0]), pitch, float(joints[4])) - rotation).max() < 1e-5
        assert closing_axis_rise(pitch, float(joints[4])) == pytest.approx(rotation[2, 0], abs=1e-5)


def test_masses_sum_to_the_arms(arm: Arm) -> None:
    bodies = ["base", "shoulder", "upper_arm", "lower_arm", "wrist", "gripper", "moving_jaw"]
    assert sum(arm.model.body(name).mass[0] for name in bodies) == pytest.approx(0.632, abs=1e-9)


def test_joint_ranges_and_control_ranges_of_the_model_are_those_of_the_units(arm: Arm) -> None:
    ranges = np.array([arm.model.joint(name).range for name in JOINTS])
    assert np.allclose(ranges, np.stack([JOINT_LOW, JOINT_HIGH], axis=1), atol=1e-6)
    controls = np.array([arm.model.actuator(name).ctrlrange for name in JOINTS])
    assert np.array_equal(controls, np.stack([JOINT_LOW, JOINT_HIGH], axis=1))


def test_units_run_from_closed_to_open_and_there_and_back() -> None:
    assert np.allclose(LOW, [-110, -100, -96.83, -95, -157.21, 0])
    assert np.allclose(HIGH, [110, 100, 96.83, 95, 162.79, 100])
    joints = np.random.default_rng(9).uniform(LOW, HIGH, (50, 6))
    assert np.abs(from_radians(to_radians(joints)) - joints).max() < 1e-12


def test_the_points_of_the_gripper_are_those_of_the_model() -> None:
    model = compile_scene(Scene())
    pad, frame = model.geom("fixed_pad"), model.site("gripperframe")
    assert pad.pos[0] + pad.size[0] == pytest.approx(gripper.PAD_FACE_X)
    assert pad.pos[2] == pytest.approx(gripper.PAD_MIDDLE_Z)
    assert list(pad.size[1:]) == pytest.approx([gripper.PAD_HALF_Y, gripper.PAD_HALF_Z])
    assert frame.pos[2] == pytest.approx(gripper.REACH_Z, abs=1e-4)
    assert pad.pos[2] - pad.size[2] == pytest.approx(gripper.GRASP_Z - 0.002)


def test_forward_is_mujocos_and_solve_brings_it_back(arm: Arm) -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        joints = rng.uniform(JOINT_LOW[:5], JOINT_HIGH[:5])
        grip = forward(joints, TOOL)
        assert grip.position == pytest.approx(arm.tool(joints, TOOL), abs=1e-6)
    for _ in range(200):
        joints = random_joints(rng)
        assert solve(forward(joints, TOOL), TOOL) == pytest.approx(joints, abs=1e-9)
