"""An image in the terminal: in half blocks everywhere, as a true picture where the terminal has graphics."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from curation.frames import Image
from studio.tui import graphics

from .cells import CellGrid
from .halfblocks import Glyph, Packed, blend, fit, packed, scaled

_INK = (236, 239, 243)
_SHADE, _SHADE_SHARE = (10, 12, 16), 0.62
"""Over the picture behind a caption: the picture is seen, the words are read."""
_CAPTION = Style(color=Color.from_rgb(*_INK), bgcolor=Color.from_rgb(*_SHADE))
REST_S = 0.095
"""Least time between two true pictures [s]: ten a second, as the cameras of a recording are drawn."""
FRONT_S = 0.2
"""How often a true picture looks whether its screen is still in front [s]."""


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
        self._slot = graphics.Slot() if graphics.found() == "kitty" else None
        self._true: tuple[int, int] | None = None
        self._sent, self._waiting = 0.0, False

    @property
    def caption(self) -> str:
        """Words over the picture's upper left corner."""
        return self._caption

    @caption.setter
    def caption(self, words: str) -> None:
        if words != self._caption:
            self._caption = words
            self._draw()

    @property
    def empty(self) -> str:
        """Words shown while there is no image."""
        return self._empty

    @empty.setter
    def empty(self, words: str) -> None:
        if words != self._empty:
            self._empty = words
            self.refresh()

    def show(self, image: Image | None) -> None:
        """Show another image.

        Args:
            image: uint8 RGB, shape (height, width, 3), not changed later; None shows the words for no image.
        """
        if image is not self._image:
            self._image = image
            self._draw()

    def on_mount(self) -> None:
        """Watch whether other screens cover this one."""
        if self._slot is not None:
            self.set_interval(FRONT_S, self._look_front)

    def on_unmount(self) -> None:
        """Free the terminal's memory."""
        if self._slot is not None:
            self._tell(self._slot.clear())

    def on_resize(self, event: events.Resize) -> None:
        """Fit the image anew."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line of cells."""
        if self._true is None or self._slot is None:
            return super().render_line(y)
        (top, left), (lines, columns) = self._at, self._true
        if not 0 <= y - top < lines:
            return Strip.blank(self.size.width, self.rich_style)
        words = f" {self._caption} "[:columns] if self._caption and y == top else ""
        number = Style(color=_number_colour(self._slot.number))
        picture = Segment(graphics.placeholder(y - top, range(len(words), columns)), number)
        row = Strip([Segment(words, _CAPTION), picture] if words else [picture], columns)
        return self.beside(row, left)

    def nothing(self, y: int) -> Strip:
        """The words for no image, in the middle."""
        width, ground = self.size.width, self.rich_style
        if y != (self.size.height - 1) // 2:
            return Strip.blank(width, ground)
        return Strip([Segment(self._empty[:width].center(width), ground + Style(dim=True))], width)

    def _draw(self) -> None:
        """Bring the image to the widget's size and the terminal's colours."""
        width, height = self.size
        if self._image is None or not width or not height:
            self._true = None
            self.put(None)
            return
        lines, columns = fit(self._image.shape[0], self._image.shape[1], height, width)
        at = ((height - lines) // 2, (width - columns) // 2)
        if self._slot is not None and self._in_front and graphics.fits(lines, columns):
            self._send(self.with_lines(self._image), lines, columns, at)
            return
        self._true = None
        grid = packed(scaled(self._image, lines, columns), self.app.console.color_system)
        self.put(grid, at, {**self.lines_over(grid), **caption_glyphs(self._caption, grid)})

    def with_lines(self, image: Image) -> Image:
        """The image with what is drawn over it, as a true picture."""
        return image

    def lines_over(self, grid: Packed) -> dict[tuple[int, int], Glyph]:
        """What is drawn over the image, as characters, by line and column.

        Args:
            grid: the image in the terminal's colours, shape (2 * lines, columns).
        """
        return {}

    # True pictures.

    @property
    def _in_front(self) -> bool:
        """Whether nothing tints the characters, whose colour is the picture's number."""
        return self.app.screen is self.screen and self.app.console.color_system == "truecolor" and not self.app.is_web

    def _send(self, image: Image, lines: int, columns: int, at: tuple[int, int]) -> None:
        rest = self._sent + REST_S - time.monotonic()
        if rest > 0:
            if not self._waiting:
                self._waiting = True
                self.set_timer(rest, self._send_late)
            return
        assert self._slot is not None
        self._sent = time.monotonic()
        self._tell(self._slot.send(image, lines, columns))
        self._true, self._at, self._grid = (lines, columns), at, None
        self.refresh()

    def _send_late(self) -> None:
        self._waiting = False
        self._draw()

    def _look_front(self) -> None:
        if self._image is not None and self._in_front != (self._true is not None):
            self._draw()

    def _tell(self, escapes: str) -> None:
        """Send to the terminal, between two frames of text."""
        driver = self.app._driver
        if driver is not None and escapes:
            # At the application's end the driver may have stopped before the last widget.
            with suppress(AssertionError):
                driver.write(escapes)


def caption_glyphs(caption: str, grid: Packed) -> dict[tuple[int, int], Glyph]:
    """A caption in the first line, on the picture darkened."""
    text = f" {caption} "[: grid.shape[1]] if caption else ""
    shades = (blend(colour, _SHADE, _SHADE_SHARE) for colour in grid[0, : len(text)].tolist())
    return {
        (0, column): Glyph(letter, _INK, ground=shade)
        for column, (letter, shade) in enumerate(zip(text, shades, strict=True))
    }


def _number_colour(number: int) -> Color:
    return Color.from_rgb(number >> 16, (number >> 8) & 255, number & 255)
