"""What would make a training wrong, impossible or lost, found before it begins: each with what mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from curation.checks import Finding
from curation.checks.finding import gravest_first
from curation.checks.others import Refs
from curation.errors import DataError
from training.preflight.arguments import arguments
from training.preflight.asked import Asked, World
from training.preflight.data import data
from training.preflight.hand import hand
from training.preflight.machine import machine
from training.preflight.policy import policy
from training.preflight.units import units
from training.preflight.world import world

__all__ = ["Asked", "Refused", "World", "names", "preflight"]

_RULES: tuple[Callable[[Asked], Iterator[Finding]], ...] = (arguments, policy, units, hand, machine, world)
_OF_THIS_MACHINE = (hand, machine)


class Refused(DataError):
    """Preflight found errors."""


def preflight(asked: Asked, *, refs: Refs | None = None) -> list[Finding]:
    """Look for every fault that can be seen before training; nothing is changed.

    Args:
        asked: the training.
        refs: asks the Hub for branches and tags; without it the Hub is not asked.

    Returns:
        What was found, gravest first. Errors are to be refused.
    """
    found = list(data(asked, refs))
    for rule in _RULES:
        if not (asked.elsewhere and rule in _OF_THIS_MACHINE):
            found += rule(asked)
    return gravest_first(found)


def names(findings: Sequence[Finding]) -> list[str]:
    """Names of the rules that found errors, each once."""
    return list(dict.fromkeys(finding.check for finding in findings if finding.level == "error"))
