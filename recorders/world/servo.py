"""How the servos behave: position actuators and the two profiles.

"ideal" is what LeRobot's P = 16 amounts to in SO-ARM100's published model: stiff enough that measured joints
follow the target within a third of a degree. "hardware" adds what a desk arm shows: sag under its own weight,
a frame of bus delay, 12-bit encoders and a limited speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import mujoco
import numpy as np

from curation.frames import JOINTS, Vector

from .units import HIGH, JOINT_HIGH, JOINT_LOW, LOW

GRIPPER_TORQUE = 1.47
"""Closing torque [N m]: half of the STS3215's 2.94 N m stall torque (30 kg cm at 12 V), because LeRobot sets the
gripper's torque limit to 50 %."""


@dataclass(frozen=True)
class Servo:
    """One servo profile.

    Attributes:
        kp: stiffness [N m/rad].
        kv: damping [N m s/rad].
        torque: body joint torque limit [N m].
        delay_frames: control periods between a command and its effect.
        encoder_deg: resolution of the measured angle [deg]; 0 is exact.
        speed_deg: speed limit of the tracked target [deg/s]; 0 is none beyond the world's step limit.
    """

    kp: float
    kv: float
    torque: float
    delay_frames: int
    encoder_deg: float
    speed_deg: float


SERVOS = {
    # SO-ARM100 so101_new_calib, February 2026: kp 998.22, kv 2.731, class force range 2.94.
    "ideal": Servo(kp=998.22, kv=2.731, torque=2.94, delay_frames=0, encoder_deg=0.0, speed_deg=0.0),
    # kp 17.8 (the older calibration) sags 1.4 to 2 degrees at lift and elbow and kp 50 about 1: assumed between.
    # 4096 encoder steps a turn. 0.222 s for 60 degrees unloaded is 270 deg/s (STS3215 data sheet).
    "hardware": Servo(kp=30.0, kv=1.0, torque=2.94, delay_frames=1, encoder_deg=360.0 / 4096, speed_deg=270.0),
}

STEP_LIMIT_DEG_PER_S = 270.0
"""Fastest a target may move [deg/s]: the STS3215's unloaded speed. Targets are limited to this, and the limited
target is what is stored."""


def add_servos(spec: mujoco.MjSpec, profile: Literal["ideal", "hardware"]) -> None:
    """Add one position actuator per joint, in dataset order."""
    servo = SERVOS[profile]
    for index, joint in enumerate(JOINTS):
        torque = GRIPPER_TORQUE if joint == "gripper" else servo.torque
        actuator = spec.add_actuator(name=joint, target=joint, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        actuator.set_to_position(kp=servo.kp, kv=servo.kv)
        actuator.forcelimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.forcerange = [-torque, torque]
        actuator.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
        actuator.ctrlrange = [JOINT_LOW[index], JOINT_HIGH[index]]


def step_limit(fps: int) -> Vector:
    """Farthest each joint's target may move in one control period, shape (6,), degrees and gripper 0..100."""
    step = STEP_LIMIT_DEG_PER_S / fps
    return np.array([step] * 5 + [step * 100.0 / 110.0])


def limit_step(target: Vector, previous: Vector, fps: int) -> Vector:
    """The target that may really be sent: within joint limits and one period's travel of the previous one.

    Args:
        target: asked joint targets, shape (6,), degrees and gripper 0..100.
        previous: targets now in force, same shape and units.
        fps: control rate [Hz].

    Returns:
        Limited targets, shape (6,), rounded to float32 so that what is stored is exactly what was driven.
    """
    most = step_limit(fps)
    limited = target.clip(LOW, HIGH).clip(previous - most, previous + most)
    rounded: Vector = limited.astype("float32").astype("float64")
    return rounded
