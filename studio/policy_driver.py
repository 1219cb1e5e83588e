"""A trained policy as one who records: `--operator policy:CHECKPOINT`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
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
    """Makes the operator for one world, in whichever process that is.

    Attributes:
        checkpoint: folder of the weights.
        n_action_steps: actions carried out of each chunk; None is as trained.
    """

    checkpoint: Path
    n_action_steps: int | None

    def __call__(self, world: SimWorld) -> Operator:
        """The operator; errors as `fitting`."""
        from training.policy import PolicyOperator, PolicySettings

        return PolicyOperator(
            self.fitting(world.scene),
            PolicySettings(n_action_steps=self.n_action_steps),
            fps=world.scene.fps,
            task=_instruction(card(self.checkpoint), world.scene),
            label="policy",
            poses=[pose_of(world)],
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


@cache
def policy_who(name: str, n_action_steps: int | None, noise: float) -> Who:
    """The policy of a checkpoint as an operator, and what takes say about it.

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
    return Who(name=f"{POLICY}{known.label}", noise=noise, make=driver, about={"policy": about})
