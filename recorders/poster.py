"""A poster of a dataset: where the block was, what came of it, how the joints moved and what the cameras saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from curation import layout
from curation.atomic import make_folder
from curation.episodes import SavedEpisode
from curation.errors import CannotWrite, UsageError
from curation.frames import JOINT_FEATURES, Outcome, Phase
from curation.inspect import Inspection, JointFacts, inspect
from curation.inspect_table import attempts_words, success_words
from curation.names import camera_name
from curation.palette import ACCENT, FAINT, INK, MUTED, PAPER, Colour, font, outcome_colour, outcome_words
from curation.rates import Rate
from curation.store import Store
from curation.video import read_video

from . import world  # noqa: F401  chooses how to draw before MuJoCo is loaded
from .film import recorded_scene
from .poster_map import draw_map
from .sidecar import read_sidecar
from .world.units import HIGH, LOW

WIDTH, MARGIN, GUTTER = 2400, 96, 76
BODY_TOP, MAP_WIDTH = 318, 1240
SIDE = MARGIN + MAP_WIDTH + GUTTER
RIGHT = WIDTH - MARGIN
MOMENTS = ("start", "grasp", "transport", "end")
ROWS_SHOWN = 3
"""Episodes whose pictures are shown."""
ROW_LABEL, THUMB_GAP, CAMERA_GAP = 188, 12, 36
TRACK: Colour = (232, 231, 225)


def make_poster(store: Store, path: Path) -> None:
    """Draw the whole dataset on one PNG.

    Args:
        store: a dataset recorded by the studio, with at least one episode.
        path: the PNG; replaced if it is there.

    Raises:
        NotADataset: the studio did not record it.
        UsageError: it has no episodes.
        CannotWrite: the disk refused.
    """
    scene = recorded_scene(store)
    if not store.episodes:
        raise UsageError(f"{store.root} has no episodes yet, so there is nothing to draw.")
    found = inspect(store)
    table_map = draw_map(store, scene, MAP_WIDTH)
    rows = _thumbnail_rows(store)
    thumbs_top = BODY_TOP + table_map.height + 84
    page = Image.new("RGB", (WIDTH, thumbs_top + 62 + sum(row.height + 20 for row in rows) + 92), PAPER)
    draw = ImageDraw.Draw(page)
    _title(draw, found)
    page.paste(table_map, (MARGIN, BODY_TOP))
    joints_top = _success(draw, found)
    _joints(draw, found.joints, joints_top, BODY_TOP + table_map.height)
    _thumbnails(page, store, rows, thumbs_top)
    _save(page, path)


def _save(page: Image.Image, path: Path) -> None:
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.part")
    try:
        page.save(aside, format="PNG", optimize=True)
        aside.replace(path)
    except OSError as error:
        raise CannotWrite(path, error) from error


def _title(draw: ImageDraw.ImageDraw, found: Inspection) -> None:
    draw.text((MARGIN - 4, 84), found.name, INK, font(76))
    operators = sorted({episode.operator for episode in found.episodes if episode.operator})
    facts = [
        _episodes(found.total_episodes),
        f"{found.total_frames} frames",
        f"{found.seconds:.0f} s at {found.fps} fps",
        *(["by " + ", ".join(operators)] if operators else []),
        f"scene {found.scene}",
    ]
    draw.text((MARGIN, 188), "   ·   ".join(facts), MUTED, font(28))
    draw.text((RIGHT, 188), _fitted(", ".join(found.tasks), 900), INK, font(28), anchor="ra")
    draw.line((MARGIN, 254, RIGHT, 254), FAINT, 2)


def _episodes(count: int) -> str:
    return f"{count} episode{'s' if count != 1 else ''}"


def _heading(draw: ImageDraw.ImageDraw, left: int, top: int, text: str) -> None:
    draw.text((left, top), text, INK, font(30))


def _success(draw: ImageDraw.ImageDraw, found: Inspection) -> int:
    """The success rate, the attempts behind it, then episodes by outcome; returns where the next block begins."""
    top = BODY_TOP - 8
    _heading(draw, SIDE, top, "Success")
    top += 56
    if found.success is not None:
        _big_rate(draw, found.success, found.success_of, top)
        top += 176
    else:
        draw.text((SIDE, top), success_words(found), MUTED, font(22))
        top += 48
    draw.text((SIDE, top), f"attempts: {attempts_words(found.attempts)}", INK, font(22))
    top += 48
    for outcome, count in found.outcomes.items():
        _outcome(draw, outcome, count, found.total_episodes, top)
        top += 40
    return top + 40


def _big_rate(draw: ImageDraw.ImageDraw, rate: Rate, of: str, top: int) -> None:
    """k of n in large type, and the interval on a line from 0 to 100 %."""
    draw.text((SIDE - 4, top - 12), f"{rate.k}", INK, font(112))
    after = SIDE + font(112).getlength(f"{rate.k}") + 18
    draw.text((after, top + 54), f"of {rate.n} {of}", MUTED, font(34))
    draw.text((RIGHT, top + 60), rate.interval, INK, font(26), anchor="ra")
    line, span = top + 132, RIGHT - SIDE
    draw.rectangle((SIDE, line, RIGHT, line + 10), TRACK)
    low, high = SIDE + span * rate.low, SIDE + span * rate.high
    draw.rectangle((low, line, high, line + 10), (150, 202, 178))
    point = SIDE + span * (rate.k / rate.n if rate.n else 0.0)
    draw.rectangle((min(point, RIGHT - 6), line - 6, min(point, RIGHT - 6) + 6, line + 16), outcome_colour("success"))


def _outcome(draw: ImageDraw.ImageDraw, outcome: str, count: int, total: int, top: int) -> None:
    _dot(draw, SIDE + 9, top + 14, outcome_colour(outcome))
    draw.text((SIDE + 32, top), outcome_words(outcome), INK, font(22))
    left, right = SIDE + 300, RIGHT - 64
    draw.rectangle((left, top + 8, right, top + 18), TRACK)
    draw.rectangle((left, top + 8, left + (right - left) * count / total, top + 18), outcome_colour(outcome))
    draw.text((RIGHT, top), str(count), INK, font(22), anchor="ra")


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, colour: Colour) -> None:
    draw.ellipse((x - 8, y - 8, x + 8, y + 8), colour)


def _joints(draw: ImageDraw.ImageDraw, joints: Sequence[JointFacts], top: int, bottom: int) -> None:
    """Each joint's range of actions on a line from its lower to its upper limit."""
    known = [(joint, JOINT_FEATURES.index(joint.name)) for joint in joints if joint.name in JOINT_FEATURES]
    if not known:
        return
    _heading(draw, SIDE, top, "Actions within joint limits")
    draw.text((RIGHT, top + 8), "degrees, gripper 0 to 100", MUTED, font(20), anchor="ra")
    first = top + 68
    pitch = min(88.0, (bottom - first) / len(known))
    for row, (joint, which) in enumerate(known):
        _joint(draw, joint, float(LOW[which]), float(HIGH[which]), round(first + row * pitch))


