"""Faults of the data: whatever the dataset's own checks find in the episodes that are trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from curation.checks import Finding, check
from curation.checks.others import Refs
from curation.names import POSE
from training.preflight.asked import Asked, finding

GRAVER = ("lag",)
"""Rules whose warnings are errors here: a shift of actions against states is learnt as it is, and seen in no loss."""


def data(asked: Asked, refs: Refs | None) -> Iterator[Finding]:
    """Errors of the dataset that touch the chosen episodes, and what is privileged in it."""
    wanted = set(asked.chosen.indices)
    for one in check(asked.chosen.store, refs=refs):
        if one.episodes and not wanted & set(one.episodes):
            continue
        graver = one.check in GRAVER and one.level == "warning"
        yield replace(one, level="error") if graver else one
    if POSE in asked.chosen.store.features:
        yield finding(
            "privileged",
            "warning",
            f"the dataset has {POSE}, the block's pose, and the policy will see it",
            "It succeeds where no camera shows anything; run and checkpoint are marked, and it belongs in no result.",
            f"For a policy of its own eyes: studio merge DATASET --drop-feature {POSE} --to NEW.",
        )
