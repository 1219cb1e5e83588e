"""LeRobot's names of what a frame holds."""

from __future__ import annotations

STATE = "observation.state"
ACTION = "action"
POSE = "observation.environment_state"
"""What no camera shows: where the block is. A policy that is given it cannot leave the simulation."""
IMAGES = "observation.images."
"""A camera's feature is this and the camera's name."""


def camera_key(camera: str) -> str:
    """The feature of a camera, which may be named in short."""
    return camera if camera.startswith("observation.") else IMAGES + camera


def camera_name(key: str) -> str:
    """A camera's short name."""
    return key.removeprefix(IMAGES)
