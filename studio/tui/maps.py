"""The table map inside a screen, made when it is first shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.containers import Container

from curation.errors import StudioError

if TYPE_CHECKING:
    from recorders.world.scene import Scene
    from studio.tui.widgets.table_map import TableMap

Spots = Sequence[tuple[Any, ...]]


class MapHolder(Container):
    """Holds a `TableMap`; MuJoCo, which knows the scene, is loaded only now.

    Args:
        scene: what stands on the table; None is the standard scene.
    """

    def __init__(self, scene: Scene | None = None, **more: Any) -> None:
        super().__init__(**more)
        self._scene = scene
        self._map: TableMap | None = None
        self._shown: tuple[Spots, dict[str, Any]] = ((), {})

    def on_mount(self) -> None:
        from recorders.world.scene import Scene
        from studio.tui.widgets.table_map import TableMap

        made = TableMap()
        made.set_scene(self._scene or Scene())
        self._map = made
        self.mount(made)
        self._draw()

    def scene(self, values: Mapping[str, Any] | None) -> None:
        """Show the table of a stored scene; None is the standard scene."""
        if self._map is None:
            return
        from recorders.world.scene import Scene, scene_from

        try:
            scene = scene_from(dict(values)) if values else Scene()
        except StudioError:
            # Of a newer version: its table is not known here, its positions are.
            scene = Scene()
        if scene != self._scene:
            self._scene = scene
            self._map.set_scene(scene)

    def spots(self, spots: Spots, **more: Any) -> None:
        """Show positions.

        Args:
            spots: x, y [m] and what they are, as a `Spot` takes it.
            more: as `TableMap.show` takes it.
        """
        self._shown = (spots, more)
        self._draw()

    def _draw(self) -> None:
        if self._map is not None:
            from studio.tui.widgets.table_map import Spot

            spots, more = self._shown
            self._map.show([Spot(*spot) for spot in spots], **more)
