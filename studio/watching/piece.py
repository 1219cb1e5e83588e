"""A history in pieces, for whoever watches from another process: each says all that is new from a frame on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .history import Columns, History
from .moment import Outlook


@dataclass(frozen=True)
class Piece:
    """What a history says from a frame on; what was there from that frame on is gone.

    Attributes:
        start: the frame.
        told: of the whole history.
        columns: of that frame and later ones.
        outlooks: of questions in that frame or later.
    """

    start: int
    told: dict[str, Any]
    columns: Columns
    outlooks: Mapping[int, Outlook]

    @staticmethod
    def of(history: History, start: int) -> Piece:
        """The end of a history."""
        whole = history.columns
        columns = Columns(
            whole.state[start:], whole.physics[start:], whole.tip[start:], whole.action[start:], whole.marks[start:]
        )
        later = [at for at in history.asked if at >= start]
        return Piece(start, history.told, columns, {at: history.outlooks[at] for at in later})

    def after(self, before: History | None) -> History:
        """The history with this piece at its end.

        Args:
            before: at least `start` frames of it; None where this is the first piece.
        """
        if before is None or self.start == 0:
            return History(self.told, self.columns, self.outlooks)
        old, new, end = before.columns, self.columns, self.start
        columns = Columns(
            np.concatenate([old.state[:end], new.state]),
            np.concatenate([old.physics[:end], new.physics]),
            np.concatenate([old.tip[:end], new.tip]),
            np.concatenate([old.action[:end], new.action]),
            (*old.marks[:end], *new.marks),
        )
        kept = {at: before.outlooks[at] for at in before.asked if at < end}
        return History(self.told, columns, {**kept, **self.outlooks})
