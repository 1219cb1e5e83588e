"""A film of episodes: six angles at once, drawn from the stored physics, with a line that says what is seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from curation import frames
from curation.episodes import SavedEpisode
from curation.errors import UsageError
from curation.frames import Vector
from curation.palette import FAINT, MUTED, NIGHT, PAPER, Colour, font, outcome_colour, outcome_words
from curation.store import Store
from curation.video import Encoding, VideoWriter

from . import world  # noqa: F401  chooses how to draw before MuJoCo is loaded
from .draw import positions
from .journal import Take
from .sidecar import read_sidecar
from .views import VIEWS, Follower
from .world.drawing import Painter
from .world.scene import Scene, compile_scene, scene_from

COLUMNS, ROWS = 3, 2
TILE_WIDTH, TILE_HEIGHT = 640, 360
FOOTER = 56
"""Height of the strip under the tiles [px]."""
ALARM_HEIGHT, ALARM = 34, (176, 38, 34)
"""Of the strip above it that says what is wrong [px], and its colour."""
GAP = 4
"""Between tiles [px]."""
WIDTH = COLUMNS * TILE_WIDTH + (COLUMNS - 1) * GAP
HEIGHT = ROWS * TILE_HEIGHT + (ROWS - 1) * GAP + FOOTER
ENCODING = Encoding(crf=20, gop=30)
"""Watched from the start, not looked up frame by frame: long gaps between key frames make it small."""


@dataclass(frozen=True)
class Caption:
    """What the strip under the tiles says of one frame, and what its lines are."""

    title: str
    outcome: str
    phase: str
    seconds: float
    total: float
    legend: tuple[tuple[str, Colour], ...] = ()
    alarm: str = ""


def make_film(
    store: Store,
    episodes: Sequence[int],
    path: Path,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    speed: float = 1.0,
) -> int:
    """Film episodes one after the other into an mp4 at the dataset's frame rate.

    Args:
        store: a dataset with its physics.
        episodes: indices, in the order to show them.
        path: the mp4; a file that is there is replaced when the film is complete.
        progress: told frames drawn and frames in all.
        speed: 1 shows every frame, 2 every second one, 0.5 each twice.

    Returns:
        The number of frames in the film.

    Raises:
        UsageError: no episode was named, or the speed is not positive.
        DataError: an episode's physics is missing.
        CannotWrite: the disk refused.
    """
    if not episodes or not (math.isfinite(speed) and speed > 0):
        raise UsageError(f"A film needs an episode and a positive speed; got {list(episodes)} at speed {speed:g}.")
    takes = [(store.episode(index), read_sidecar(store.episode(index).frames)) for index in episodes]
    total = sum(len(shown(len(take), speed)) for _, take in takes)
    scene = film_scene(store)
    with closing(Painter(scene, compile_scene(scene))) as painter:
        images = _all_frames(store, takes, painter, speed)
        return write_images(images, path, store.fps, lambda done: progress(done, total))


def write_images(images: Iterable[frames.Image], path: Path, fps: int, progress: Callable[[int], None]) -> int:
    """Encode a film's frames beside its path, and put it there when it is complete.

    Args:
        images: each of shape (HEIGHT, WIDTH, 3), uint8.
        path: the mp4; a file that is there is replaced.
        fps: frames per second.
        progress: told frames done.

    Returns:
        The number of frames.

    Raises:
        CannotWrite: the disk refused.
    """
    aside = path.with_name(f".{path.stem}.part.mp4")
    writer = VideoWriter(aside, fps, WIDTH, HEIGHT, ENCODING)
    try:
        for image in images:
            writer.add(image)
            progress(writer.frames)
        writer.close()
    except BaseException:
        writer.abort()
        raise
    aside.replace(path)
    return writer.frames


def recorded_scene(store: Store) -> Scene:
    """The scene that a dataset was recorded in.

    Raises:
        NotADataset: the studio did not record it, so nobody knows what stood where.
    """
    store.require_scene()
    return scene_from(store.scene["scene"])


def film_scene(store: Store) -> Scene:
    """The dataset's scene, drawn nicely and at a tile's size."""
    return replace(recorded_scene(store), look="nice", width=TILE_WIDTH, height=TILE_HEIGHT)


def shown(length: int, speed: float) -> list[int]:
    """Which frames of an episode of `length` frames are shown at a speed."""
    return [min(int(step * speed), length - 1) for step in range(max(1, round(length / speed)))]


def _all_frames(
    store: Store, takes: Sequence[tuple[SavedEpisode, Take]], painter: Painter, speed: float
) -> Iterator[frames.Image]:
    layout = {name: (int(a), int(n)) for name, (a, n) in store.scene["physics"]["layout"].items()}
    labels = plates()
    for saved, take in takes:
        qpos = positions(take, layout, painter.model)
        follower = Follower(painter.gripper(qpos[0]))
        canvas: frames.Image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        drawn = -1
        for index in shown(len(take), speed):
            if index != drawn:
                tracked = follower.see(painter.gripper(qpos[index]))
                caption = Caption(
                    f"Episode {saved.index}",
                    saved.row.outcome,
                    take.phase[index],
                    index / store.fps,
                    len(take) / store.fps,
                )
                canvas = compose(tiles(painter, qpos[index], tracked), labels, caption)
                drawn = index
            yield canvas


def tiles(painter: Painter, qpos: Vector, tracked: Vector) -> list[frames.Image]:
    """Every view of one state, uint8 (360, 640, 3) each."""
    return [painter.look(qpos, view.camera(tracked)) for view in VIEWS]


def compose(images: Sequence[frames.Image], labels: Sequence[frames.Image], caption: Caption) -> frames.Image:
    """One frame of the film, uint8 (HEIGHT, WIDTH, 3)."""
    canvas: frames.Image = np.full((HEIGHT, WIDTH, 3), NIGHT, np.uint8)
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        row, column = divmod(place, COLUMNS)
        top, left = row * (TILE_HEIGHT + GAP), column * (TILE_WIDTH + GAP)
        canvas[top : top + TILE_HEIGHT, left : left + TILE_WIDTH] = image
        corner = canvas[top + 12 : top + 12 + label.shape[0], left + 12 : left + 12 + label.shape[1]]
        opacity = label[:, :, 3:] / 255.0
        corner[:] = (corner * (1.0 - opacity) + label[:, :, :3] * opacity).astype(np.uint8)
    canvas[-FOOTER:] = _footer(caption)
    if caption.alarm:
        canvas[-FOOTER - ALARM_HEIGHT : -FOOTER] = _alarm(caption.alarm)
    return canvas


@cache
def _alarm(text: str) -> frames.Image:
    """A strip that cannot be overlooked; a text that is too long for it is cut."""
    strip = Image.new("RGB", (WIDTH, ALARM_HEIGHT), ALARM)
    while font(18).getlength(text) > WIDTH - 48:
        text = text[:-2].rstrip() + "…"
    ImageDraw.Draw(strip).text((24, ALARM_HEIGHT // 2), text, PAPER, font(18), anchor="lm")
    return np.asarray(strip)


def plates() -> list[frames.Image]:
    """The plates with the names of the views, for `compose`."""
    return [_label(view.label) for view in VIEWS]


def _label(text: str) -> frames.Image:
    """A rounded plate with a view's name, RGBA uint8."""
    width = int(font(15).getlength(text)) + 22
    # Drawn large and shrunk, because Pillow's shapes have hard edges.
    plate = Image.new("RGBA", (width * 4, 26 * 4), (*NIGHT, 0))
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, width * 4 - 1, 26 * 4 - 1), 13 * 4, (*NIGHT, 165))
    plate = plate.resize((width, 26), Image.Resampling.LANCZOS)
    ImageDraw.Draw(plate).text((11, 13), text, PAPER, font(15), anchor="lm")
    return np.asarray(plate)


