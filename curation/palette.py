"""Colours and type of all pictures: one ink, one paper, one colour for each outcome."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from curation.frames import Outcome

if TYPE_CHECKING:
    from PIL import ImageFont

Colour = tuple[int, int, int]

PAPER: Colour = (250, 249, 246)
CARD: Colour = (255, 255, 255)
INK: Colour = (28, 32, 38)
MUTED: Colour = (112, 118, 126)
FAINT: Colour = (222, 221, 215)
ACCENT: Colour = (51, 107, 179)
"""Blue of the bowl; of joints, what was measured."""
COMMANDED: Colour = (168, 105, 42)
"""Of joints, what they were told."""
NIGHT: Colour = (18, 21, 26)
"""Behind films."""

UNKNOWN: Colour = (140, 146, 154)
OUTCOMES: dict[str, Colour] = {
    Outcome.SUCCESS: (38, 148, 103),
    Outcome.HELD_AT_TIMEOUT: (214, 158, 30),
    Outcome.NEVER_REACHED: (86, 98, 120),
    Outcome.KNOCKED_AWAY: (196, 70, 150),
    Outcome.NEVER_PICKED_UP: (226, 116, 40),
    Outcome.DROPPED_IN_TRANSPORT: (205, 52, 48),
    Outcome.MISSED_GOAL: (122, 84, 190),
    Outcome.TIMEOUT: (140, 100, 66),
}


def outcome_colour(outcome: str) -> Colour:
    """The colour of an outcome; grey for words that are not the judge's."""
    return OUTCOMES.get(outcome, UNKNOWN)


def outcome_words(outcome: str) -> str:
    """An outcome as a person would say it."""
    return outcome.replace("_", " ") or "no outcome"


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own scalable font, so that pictures look the same on every machine.

    Raises:
        RuntimeError: this Pillow was built without FreeType.
    """
    from PIL import ImageFont

    found = ImageFont.load_default(size=size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType, so text cannot be drawn.")
    return found
