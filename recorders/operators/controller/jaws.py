"""The trigger as the gripper: pulled is closed. After a loss it takes the gripper up where the gripper is."""

from __future__ import annotations

OPEN = 60.0
"""Opening with the trigger released, 0..100: 86 mm between the pads, three cubes; wider, the jaw swings far out and the
trigger gets coarse (assumed)."""
DEAD = 0.05
"""Share of the trigger's way at either end that changes nothing: triggers rest a little beside their ends (assumed)."""
NEAR = 6.0
"""How near the trigger comes to the gripper to take it up again, 0..100 (assumed)."""


def opening(trigger: float) -> float:
    """What a trigger asks of the gripper, 0 closed to `OPEN`."""
    closed = (trigger - DEAD) / (1.0 - 2.0 * DEAD)
    return OPEN * (1.0 - min(max(closed, 0.0), 1.0))


class Jaws:
    """Follows the trigger, unless it is lost.

    A hand that comes back with another trigger than it left with would drop the block or crush into it, so the gripper
    holds until the trigger has come to where it stands, or past it.
    """

    def __init__(self) -> None:
        self._taken = True
        self._side = 0.0

    def begin(self) -> None:
        """Follow at once."""
        self._taken = True

    def lose(self) -> None:
        """The trigger is not known; wait for it at where the gripper then is."""
        self._taken, self._side = False, 0.0

    def see(self, trigger: float, standing: float) -> float:
        """What the gripper is asked for, 0 closed to 100.

        Args:
            trigger: 0 released to 1 pulled.
            standing: the target in force, 0 closed to 100.
        """
        wanted = opening(trigger)
        if not self._taken:
            side, self._side = self._side, wanted - standing
            self._taken = abs(self._side) <= NEAR or side * self._side < 0.0
        return wanted if self._taken else standing
