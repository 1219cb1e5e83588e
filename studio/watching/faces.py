"""What else is written of a watched episode, into the folder of its history: a page, a film, a recording for Rerun."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studio.console import Console

from .history import History

PAGE, FILM, RECORDING = "page.html", "film.mp4", "thought.rrd"


@dataclass(frozen=True, kw_only=True)
class Faces:
    """Which of them are asked for."""

    history: Path | None = None
    """Show a watched episode that is in this folder; nothing is run, and no policy is needed."""
    page: bool = False
    """Also write page.html: pictures with whiskers, joint graph and votes in one file that opens in any browser."""
    film: bool = False
    """Also write film.mp4: six angles at once, one following the gripper, with whiskers in all of them."""
    rerun: bool = False
    """Also write thought.rrd for the Rerun viewer (needs the extra rerun)."""


def require_faces(faces: Faces) -> None:
    """Refuse what could not be written, before anything is run.

    Raises:
        UsageError: the extra for Rerun is missing.
    """
    if faces.rerun:
        from .recording import require_rerun

        require_rerun()


def write_faces(faces: Faces, history: History, folder: Path, console: Console) -> dict[str, Path]:
    """Write what is asked for; what is there is replaced.

    Returns:
        The files by face: page, film, rerun.
    """
    written: dict[str, Path] = {}
    if faces.page:
        from .page import write_page

        told = write_page(history, folder / PAGE, lambda done, of: console.progress(f"page: picture {done} of {of}"))
        console.step(f"{told.path} has {told.bytes / 1e6:.1f} MB" + _fewer(told.every))
        written["page"] = told.path
    if faces.film:
        from .film import write_film

        write_film(history, folder / FILM, lambda done, of: console.progress(f"film: frame {done} of {of}"))
        written["film"] = folder / FILM
    if faces.rerun:
        from .recording import write_recording

        write_recording(history, folder / RECORDING, lambda done, of: console.progress(f"rerun: frame {done} of {of}"))
        written["rerun"] = folder / RECORDING
    return written


def _fewer(every: int) -> str:
    return "." if every == 1 else f"; to stay small it has a picture of every {every} frames."
