"""What a person says about how the arm is driven, as opposed to about the take."""

from __future__ import annotations

from collections.abc import Callable

from .by_hand import ByHand
from .corrected import Corrected
from .keymap import Intent

STEERS = (Intent.HALT, Intent.FASTER, Intent.SLOWER, Intent.MODE, Intent.TAKEOVER)


def steer(intent: Intent, hands: ByHand | None, corrected: Corrected | None, release: Callable[[], None]) -> bool:
    """Do what changes how hands drive, or who drives; False if the intent is none of those.

    Args:
        intent: said.
        hands: the person's; None where nobody drives by them.
        corrected: the policy that keys take over from, if there is one.
        release: lets go of every key.
    """
    if intent is Intent.HALT or (hands and intent is Intent.MODE) or (corrected and intent is Intent.TAKEOVER):
        # A key that is down would go on driving: past a halt, along another axis, or against whom it was handed to.
        release()
    match intent:
        case Intent.HALT if hands:
            hands.halt()
            if corrected is not None:
                corrected.take()
        case Intent.FASTER if hands:
            hands.faster()
        case Intent.SLOWER if hands:
            hands.faster(-1)
        case Intent.MODE if hands:
            hands.switch()
        case Intent.TAKEOVER if corrected is not None:
            corrected.swap()
    return intent in STEERS
