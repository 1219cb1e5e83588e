"""What a sitting shows and says, in the headset too: pictures, words and bells on its page."""

from __future__ import annotations

from collections import deque

from recorders.devices.web.headset import WebHeadset
from recorders.signals import Bell, Event, Rang, Tick
from recorders.world.scene import Scene
from studio.spoken import line, progress
from studio.verbs.asked import Asked
from studio.views import Pictures, Views

WIDTH, HEIGHT = 320, 240
"""Of each camera's picture [px]: 0.6 m wide on a panel 1.3 m away, a pixel is 0.08 degrees."""
PICTURES_PER_S = 10
LINES = 3
"""Words that stay."""


class Mirror:
    """Follows one sitting; nothing here waits for the headset.

    Args:
        headset: whose page it is.
        asked: of the recording.
        scene: that is drawn.
    """

    def __init__(self, headset: WebHeadset, asked: Asked, scene: Scene) -> None:
        self._headset = headset
        self._asked = asked
        self._scene = scene
        self._views: Views | None = None
        self._lines: deque[str] = deque(maxlen=LINES)
        self._shown: Pictures | None = None

    def hear(self, event: Event) -> None:
        """Something happened."""
        if isinstance(event, Rang):
            self._headset.ring(good=event.bell is Bell.SUCCESS)
        elif text := line(event):
            self._lines.append(text)

    def see(self, tick: Tick) -> None:
        """How it stands now; nothing is drawn while no page is there to show it."""
        if not self._headset.watched:
            return
        if self._views is None:
            self._views = Views(self._scene, width=WIDTH, height=HEIGHT, per_second=PICTURES_PER_S)
        self._headset.tell(progress(tick, self._asked), [*self._lines, *filter(None, (self._views.error,))])
        self._views.want(tick.physics)
        pictures = self._views.pictures()
        # The same object means that nothing new was drawn.
        if pictures is not None and pictures is not self._shown:
            self._shown = pictures
            self._headset.show(pictures)

    def close(self) -> None:
        """Draw no longer."""
        if self._views is not None:
            self._views.close()
