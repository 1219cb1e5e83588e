"""What we take hold of in LeRobot's HIL-SERL: the names, and that they are put back."""

from __future__ import annotations

import ast
import inspect
import os
from types import ModuleType
from typing import Any

import pytest

from recorders.plugin import hil_actor
from training import hil_learner

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

CALLS = {
    "learner": {
        "add_actor_information_and_train": {"cfg", "wandb_logger", "shutdown_event", "transition_queue",
                                            "interaction_message_queue", "parameters_queue"},
        "RLTrainer": {"algorithm", "data_mixer", "batch_size", "preprocessor"},
        "make_dataset": set(),
        "make_pre_post_processors": {"policy_cfg", "dataset_stats"},
        "process_transitions": {"transition_queue", "replay_buffer", "offline_replay_buffer", "dataset_repo_id",
                                "shutdown_event"},
        "process_interaction_messages": {"interaction_message_queue", "interaction_step_shift", "wandb_logger",
                                         "shutdown_event"},
    },
    "actor": {
        "make_robot_env": {"cfg"},
        "step_env_and_process_transition": {"env", "transition", "action", "env_processor", "action_processor"},
        "update_policy_parameters": {"algorithm", "parameters_queue", "device"},
        "act_with_policy": {"cfg", "shutdown_event", "parameters_queue", "transitions_queue", "interactions_queue"},
    },
}  # fmt: skip


def theirs(name: str) -> ModuleType:
    import lerobot.rl.actor
    import lerobot.rl.learner

    return {"learner": lerobot.rl.learner, "actor": lerobot.rl.actor}[name]


@pytest.mark.parametrize("name", CALLS)
def test_lerobot_calls_what_is_wrapped_by_these_names(name: str) -> None:
    own: Any = {"learner": hil_learner, "actor": hil_actor}[name]
    assert set(own.WRAPPED) == set(CALLS[name])
    found: dict[str, set[str | None]] = {}
    for node in ast.walk(ast.parse(inspect.getsource(theirs(name)))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS[name]:
            found[node.func.id] = {word.arg for word in node.keywords}
    assert found == CALLS[name]


@pytest.mark.parametrize("name", CALLS)
def test_all_of_it_is_put_back(name: str) -> None:
    module = theirs(name)
    before = {one: getattr(module, one) for one in CALLS[name]}
    shared: Any = hil_learner.Learning() if name == "learner" else hil_actor.Acting()
    own: Any = {"learner": hil_learner, "actor": hil_actor}[name]
    with own.entered(module, shared):
        assert all(getattr(module, one) is not before[one] for one in before)
    assert all(getattr(module, one) is before[one] for one in before)
    assert shared.parent == os.getppid()
