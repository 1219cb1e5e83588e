"""The cameras of the watch screen: overhead, and a free one that keys turn around the table or around the gripper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from curation.frames import Vector
from recorders.views import VIEWS
from studio.tui import graphics

if TYPE_CHECKING:
    from studio.views import Orbit, Views

OVERHEAD = "overhead_cam"
TURN_DEG, NEARER = 15.0, 1.25
"""What one key does: a turn [deg], or so many times nearer."""
STEEPEST, FLATTEST, NEAREST_M, FARTHEST_M = -89.0, 5.0, 0.15, 2.0
"""It goes neither below the table nor into the arm [deg, deg, m, m]."""


@dataclass(frozen=True)
class FreeCamera:
    """Where it is.

    Attributes:
        azimuth, elevation: as `recorders.views.View` has them [deg].
        distance: from the point looked at [m].
        follows: whether that is the gripper, not the middle of the table.
    """

    azimuth: float = VIEWS[0].azimuth
    elevation: float = VIEWS[0].elevation
    distance: float = VIEWS[0].distance
    follows: bool = False

    def turned(self, azimuth: float, elevation: float, distance: float) -> FreeCamera:
        """Turned by so much [deg], and so many times as far away."""
        return replace(
            self,
            azimuth=(self.azimuth + azimuth) % 360,
            elevation=max(STEEPEST, min(FLATTEST, self.elevation + elevation)),
            distance=max(NEAREST_M, min(FARTHEST_M, self.distance * distance)),
        )

    def orbit(self, tip: Vector) -> Orbit:
        """As the drawing process takes it; `tip` is the gripper's position [m]."""
        x, y, z = tip.tolist() if self.follows else VIEWS[0].target or (0.0, 0.0, 0.0)
        return (self.azimuth, self.elevation, self.distance, x, y, z)


def opened_views(scene: dict[str, Any]) -> Views:
    """The process that draws both cameras.

    Args:
        scene: settings of the world, as a history stores them.

    Raises:
        StudioError: they are of no scene that this studio knows.
    """
    from recorders.world.scene import scene_from
    from studio.views import Views

    size = graphics.picture_size()
    return Views(scene_from(scene), width=size["width"], height=size["height"], cameras=(OVERHEAD,), free=True)
