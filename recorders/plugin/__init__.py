"""The world as LeRobot knows worlds: a robot, a teleoperator and a gymnasium env, for LeRobot's own command lines.

Importing this package registers all of them; LeRobot does so when told
`--robot.discover_packages_path=recorders.plugin` (likewise `--teleop.`, `--env.`):

- `--robot.type=studio_sim`: the simulated SO-101, its block placed anew for each episode
- `--teleop.type=studio_expert`: the scripted expert, driving that robot's world
- `--teleop.type=studio_vr`: a person with the controller of a headset, driving it
- `--teleop.type=studio_leader`: a person with a leader arm, which the arm nears slowly before it follows
- `--env.type=studio`: the same task as `gym_studio/PickPlace-v0`, also for `gymnasium.make`
- `--env.type=studio_hil`, `--env.teleop.type=studio_intervener`: that task and the expert for LeRobot's HIL-SERL

How episodes begin under `lerobot-record` is told in `stage.py`.
"""

from __future__ import annotations

import gymnasium

from recorders.world.sim import ROBOT_TYPE

from .controller import StudioVr, StudioVrConfig
from .env_config import StudioEnvConfig
from .expert import StudioExpert, StudioExpertConfig
from .hil_config import StudioHilConfig
from .intervener import StudioIntervener, StudioIntervenerConfig
from .leader import StudioLeader, StudioLeaderConfig
from .robot import StudioSim, StudioSimConfig

ENV_ID = "gym_studio/PickPlace-v0"

__all__ = [
    "ENV_ID",
    "ROBOT_TYPE",
    "StudioEnvConfig",
    "StudioExpert",
    "StudioExpertConfig",
    "StudioHilConfig",
    "StudioIntervener",
    "StudioIntervenerConfig",
    "StudioLeader",
    "StudioLeaderConfig",
    "StudioSim",
    "StudioSimConfig",
    "StudioVr",
    "StudioVrConfig",
]

if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point="recorders.plugin.env:StudioEnv")
