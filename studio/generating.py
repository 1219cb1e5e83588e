"""How a generation is made: how many attempts at once, in how many processes, and whether it goes on with another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import TargetExists, UsageError
from curation.layout import INFO
from recorders.fleet import Order
from recorders.operators.named import Who
from recorders.referee import JUDGE
from recorders.session import Session
from recorders.world.scene import Scene
from studio import yielding
from studio.evaluating import batch_size, placements_of, process_count_for
from studio.options import process_count
from studio.paths import dataset_path
from studio.policy_driver import PolicyDriver
from training.checkpoint_card import card

if TYPE_CHECKING:
    from studio.verbs.asked import Asked


def lockstep(who: Who, scene: Scene, asked: int, most: int | None) -> int:
    """How many worlds are driven in lockstep.

    Args:
        who: drives.
        scene: of the worlds.
        asked: on the command line; 0 leaves it to this.
        most: attempts or episodes that are wanted; None if nobody knows.

    Raises:
        UsageError: nobody answers for several worlds at once.
    """
    if not isinstance(who.make, PolicyDriver):
        if asked:
            raise UsageError(f"--batch {asked} is for policies; {who.name} drives one world.")
        return 1
    size = asked or batch_size(who.make.fitting(scene).device)
    return size if most is None else min(size, most)


def processes_for(who: Who, asked: int, wanted: int, worlds: int, scene: Scene) -> int:
    """How many processes help; errors as `process_count`."""
    count = process_count(asked)
    if not isinstance(who.make, PolicyDriver):
        return count
    # Also of a policy that sees nothing the pictures are drawn.
    known = card(who.make.checkpoint)
    return process_count_for(asked, wanted, math.ceil(wanted / worlds), known, images=True, real_time=False)


def how_made(order: Order) -> dict[str, Any]:
    """What decides the attempts, JSON values: equal values give equal ones."""
    policy = order.who.about.get("policy", {})
    return {
        "operator": order.who.label,
        "digest": policy.get("digest"),
        "n_action_steps": policy.get("n_action_steps"),
        "keep": order.rule.name,
        **({} if order.rule.ends == JUDGE else {"ends": order.rule.ends}),
        "audit": order.rule.audit,
        "limit_frames": order.limit,
        "placements": placements_of(order.placing, order.seed),
        "worlds": order.worlds,
    }


def opened(
    asked: Asked, how: Mapping[str, Any], wanted: int | None, precision: float | None = None, *, forced: bool = False
) -> Session:
    """The dataset to go on with, or a new one; its yield says what is asked, for whoever follows.

    Args:
        asked: of the command.
        how: the attempts are made.
        wanted: how many attempts are asked for: then the same command goes on where it was stopped, and nothing else
            does, because the yield is of attempts of one kind. None asks for episodes.
        precision, forced: as `yielding.find` has them; the bound is remembered before anything is made.

    Raises:
        UsageError: it was begun otherwise; names what differs.
        TargetExists: something else is there.
    """
    root, fixed = dataset_path(asked.to), wanted is not None
    session = asked.open(resume=asked.resume or (fixed and (root / INFO).is_file()))
    try:
        before = yielding.asked_of(root)
        if fixed and before is None and session.next_attempt and not asked.resume:
            raise TargetExists(root, "Choose another place, or continue it with --resume.")
        if fixed and before is not None:
            require_alike(root, before, how)
        if before is None or fixed:
            yielding.write(root, yielding.find(session, how, precision, forced=forced, wanted=wanted))
    except BaseException:
        session.close()
        raise
    return session


def require_alike(root: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with attempts that are made otherwise.

    Raises:
        UsageError: naming what differs.
    """
    old, new = ({**told, **dict(told.get("placements") or {}), "placements": None} for told in (before, now))
    told = [f"{name} {old.get(name)}, asked {new[name]}" for name in new if old.get(name) != new[name]]
    if told:
        raise UsageError(
            f"The attempts of {root} are made with {'; '.join(told)}. Ask for the same, or make others in a new "
            "dataset (--to), and merge the two."
        )
