"""LeRobot's configuration of a HIL-SERL run: one file for its actor and its learner."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifiers.checkpoint import Classifier, hil_serl
from classifiers.look import SIDE
from curation.frames import JOINTS
from curation.names import ACTION, IMAGES, STATE
from curation.store import Store
from recorders.world.scene import Scene
from recorders.world.units import HIGH, LOW

PUSH_S = 2
"""Seconds between two sendings of weights; LeRobot takes whole ones."""
SPARE = 100
"""Places in the buffers beyond what can arrive."""
NEVER = 10**9
"""Steps to a checkpoint of LeRobot's own: the studio asks for one at the end."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run is made of, beside classifier, demonstrations and scene.

    Attributes:
        steps: of the environment.
        batch: transitions of a learning step, half of them demonstrations.
        threshold: probability above which one picture is a success.
        interventions: share of the episodes in which the expert takes over.
        limit: longest episode [s].
        seed: of the first episode, the weights and the takeovers.
        port: on this machine, at which the learner answers.
        device: PyTorch's, of both processes.
    """

    steps: int
    batch: int
    threshold: float
    interventions: float
    limit: float
    seed: int
    port: int
    device: str


def lerobot_config(
    asked: Asked,
    classifier: Classifier,
    store: Store,
    scene: Scene,
    positions: list[list[float]],
    demos: Path,
    rows: int,
) -> dict[str, Any]:
    """The file, as JSON values.

    Args:
        asked: the run.
        classifier: who rewards; crops are of its cut-outs.
        store: the demonstrations as recorded, with pictures of the size that the world draws.
        scene: the world.
        positions: (x, y, yaw) of the block, in turn.
        demos: the demonstrations as transitions.
        rows: how many of those there are.
    """
    cameras = [IMAGES + camera for camera in sorted(classifier.fitted.look)]
    return {
        "dataset": {"repo_id": "studio/demonstrations", "root": str(demos), "video_backend": "pyav"},
        "job_name": "hil",
        "seed": asked.seed,
        "batch_size": asked.batch,
        "online_ratio": 0.5,
        "save_freq": NEVER,
        "env": _env(asked, classifier, store, scene, positions),
        "policy": _policy(asked, cameras, rows),
        "algorithm": {"type": "sac"},
    }


def _env(
    asked: Asked, classifier: Classifier, store: Store, scene: Scene, positions: list[list[float]]
) -> dict[str, Any]:
    told = hil_serl(classifier.root, classifier.fitted.look, store)
    told["reward_classifier"]["success_threshold"] = asked.threshold
    return {
        "type": "studio_hil",
        "task": "PickPlace-v0",
        "fps": scene.fps,
        "scene": asdict(scene),
        "positions": positions,
        "seed": asked.seed,
        "teleop": {"type": "studio_intervener", "share": asked.interventions},
        "processor": {**told, "reset": {"control_time_s": asked.limit, "terminate_on_success": True}},
    }


def _policy(asked: Asked, cameras: list[str], rows: int) -> dict[str, Any]:
    # ImageNet's, as LeRobot's gaussian_actor has them.
    pixels = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    unit = [1.0] * len(JOINTS)
    return {
        "type": "gaussian_actor",
        "device": asked.device,
        "push_to_hub": False,
        "input_features": {
            **{key: {"type": "VISUAL", "shape": [3, SIDE, SIDE]} for key in cameras},
            STATE: {"type": "STATE", "shape": [len(JOINTS)]},
        },
        "output_features": {ACTION: {"type": "ACTION", "shape": [len(JOINTS)]}},
        "dataset_stats": {
            **dict.fromkeys(cameras, pixels),
            STATE: {"min": LOW.tolist(), "max": HIGH.tolist()},
            # The env's actions are of this size already, as SAC needs them.
            ACTION: {"min": [-one for one in unit], "max": unit},
        },
        # LeRobot's pretrained encoder is on the Hub; a small one learns along.
        "vision_encoder_name": None,
        "freeze_vision_encoder": False,
        "online_steps": asked.steps,
        "online_buffer_capacity": asked.steps + SPARE,
        "offline_buffer_capacity": rows + asked.steps + SPARE,
        "online_step_before_learning": asked.batch,
        "actor_learner_config": {
            "learner_host": "127.0.0.1",
            "learner_port": asked.port,
            "policy_parameters_push_frequency": PUSH_S,
        },
    }
