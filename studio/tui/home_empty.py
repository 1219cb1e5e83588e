"""What the home screen says where there is no dataset yet."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.text import Text


def welcome(colours: dict[str, str], example: Sequence[str]) -> Text:
    """The ways on, each with its key."""
    key, plain, quiet = f"bold {colours['accent']}", colours["foreground"], colours["muted"]
    text = Text()
    text.append("No datasets here yet\n\n", f"bold {plain}")
    text.append("n", key).append("  record one: drive the arm with the keyboard, or let the expert drive\n", plain)
    text.append("g", key).append("  make an example: ten episodes by the scripted expert, in the background\n", plain)
    text.append("t", key).append("  choose positions on the map first\n\n", plain)
    text.append("The example as a command:\n", quiet)
    text.append(f"studio {shlex.join(example)}\n\n", plain)
    text.append("Datasets elsewhere? Set STUDIO_DATA to their folder.", quiet)
    return text
