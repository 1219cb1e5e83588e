"""Which inputs a policy normalises.

LeRobot normalises what a policy's mapping names, and the mappings of ACT, Diffusion and most others do not name the
environment's state: a block's position in metres, within some centimetres, is next to nothing beside inputs of size
one, and the policy learns to go to the mean position. It trains without a word; the loss looks as it should.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from curation.names import POSE

MAPPING = "policy.normalization_mapping"
_WHOLE = {
    "act": {"VISUAL": "MEAN_STD", "STATE": "MEAN_STD", "ENV": "MEAN_STD", "ACTION": "MEAN_STD"},
    "diffusion": {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ENV": "MIN_MAX", "ACTION": "MIN_MAX"},
}
"""LeRobot's own mappings and ENV, of the policies that take the environment's state."""


def whole_mapping(policy: str, features: Mapping[str, object]) -> dict[str, str]:
    """The setting under which a new policy normalises all its inputs; nothing where LeRobot's own does."""
    if POSE not in features or policy not in _WHOLE:
        return {}
    return {MAPPING: json.dumps(_WHOLE[policy])}


def leaves_pose(policy: str, features: Mapping[str, object], mapping: str) -> bool:
    """Whether a new policy would take the environment's state in metres, under a mapping as typed."""
    if not whole_mapping(policy, features):
        return False
    try:
        told = json.loads(mapping)
    except ValueError:
        return False  # LeRobot says what is wrong with it
    return isinstance(told, dict) and told.get("ENV", "IDENTITY") == "IDENTITY"
