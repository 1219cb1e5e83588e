"""A trained policy as one who records: `--operator policy:CHECKPOINT`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing import current_process, parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from curation.errors import UsageError
from curation.frames import JOINTS
from recorders.operators import Operator
from recorders.operators.named import POLICY, Who
from recorders.world.scene import Scene, fingerprint
from recorders.world.sim import SimWorld
from recorders.world.tasks.pick_place import instruction
from studio.evaluating import cameras_of, differences, pose_of
from studio.paths import runs_home
from training.checkpoint_card import CONFIG, Card, card, digest, resolve

if TYPE_CHECKING:
    from training.policy_model import PolicyModel


@dataclass(frozen=True)
class PolicyDriver:
    """Makes the operator for some worlds, in whichever process that is: one forward pass for all of them.

    Attributes:
        checkpoint: folder of the weights.
        n_action_steps: actions carried out of each chunk; None is as trained.
    """

    checkpoint: Path
    n_action_steps: int | None

    def __call__(self, worlds: Sequence[SimWorld]) -> Operator:
        """The operator; errors as `fitting`."""
        from training.policy import PolicyOperator, PolicySettings

        scene = worlds[0].scene
        return PolicyOperator(
            self.fitting(scene),
            PolicySettings(n_action_steps=self.n_action_steps, batch=len(worlds)),
            fps=scene.fps,
            task=_instruction(card(self.checkpoint), scene),
            label="policy",
            poses=[pose_of(world) for world in worlds],
            alarm=_alarm,
        )

    def fitting(self, scene: Scene) -> PolicyModel:
        """The policy, loaded once in a process, and checked against the scene.

        Raises:
            Unfit, CannotLoad, UsageError: it cannot drive here.
        """
        from training.policy_fit import require_fit

        model, known = _loaded(self.checkpoint), card(self.checkpoint)
        _instruction(known, scene)
        require_fit(
            model,
            known,
            cameras=cameras_of(scene),
            joints=len(JOINTS),
            fps=scene.fps,
            fingerprint=fingerprint(scene),
            differences=differences(scene, known.scenes),
        )
        return model


def require_fitting(who: Who, scene: Scene) -> None:
    """Check before anything is made that whoever drives can do it in this scene; errors as `PolicyDriver.fitting`."""
    if isinstance(who.make, PolicyDriver):
        who.make.fitting(scene)


def _instruction(known: Card, scene: Scene) -> str:
    """What the policy is told: of several instructions that of the scene's task, which the episodes are stored with.

    Raises:
        UsageError: it was trained with several, none of which is the scene's.
    """
    own = instruction(scene)
    if own in known.tasks or not known.tasks:
        return own
    if len(known.tasks) > 1:
        listed = ", ".join(f'"{task}"' for task in known.tasks)
        raise UsageError(f'{known.label} was trained with {listed}; none of them is "{own}", the task of this scene.')
    return known.tasks[0]


@cache
def _loaded(checkpoint: Path) -> PolicyModel:
    from training.policy_model import PolicyModel

    return PolicyModel(checkpoint)


def doubts(who: Who) -> list[str]:
    """What nobody can check of a policy that drives, in sentences; nothing of others."""
    if not isinstance(who.make, PolicyDriver):
        return []
    from training.policy import NO_STATISTICS
    from training.policy_fit import unknown

    model, known = _loaded(who.make.checkpoint), card(who.make.checkpoint)
    found = [said_unknown(missing)] if (missing := unknown(known)) else []
    return [*found, *([NO_STATISTICS] if model.demonstrated is None and not model.relative else [])]


def said_unknown(missing: Sequence[str]) -> str:
    """That a checkpoint does not say these things of itself."""
    return f"The checkpoint does not say {', '.join(missing)}: nobody can check that this world is its own."


@cache
def _alarm(text: str) -> None:
    """Say once in a process what a policy noticed of itself while it drives."""
    in_booth = parent_process() is not None and not current_process().daemon
    # The booth's terminal belongs to the screens; what is known beforehand is said by `doubts`.
    if not in_booth:
        print(text, file=sys.stderr, flush=True)


@cache
def policy_who(name: str, n_action_steps: int | None, noise: float, prefix: str = POLICY) -> Who:
    """The policy of a checkpoint as an operator, and what takes say about it.

    Args:
        name: of the checkpoint.
        n_action_steps: actions carried out of each chunk; None is as trained.
        noise: on its targets [deg].
        prefix: of its name as the episodes store it.

    Raises:
        UsageError: there is no such checkpoint.
        DataError: it is damaged.
    """
    folder = resolve(name, runs_home())
    known = card(folder)
    trained = json.loads((folder / CONFIG).read_bytes()).get("n_action_steps")
    about = {
        "checkpoint": name, "digest": digest(folder), "run": known.run, "step": known.step, "policy": known.policy,
        "n_action_steps": n_action_steps or trained,
    }  # fmt: skip
    driver = PolicyDriver(folder.absolute(), n_action_steps)
    return Who(name=f"{prefix}{known.label}", noise=noise, make=driver, about={"policy": about})
