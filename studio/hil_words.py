"""What a HIL-SERL smoke run did, in words and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from classifiers.transitions import Demonstrations
from curation.rates import Rate, wilson
from studio.hil_pair import Seen

WHAT_IT_IS = (
    "A smoke run: it shows that demonstrations, rewards, interventions, weights and checkpoints get where they belong. "
    "It says nothing about what a policy would learn; HIL-SERL's authors train one to two and a half hours on a GPU, "
    "with a person at hand."
)


def progress_words(now: Seen, steps: int) -> str:
    """One line."""
    learning = now.learning
    losses = ", ".join(f"{name.removeprefix('loss_')} {learning[name]:.3g}" for name in _losses(learning))
    return (
        f"step {now.steps} of {steps}: {_rewarded(now.episodes).of('episodes rewarded')}; learner at "
        f"{learning.get('step', 0)}, loss {losses or 'none yet'}"
    )


def described(folder: Path, state: str, now: Seen, demos: Demonstrations) -> dict[str, Any]:
    """A run that ended."""
    alone = [one for one in now.episodes if not one["driven"]]
    helped = [one for one in now.episodes if one["driven"]]
    agreed = sum((one["reward"] > 0) == one["success"] for one in now.episodes)
    last = folder / "learner" / "checkpoints" / "last" / "pretrained_model"
    return {
        "folder": str(folder),
        "state": state,
        "smoke_run": WHAT_IT_IS,
        "steps": now.steps,
        "driven_by_expert": sum(one["driven"] for one in now.episodes),
        "episodes": now.episodes,
        "rewarded": {"alone": asdict(_rewarded(alone)), "helped": asdict(_rewarded(helped))},
        "judge_agrees": asdict(wilson(agreed, len(now.episodes))),
        "demonstrations": asdict(demos),
        "learner": now.learning,
        "weights_loaded": max((one["loads"] for one in now.episodes), default=0),
        "checkpoint": str(last) if last.is_dir() else None,
    }


def result_words(found: dict[str, Any]) -> str:
    """The same for people."""
    learning = found["learner"]
    losses = ", ".join(f"{name} {learning[name]:.3g}" for name in _losses(learning)) or "no loss yet"
    alone, helped = (Rate(**found["rewarded"][name]) for name in ("alone", "helped"))
    lines = [
        f"{found['folder']}: {found['state']}. {WHAT_IT_IS}",
        f"  actor       {len(found['episodes'])} episodes, {found['steps']} steps, {found['driven_by_expert']} of them "
        "driven by the expert in a person's place",
        f"  rewarded    {alone.of('by the policy alone')}; {helped.of('with the expert')}",
        f"  judge       agrees on {Rate(**found['judge_agrees']).of('episodes')}, asked a second after their end",
        f"  learner     {learning.get('step', 0)} steps on {learning.get('transitions', 0)} transitions, of which "
        f"{learning.get('rewarded', 0)} rewarded, and on {learning.get('offline', 0)} of demonstrations and "
        f"interventions; {losses}",
        f"  weights     came to the actor {found['weights_loaded']} times",
        f"  checkpoint  {found['checkpoint'] or 'none: learner.log says what it was at'}",
    ]
    return "\n".join(lines)


def _losses(learning: dict[str, Any]) -> list[str]:
    return [name for name in ("loss_critic", "loss_actor") if name in learning]


def _rewarded(episodes: Sequence[dict[str, Any]]) -> Rate:
    return wilson(sum(one["reward"] > 0 for one in episodes), len(episodes))
