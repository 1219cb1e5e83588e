"""What a person says about how the arm is driven, as opposed to about the take."""

from __future__ import annotations

from collections.abc import Callable

from .corrected import Corrected
from .jog import Jog
from .keymap import Intent

STEERS = (Intent.HALT, Intent.FASTER, Intent.SLOWER, Intent.MODE, Intent.TAKEOVER)


def steer(intent: Intent, jog: Jog | None, corrected: Corrected | None, release: Callable[[], None]) -> bool:
    """Do what changes how keys drive, or who drives; False if the intent is none of those.

    Args:
        intent: said.
        jog: the person's keys; None where nobody drives by them.
        corrected: the policy that keys take over from, if there is one.
        release: lets go of every key.
    """
    if intent is Intent.HALT or (jog and intent is Intent.MODE) or (corrected and intent is Intent.TAKEOVER):
        # A key that is down would go on driving: past a halt, along another axis, or against whom it was handed to.
        release()
    match intent:
        case Intent.HALT if jog:
            jog.halt()
            if corrected is not None:
                corrected.take()
        case Intent.FASTER if jog:
            jog.faster()
        case Intent.SLOWER if jog:
            jog.faster(-1)
        case Intent.MODE if jog:
            jog.switch()
        case Intent.TAKEOVER if corrected is not None:
            corrected.swap()
    return intent in STEERS