def _footer(caption: Caption) -> frames.Image:
    strip = Image.new("RGB", (WIDTH, FOOTER), NIGHT)
    draw = ImageDraw.Draw(strip)
    colour = outcome_colour(caption.outcome)
    middle = FOOTER // 2 + 2
    done = min(1.0, caption.seconds / caption.total) if caption.total else 1.0
    draw.rectangle((0, 0, WIDTH, 3), (48, 53, 61))
    draw.rectangle((0, 0, round(WIDTH * done), 3), colour)
    draw.text((24, middle), caption.title, PAPER, font(24), anchor="lm")
    left = 24 + font(24).getlength(caption.title) + 28
    draw.ellipse((left, middle - 7, left + 14, middle + 7), colour)
    draw.text((left + 26, middle), outcome_words(caption.outcome), FAINT, font(20), anchor="lm")
    draw.text((WIDTH // 2, middle), caption.phase, PAPER, font(22), anchor="mm")
    right = WIDTH // 2 + 90.0
    for words, line in caption.legend:
        draw.line((right, middle, right + 26, middle), line, 4)
        draw.text((right + 34, middle), words, FAINT, font(16), anchor="lm")
        right += 34 + font(16).getlength(words) + 26
    clock = f"{caption.seconds:.2f} s"
    draw.text((WIDTH - 24, middle), f" / {caption.total:.2f} s", MUTED, font(20), anchor="rm")
    right = WIDTH - 24 - font(20).getlength(f" / {caption.total:.2f} s")
    draw.text((right, middle), clock, PAPER, font(20), anchor="rm")
    return np.asarray(strip)
