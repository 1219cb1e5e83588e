"""Where a classifier looks: one square cut-out per camera, 128 x 128, as LeRobot's reward classifier takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.errors import DataError, UnknownChoice, UsageError
from curation.names import camera_name
from curation.store import Store

SIDE = 128
"""Pixels; LeRobot's reward classifier fixes it (its spatial embeddings are 4 x 4 at a stride of 32)."""
AROUND_BOWL_M = 0.19
"""Side of the square around the bowl that is cut out of an overhead picture [m] (assumed): bowl and gripper."""


@dataclass(frozen=True)
class CutOut:
    """A part of a picture, as shares of its size, so that it holds for any resolution.

    Attributes:
        top, left, height, width: 0 to 1.
    """

    top: float = 0.0
    left: float = 0.0
    height: float = 1.0
    width: float = 1.0

    def __post_init__(self) -> None:
        ends = (self.top, self.left, self.top + self.height, self.left + self.width)
        if not (all(0.0 <= end <= 1.0 + 1e-9 for end in ends) and min(self.height, self.width) > 0.01):
            raise UsageError(f"The cut-out {self.as_json()} does not lie within 0 to 1.")

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part, at `SIDE` x `SIDE`: uint8 (SIDE, SIDE, 3)."""
        top, left, height, width = self.pixels(*image.shape[:2])
        part = np.ascontiguousarray(image[top : top + height, left : left + width])
        shrinks = part.shape[0] >= SIDE
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, (SIDE, SIDE), interpolation=how), np.uint8)

    def pixels(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of the part of a picture of some size."""
        top, left = round(self.top * height), round(self.left * width)
        bottom, right = round((self.top + self.height) * height), round((self.left + self.width) * width)
        return top, left, bottom - top, right - left

    def as_json(self) -> dict[str, float]:
        return {name: round(getattr(self, name), 4) for name in ("top", "left", "height", "width")}


def colour_cameras(store: Store) -> list[str]:
    """A dataset's cameras by name, without those that show depth, sorted."""
    return sorted(camera_name(key) for key in layout.cameras(store.features) if not key.endswith("_depth"))


def require_cameras(look: Mapping[str, CutOut], stores: Sequence[Store], who: str) -> None:
    """Raise DataError where a dataset lacks a camera that somebody looks through."""
    for store in stores:
        missing = sorted(set(look) - set(colour_cameras(store)))
        if missing:
            raise DataError(
                f"{store.root.name} lacks the camera {missing[0]} that {who} looks through; it has "
                f"{', '.join(colour_cameras(store)) or 'none'}. studio rename gives a camera another name."
            )


def look_of(stores: Sequence[Store], asked: Mapping[str, CutOut]) -> dict[str, CutOut]:
    """The cut-out of every camera: as asked, else around the bowl where the dataset says where the camera sees it.

    Args:
        stores: all must have the same cameras.
        asked: cut-outs by camera, such as "overhead_cam".

    Raises:
        DataError: the cameras differ, or there are none.
        UnknownChoice: a cut-out is asked of a camera that is not there.
    """
    cameras = colour_cameras(stores[0])
    for store in stores:
        have = colour_cameras(store)
        if have != cameras or not have:
            raise DataError(
                f"{store.root.name} has the cameras {', '.join(have) or 'none'}, {stores[0].root.name} has "
                f"{', '.join(cameras) or 'none'}. A classifier needs the same of all: studio rename, studio merge."
            )
    for camera in asked:
        if camera not in cameras:
            raise UnknownChoice("camera", camera, cameras)
    known = _around_bowl(stores)
    return {camera: asked.get(camera) or known.get(camera) or CutOut() for camera in cameras}


def _around_bowl(stores: Sequence[Store]) -> dict[str, CutOut]:
    """Of the overhead camera where all datasets show the bowl in the same place; the camera looks straight down."""
    found = {_bowl_square(store.scene) for store in stores}
    square = found.pop() if len(found) == 1 else None
    return {} if square is None else {"overhead_cam": square}


def _bowl_square(scene: Mapping[str, Any]) -> CutOut | None:
    view, table = scene.get("overhead_view"), scene.get("table") or {}
    bowl = table.get("bowl")
    if not view or not bowl or (scene.get("scene") or {}).get("bowl") == "free":
        return None
    (x0, x1), (y0, y1) = view["x"], view["y"]
    # The picture's up is +x, its right is -y.
    height, width = AROUND_BOWL_M / (x1 - x0), AROUND_BOWL_M / (y1 - y0)
    top = (x1 - bowl["x"]) / (x1 - x0) - height / 2
    left = (y1 - bowl["y"]) / (y1 - y0) - width / 2
    top, left = (min(max(0.0, start), 1.0 - size) for start, size in ((top, height), (left, width)))
    return CutOut(round(top, 4), round(left, 4), round(height, 4), round(width, 4))