def _joint(draw: ImageDraw.ImageDraw, joint: JointFacts, low: float, high: float, top: int) -> None:
    left, right = SIDE + 220, RIGHT
    draw.text((SIDE, top), joint.name.removesuffix(".pos").replace("_", " "), INK, font(22))

    def at(value: float) -> float:
        return left + (right - left) * min(1.0, max(0.0, (value - low) / (high - low)))

    draw.rectangle((left, top + 9, right, top + 19), TRACK)
    if low < 0 < high:
        draw.line((at(0), top + 4, at(0), top + 24), (190, 190, 184), 2)
    start, end = at(joint.action_low), max(at(joint.action_high), at(joint.action_low) + 4)
    draw.rectangle((start, top + 9, end, top + 19), ACCENT)
    draw.text((left, top + 28), f"{low:.0f}", MUTED, font(17))
    draw.text((right, top + 28), f"{high:.0f}", MUTED, font(17), anchor="ra")
    words = f"{joint.action_low:.1f} to {joint.action_high:.1f}"
    half = font(18).getlength(words) / 2
    middle = min(max((start + end) / 2, left + 60 + half), right - 60 - half)
    draw.text((middle, top + 27), words, ACCENT, font(18), anchor="ma")


def _thumbnail_rows(store: Store) -> list[Image.Image]:
    return [_thumbnail_row(store, store.episodes[index]) for index in chosen(store)]


def chosen(store: Store) -> list[int]:
    """Episodes to show: a success, one of each failure, the commonest first, then others spread over the dataset."""
    first_of = {episode.row.outcome: episode.index for episode in reversed(store.episodes)}
    words = [row.outcome for row in store.rows()]
    ranked = sorted(first_of, key=lambda word: (word != Outcome.SUCCESS, -words.count(word), word))
    count = min(ROWS_SHOWN, store.total_episodes)
    spread = [int(index) for index in np.linspace(0, store.total_episodes - 1, count).round()]
    wanted = [*(first_of[word] for word in ranked), *spread, *range(store.total_episodes)]
    return sorted(list(dict.fromkeys(wanted))[:count])


@dataclass(frozen=True)
class Moment:
    """A frame to show, and whether what its column is named after happened in it."""

    index: int
    happened: bool = True


