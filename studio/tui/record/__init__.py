"""The record screen: what the cameras see, where the block is, how good the take is, and the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.tui.record.screen import RecordScreen
    from studio.tui.state import Place, Studio


def make_screen(studio: Studio, place: Place) -> RecordScreen:
    """The record screen; it takes up the recording that goes on, or starts `place.what`, a `Record` of options."""
    from studio.tui.record.screen import RecordScreen

    return RecordScreen(studio, place)
