"""Words about the table's map that need no physics to be said."""

from __future__ import annotations

from typing import Literal

Kind = Literal["planned", "next", "saved", "failed", "mixed", "infeasible", "masked", "close"]
"""What a position is."""
Window = tuple[float, float, float, float]
"""x low, x high, y low, y high [m]."""
WHOLE: Window = (-0.055, 0.605, -0.50, 0.42)
"""What is always on the map; more where the widget is wider or taller."""