def moments(episode: SavedEpisode, fps: int) -> list[Moment]:
    """Frames of `MOMENTS`: as the judge timed them, else at fixed shares of the episode."""
    extra, last = episode.row.extra, episode.length - 1
    starts, lifted = [grasp["start_s"] for grasp in extra.get("grasps") or ()], extra.get("lifted_s")
    before = [start for start in starts if lifted is None or start <= lifted]
    grasp = Moment(min(round(before[-1] * fps), last)) if before else Moment(round(0.4 * last), happened=False)
    known = episode.frames.is_file()
    carried = _carried(episode) if known else []
    if carried:
        transport = Moment(carried[len(carried) // 2])
    elif lifted is not None and not known:
        # A foreign tool dropped the phases; an expert's transport takes the time from lift to end.
        transport = Moment(min(round((lifted * fps + last) / 2), last))
    else:
        transport = Moment(max(grasp.index, round(0.7 * last)), happened=False)
    return [Moment(0), grasp, transport, Moment(last)]


def _carried(episode: SavedEpisode) -> list[int]:
    """Frames in which the judge saw the block carried."""
    return [index for index, phase in enumerate(read_sidecar(episode.frames).phase) if phase == Phase.TRANSPORT]


def _thumbnail_row(store: Store, episode: SavedEpisode) -> Image.Image:
    """One episode: its number and outcome, then every moment as each of up to two cameras saw it."""
    cameras = layout.cameras(store.features)[:2]
    width = _thumb_width(len(cameras))
    height = max((round(width * s[0] / s[1]) for s in (store.features[c].shape for c in cameras)), default=80)
    row = Image.new("RGB", (WIDTH - 2 * MARGIN, height), PAPER)
    draw = ImageDraw.Draw(row)
    draw.text((0, 0), f"Episode {episode.index}", INK, font(26))
    _dot(draw, 9, 52, outcome_colour(episode.row.outcome))
    draw.multiline_text((28, 38), outcome_words(episode.row.outcome).replace(" ", "\n"), MUTED, font(20))
    draw.text((0, height - 4), f"{episode.length / store.fps:.1f} s", MUTED, font(20), anchor="ld")
    for place, camera in enumerate(cameras):
        for column, moment in enumerate(moments(episode, store.fps)):
            picture = _frame(episode, camera, moment.index).resize((width, height), Image.Resampling.LANCZOS)
            if not moment.happened:
                _stamp(picture, f"no {MOMENTS[column]}: {moment.index / store.fps:.1f} s")
            row.paste(picture, (_thumb_left(width, place, column), 0))
    return row


def _stamp(picture: Image.Image, text: str) -> None:
    """A plate along the lower edge that says why this frame and not the one its column promises."""
    draw = ImageDraw.Draw(picture, "RGBA")
    draw.rectangle((0, picture.height - 30, picture.width, picture.height), (*INK, 190))
    draw.text((10, picture.height - 15), text, PAPER, font(18), anchor="lm")


def _frame(episode: SavedEpisode, camera: str, index: int) -> Image.Image:
    image = next(iter(read_video(episode.videos[camera], episode.video_starts[camera] + index, 1)))
    return Image.fromarray(image)


def _thumb_width(cameras: int) -> int:
    count = len(MOMENTS) * max(1, cameras)
    gaps = THUMB_GAP * (count - max(1, cameras)) + CAMERA_GAP * (max(1, cameras) - 1)
    return min(400, (WIDTH - 2 * MARGIN - ROW_LABEL - gaps) // count)


def _thumb_left(width: int, camera: int, moment: int) -> int:
    one_camera = len(MOMENTS) * width + (len(MOMENTS) - 1) * THUMB_GAP + CAMERA_GAP
    return ROW_LABEL + camera * one_camera + moment * (width + THUMB_GAP)


def _thumbnails(page: Image.Image, store: Store, rows: Sequence[Image.Image], top: int) -> None:
    draw = ImageDraw.Draw(page)
    cameras = layout.cameras(store.features)[:2]
    width = _thumb_width(len(cameras))
    _heading(draw, MARGIN, top - 6, "Moments")
    for place, camera in enumerate(cameras):
        for moment, word in enumerate(MOMENTS):
            draw.text((MARGIN + _thumb_left(width, place, moment), top), word, INK, font(22))
        right = MARGIN + _thumb_left(width, place, len(MOMENTS) - 1) + width
        name = camera_name(camera).replace("_", " ")
        draw.text((right, top), name, MUTED, font(22), anchor="ra")
    top += 62 - 14
    for row in rows:
        page.paste(row, (MARGIN, top))
        top += row.height + 20
    note = (
        "Squares: where the block was put, to scale. Lines: ways of the gripper tip. "
        "Colours: outcomes, as judged by the simulator."
    )
    draw.text((MARGIN, top + 24), note, MUTED, font(20))
    draw.text((RIGHT, top + 24), "Teleop Studio", MUTED, font(20), anchor="ra")


def _fitted(text: str, room: int) -> str:
    """The text in the title's size, cut to `room` pixels."""
    size = font(28).getlength
    if size(text) <= room:
        return text
    while text and size(text + "…") > room:
        text = text[:-1]
    return text + "…"
