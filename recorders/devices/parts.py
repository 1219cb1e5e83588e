"""What driving by a device needs, and whether it is there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Something that driving by a device needs.

    Attributes:
        name: of it.
        there: whether it is there.
        detail: what it is, or what would help.
    """

    name: str
    there: bool
    detail: str
