"""An image in the terminal: in half blocks everywhere, as a true picture where the terminal has graphics."""

from __future__ import annotations

from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from curation.frames import Image

from .cells import CellGrid
from .halfblocks import Glyph, Packed, blend, fit, packed, scaled

_INK = (236, 239, 243)
_SHADE, _SHADE_SHARE = (10, 12, 16), 0.62
"""Over the picture behind a caption: the picture is seen, the words are read."""


class Pixels(CellGrid):
    """Shows the last image it was given, as large as it fits, in its own proportions.

    Args:
        caption: words over the picture's upper left corner.
        empty: words shown while there is no image.
    """

    def __init__(self, caption: str = "", empty: str = "no picture yet", **more: Any) -> None:
        super().__init__(**more)
        self._caption = caption
        self._empty = empty
        self._image: Image | None = None

    @property
    def caption(self) -> str:
        """Words over the picture's upper left corner."""
        return self._caption

    @caption.setter
    def caption(self, words: str) -> None:
        if words != self._caption:
            self._caption = words
            self._draw()

    def show(self, image: Image | None) -> None:
        """Show another image.

        Args:
            image: uint8 RGB, shape (height, width, 3), not changed later; None shows the words for no image.
        """
        if image is not self._image:
            self._image = image
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the image anew."""
        self._draw()

    def _draw(self) -> None:
        """Bring the image to the widget's size and the terminal's colours."""
        width, height = self.size
        if self._image is None or not width or not height:
            self.put(None)
            return
        lines, columns = fit(self._image.shape[0], self._image.shape[1], height, width)
        grid = packed(scaled(self._image, lines, columns), self.app.console.color_system)
        self.put(grid, ((height - lines) // 2, (width - columns) // 2), caption_glyphs(self._caption, grid))

    def nothing(self, y: int, ground: Style) -> Strip:
        """The words for no image, in the middle."""
        width = self.size.width
        if y != (self.size.height - 1) // 2:
            return Strip.blank(width, ground)
        return Strip([Segment(self._empty[:width].center(width), ground + Style(dim=True))], width)


def caption_glyphs(caption: str, grid: Packed) -> dict[tuple[int, int], Glyph]:
    """A caption in the first line, on the picture darkened."""
    text = f" {caption} "[: grid.shape[1]] if caption else ""
    shades = (blend(colour, _SHADE, _SHADE_SHARE) for colour in grid[0, : len(text)].tolist())
    return {
        (0, column): Glyph(letter, _INK, ground=shade)
        for column, (letter, shade) in enumerate(zip(text, shades, strict=True))
    }
