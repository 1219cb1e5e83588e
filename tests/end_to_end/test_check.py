"""What the simulator and its expert recorded passes every check, lerobot-doctor's too."""

from __future__ import annotations

import json

from tests.end_to_end.commands import Commands
from tests.end_to_end.conftest import Made


def test_what_the_expert_recorded_is_clean(commands: Commands, distracted: Made) -> None:
    found = json.loads(commands.studio("check", "distracted", "--deep", "--json").out)["distracted"]
    assert [one for one in found if one["level"] != "note"] == []
