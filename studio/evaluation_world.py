"""The world of an evaluation: the one that the checkpoint was trained in, with what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from curation.errors import UnknownChoice, UsageError
from recorders.world.scene import Scene, scene_from
from training.checkpoint_card import Card


@dataclass(frozen=True, kw_only=True)
class World:
    """The scene, where it shall differ from the one that the checkpoint was trained in."""

    block: Literal["cube", "duplo"] | None = None
    """What is picked up."""
    bowl: Literal["round", "free", "tray"] | None = None
    """Where it goes."""
    ground: Literal["checker", "dark"] | None = None
    """The table top."""
    camera: Literal["studio", "thesis"] | None = None
    """Wrist camera mount."""
    overhead_fov: float | None = None
    """Vertical field of view of the overhead camera in degrees."""
    distractors: int | None = None
    """Extra blocks, at most 4."""
    block_scale: float | None = None
    """Size of the block relative to its standard."""
    look: Literal["fast", "nice"] | None = None
    """Drawing quality."""
    servo: Literal["ideal", "hardware"] | None = None
    """Servo profile."""
    friction: float | None = None
    """Sliding friction of the rubber pads."""
    width: int | None = None
    """Image width in pixels."""
    height: int | None = None
    """Image height in pixels."""
    fps: int | None = None
    """Control rate in Hz."""
    of_scene: str = ""
    """Of a checkpoint trained in several scenes, the fingerprint of the one to evaluate in, or its beginning."""
    other_scene: bool = False
    """The scene is meant to differ from the checkpoint's."""

    def scene(self, known: Card) -> Scene:
        """The scene that the checkpoint was trained in, with what was asked for; the default one if nobody knows.

        Of several the one that --of-scene names, or the only one that is as the options say.

        Raises:
            UsageError: several are left.
        """
        given = {name: value for name, value in vars(self).items() if value is not None and name not in _NOT_OF_SCENE}
        trained = self._named(known)
        fitting = [one for one in trained.values() if all(getattr(one, name) == value for name, value in given.items())]
        bases = fitting or list(trained.values()) or [Scene()]
        made = list(dict.fromkeys(replace(base, **given) for base in bases))
        if len(made) > 1:
            raise UsageError(
                f"{known.label} was trained in {len(trained)} scenes, and an evaluation is in one: {_told(trained)}. "
                f"Name it: --of-scene {next(iter(trained))}, or with options that only one of them has."
            )
        return made[0]

    def _named(self, known: Card) -> dict[str, Scene]:
        """Scenes of the checkpoint by fingerprint, of which one may have been named."""
        cards = {str(one["fingerprint"]): one.get("scene") for one in known.scenes}
        if self.of_scene:
            found = {mark: told for mark, told in cards.items() if mark.startswith(self.of_scene)}
            if not found:
                raise UnknownChoice("scene of the checkpoint", self.of_scene, list(cards) or ["none is known"])
            cards = found
        return {mark: scene_from(told) for mark, told in cards.items() if told}


_NOT_OF_SCENE = ("of_scene", "other_scene")


def _told(scenes: dict[str, Scene]) -> str:
    """Each with what sets it apart."""
    every = {mark: asdict(scene) for mark, scene in scenes.items()}
    apart = [name for name in asdict(Scene()) if len({str(one[name]) for one in every.values()}) > 1]
    return "; ".join(f"{mark} ({_values(one, apart)})" for mark, one in every.items())


def _values(scene: dict[str, Any], names: Sequence[str]) -> str:
    return ", ".join(f"{name} {scene[name]}" for name in names) or "no setting apart"
