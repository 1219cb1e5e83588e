"""Whether LeRobot understands what it will be told."""

from __future__ import annotations

from collections.abc import Iterator

from curation import layout
from curation.checks import Finding
from training.preflight.asked import Asked, finding


def arguments(asked: Asked) -> Iterator[Finding]:
    """A policy or an option that LeRobot does not know, or a value of another type."""
    if fault := asked.understood.fault:
        yield finding(
            "arguments",
            "error",
            fault,
            "LeRobot refuses to begin.",
            "Correct --policy or --set; lerobot-train --help lists every argument.",
        )
    recipe = asked.recipe
    transforms = recipe.setting("dataset.image_transforms.enable", "false").lower() in ("true", "1", "yes")
    if recipe.cache and recipe.resize and transforms and layout.cameras(asked.chosen.store.features):
        yield finding(
            "arguments",
            "error",
            "--cache with --resize and image transforms",
            "The cache holds resized images: they would be transformed after resizing, and without it before.",
            "Leave --cache away, or the transforms.",
        )
