"""What LeRobot's policies keep to themselves from one frame to the next: queues of observations and of actions.

They are plain attributes of the policy, which its `reset` makes anew; weights are none of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import torch

ACTION = "action"
"""LeRobot's name of the queue of actions, where a policy has a table of queues."""
_PLAN = "_action_queue"
"""The name of that queue where it stands alone."""
_KINDS = (deque, torch.Tensor, type(None), bool, int, float)

Memory = dict[str, Any]


def remembered(policy: Any) -> Memory:
    """A copy of all that the policy keeps; tensors are shared, since policies replace them and write into none."""
    own = vars(_bare(policy))
    return {name: _copied(value) for name, value in own.items() if name not in _NO_MEMORY and _is_kept(value)}


def put_back(policy: Any, memory: Mapping[str, Any], *, without_plan: bool = False) -> None:
    """Let the policy keep what it kept then.

    Args:
        policy: LeRobot's.
        memory: of `remembered`.
        without_plan: leave out the actions that it had decided on and everything else but observations, so that it is
            asked anew at once; its `reset` comes before.
    """
    own = _bare(policy)
    for name, value in memory.items():
        if not without_plan:
            setattr(own, name, _copied(value))
        elif isinstance(value, dict):
            getattr(own, name).update({key: _copied(queue) for key, queue in value.items() if key != ACTION})


def decided(policy: Any) -> list[torch.Tensor] | None:
    """Normalised actions (B, A) that the policy will give without being asked again; None if it has no such queue."""
    own = vars(_bare(policy))
    found = (own.get("_queues") or {}).get(ACTION)
    queue = own.get(_PLAN) if found is None else found
    return None if queue is None else list(queue)


def _bare(policy: Any) -> Any:
    """The policy itself where adapters (PEFT) are wrapped around it."""
    inner = getattr(policy, "get_base_model", None)
    return policy if inner is None else inner()


def _is_kept(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(isinstance(queue, deque) for queue in value.values())
    return isinstance(value, _KINDS) and not isinstance(value, torch.nn.Parameter)


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(queue) for key, queue in value.items()}
    return value.copy() if isinstance(value, deque) else value


_NO_MEMORY = frozenset(vars(torch.nn.Module()))
"""What every module has."""
