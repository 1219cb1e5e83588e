"""What is varied in an ablation, and which of many comparisons still count when all are looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.errors import UnknownChoice, UsageError

CARRIED = ("n_action_steps", "ensemble", "blind", "latency", "gripper_bias")
"""How the policy is carried out."""
WORLD = ("servo", "ground", "camera", "block", "bowl", "look", "overhead_fov", "distractors", "block_scale", "friction",
         "width", "height")  # fmt: skip
"""The scene, where it is meant to differ from the trained one."""
_WHOLE = ("n_action_steps", "distractors", "width", "height")
_REAL = ("ensemble", "gripper_bias", "overhead_fov", "block_scale", "friction")
Value = int | float | str | tuple[str, ...] | None


@dataclass(frozen=True)
class Variation:
    """One thing changed.

    Attributes:
        name: of `CARRIED` or `WORLD`, or "ensembling" for turning it off.
        value: it is set to.
    """

    name: str
    value: Value

    @property
    def words(self) -> str:
        """For tables."""
        if self.name == "ensembling":
            return "ensemble off"
        value = "+".join(self.value) if isinstance(self.value, tuple) else self.value
        return f"{self.name} {value}"


def variations(words: Sequence[str], cameras: Sequence[str]) -> list[Variation]:
    """What "n_action_steps=1,10" and the like ask for, one variation for each value.

    Args:
        words: NAME=VALUE,VALUE each. `blind=each` is every camera by itself, `ensemble=off` turns ensembling off.
        cameras: of the policy.

    Raises:
        UsageError: a name or a value is none.
    """
    found: list[Variation] = []
    for word in words:
        name, equals, values = word.partition("=")
        if name not in (*CARRIED, *WORLD):
            raise UnknownChoice("thing to vary", name, (*CARRIED, *WORLD))
        if not equals or not all(values.split(",")):
            raise UsageError(f"'{word}' is not NAME=VALUE,VALUE, such as n_action_steps=1,10,20.")
        for value in values.split(","):
            if (name, value) == ("blind", "each"):
                found += [Variation("blind", (camera,)) for camera in cameras]
            elif (name, value) == ("ensemble", "off"):
                found.append(Variation("ensembling", "off"))
            else:
                found.append(Variation(name, _value(name, value)))
    return list(dict.fromkeys(found))


def usual(chunk: int, executed: int, cameras: Sequence[str]) -> list[Variation]:
    """What is varied if nothing is named: rollout length, ensembling, each camera, latency, servo.

    Args:
        chunk: actions in the policy's chunk.
        executed: of which so many are carried out now.
        cameras: of the policy.
    """
    lengths = [length for length in dict.fromkeys((1, chunk // 4, chunk // 2, chunk)) if length >= 1]
    found = [Variation("n_action_steps", length) for length in lengths if length != executed] if chunk > 1 else []
    found += [Variation("ensemble", 0.01)] if chunk > 1 else []
    found += [Variation("blind", (camera,)) for camera in cameras]
    found += [Variation("latency", "100"), Variation("latency", "300")] if chunk > 1 else []
    return [*found, Variation("servo", "hardware")]


def holm(p: Mapping[str, float], error: float = 0.05) -> dict[str, bool]:
    """Which of several comparisons hold when any wrong one among all shall have a chance of `error` (Holm's method)."""
    ranked = sorted(p, key=lambda name: p[name])
    holds: dict[str, bool] = {}
    going = True
    for rank, name in enumerate(ranked):
        going = going and p[name] <= error / (len(ranked) - rank)
        holds[name] = going
    return {name: holds[name] for name in p}


def tarone(p: Mapping[str, float], least: Mapping[str, float], error: float = 0.05) -> dict[str, bool]:
    """The same for exact tests of few episodes (Tarone's method): a test that could not have found anything is not
    counted.

    Args:
        p: of each comparison.
        least: the smallest p that each could have had, whatever the direction of its differences.
        error: of any wrong claim.
    """
    many = next(n for n in range(1, len(p) + 2) if sum(each <= error / n for each in least.values()) <= n)
    return {name: p[name] <= error / many for name in p}


def _value(name: str, text: str) -> Value:
    try:
        if name in _WHOLE:
            return int(text)
        if name in _REAL:
            return float(text)
    except ValueError:
        kind = "a whole number" if name in _WHOLE else "a number"
        raise UsageError(f"{name}={text}: {kind} is needed.") from None
    return (text,) if name == "blind" else text
