"""A table with a filter above it, which is tried as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import on
from textual.widgets import Input, Static

from curation.errors import StudioError
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.widgets.rows import Rows


class FilteredScreen(StudioScreen):
    """Has an Input #filter, a Static #filter-error and Rows; what stands in the filter decides `fits`."""

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self.fits: Callable[[Any], bool] = lambda entry: True

    def tested(self, text: str) -> Callable[[Any], bool]:
        """What a filter lets through.

        Raises:
            StudioError: it is none; what stood there before goes on.
        """
        raise NotImplementedError

    def show_rows(self) -> None:
        """Show the rows that fit."""
        raise NotImplementedError

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one("#filter").focus()

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        error = self.query_one("#filter-error", Static)
        try:
            self.fits = self.tested(event.value)
        except StudioError as problem:
            error.update(str(problem))
            error.display = True
            return
        error.display = False
        self.show_rows()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one(Rows).focus()

    def action_back(self) -> None:
        """From the filter to the table, from the table to the place before."""
        if self.query_one("#filter").has_focus:
            self.query_one(Rows).focus()
        else:
            super().action_back()
