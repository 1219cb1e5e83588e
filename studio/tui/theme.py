"""Colours of the application: one dark look, and the same in sixteen colours."""

from __future__ import annotations

from functools import cache
from typing import Any

from rich.style import Style
from textual.app import App
from textual.theme import Theme

from curation.palette import Colour, outcome_colour

BACKGROUND: Colour = (16, 19, 24)
INK, MUTED, FAINT = "#dfe4ea", "#8e98a6", "#4d5866"
ACCENT, WARM, GOOD, BAD, WARN = "#72aef2", "#f2b25c", "#4cc38a", "#f0716b", "#e5b454"

STUDIO = Theme(
    name="studio",
    dark=True,
    primary=ACCENT,
    secondary=WARM,
    accent=ACCENT,
    success=GOOD,
    warning=WARN,
    error=BAD,
    foreground=INK,
    background="#101318",
    surface="#151920",
    panel="#1c222b",
    variables={
        "muted": MUTED,
        "faint": FAINT,
        "line": "#2b333f",
        "raised": "#1c222b",
        "chosen": "#223a57",
        "chosen-quiet": "#1d2733",
        "border": "#2b333f",
        "border-blurred": "#2b333f",
        "input-selection-background": "#2f5581",
        "block-cursor-background": "#223a57",
        "block-cursor-foreground": INK,
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#1d2733",
        "block-cursor-blurred-foreground": INK,
        "scrollbar": "#2b333f",
        "scrollbar-hover": "#3a4554",
        "scrollbar-active": ACCENT,
        "scrollbar-background": "#12161b",
        "scrollbar-background-hover": "#12161b",
        "scrollbar-background-active": "#12161b",
        "scrollbar-corner-color": "#12161b",
        "footer-key-foreground": ACCENT,
    },
)
"""Everywhere with 256 colours or more."""

SIXTEEN = Theme(
    name="studio-16",
    dark=True,
    primary="#55ffff",
    secondary="#ffff55",
    accent="#55ffff",
    success="#55ff55",
    warning="#ffff55",
    error="#ff5555",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    variables={
        **STUDIO.variables,
        "muted": "#aaaaaa",
        "faint": "#aaaaaa",
        "line": "#555555",
        "raised": "#000000",
        "chosen": "#0000aa",
        "chosen-quiet": "#555555",
        "border": "#555555",
        "block-cursor-background": "#0000aa",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-blurred-background": "#555555",
        "block-cursor-blurred-foreground": "#ffffff",
        "scrollbar": "#555555",
        "scrollbar-background": "#000000",
    },
)
"""On terminals with the sixteen colours only: its values are those colours, so nothing is rounded to another."""

_LEAST_CONTRAST = 4.0
"""Of a word against the background (WCAG asks 4.5 of body text; outcome words are redundant with their position)."""


@cache
def outcome_style(outcome: str) -> Style:
    """An outcome's colour in films and posters, lightened until it reads on the dark background."""
    colour = outcome_colour(outcome)
    while contrast(colour, BACKGROUND) < _LEAST_CONTRAST:
        colour = (min(255, colour[0] + 8), min(255, colour[1] + 8), min(255, colour[2] + 8))
    return Style(color="#{:02x}{:02x}{:02x}".format(*colour))


def contrast(a: Colour, b: Colour) -> float:
    """Contrast ratio of two colours after WCAG 2, 1 to 21."""
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def themed(app: App[Any]) -> dict[str, str]:
    """Colours by name as the App's theme has them now, for text that is drawn piece by piece."""
    return _COLOURS.get(app.theme, _COLOURS[STUDIO.name])


def _colours(theme: Theme) -> dict[str, str]:
    base = {name: str(getattr(theme, name)) for name in ("accent", "secondary", "success", "warning", "error")}
    return {**base, "foreground": str(theme.foreground), **theme.variables}


_COLOURS = {theme.name: _colours(theme) for theme in (STUDIO, SIXTEEN)}
