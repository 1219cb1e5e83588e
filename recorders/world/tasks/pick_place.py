"""Pick up the block and put it into the bowl."""

from __future__ import annotations

from recorders.world.scene import Scene

TIME_LIMIT_S = 10.0
"""Default time limit of an episode [s]: 300 frames at 30 fps, the earlier work's limit; the expert needs about 5."""


def instruction(scene: Scene) -> str:
    """The task text stored with every frame."""
    block = {"cube": "red cube", "duplo": "Duplo block"}[scene.block]
    return f"Pick up the {block} and place it in the {'tray' if scene.bowl == 'tray' else 'bowl'}"
