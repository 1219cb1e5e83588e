"""A film of a watched episode: six angles at once, one following the gripper, with what is thought in all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from curation import frames
from curation.errors import UsageError
from recorders.film import TILE_HEIGHT, TILE_WIDTH, Caption, compose, plates, write_images
from recorders.views import VIEWS, Follower
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene, scene_from

from .history import History
from .lines import COLOURS, lines_of, words_of
from .overlay import draw_lines
from .words import caveats


def write_film(history: History, path: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> int:
    """Film every moment of a history at its frame rate.

    Args:
        history: of a watched episode.
        path: the mp4; a file that is there is replaced when the film is complete.
        progress: told frames drawn and frames in all.

    Returns:
        The number of frames in the film.

    Raises:
        UsageError: the history is empty.
        CannotWrite: the disk refused.
    """
    if not len(history):
        raise UsageError("The watched episode has no frame, so there is nothing to film.")
    scene = replace(scene_of(history), look="nice", width=TILE_WIDTH, height=TILE_HEIGHT, depth=False)
    with closing(Painter(scene, compile_scene(scene))) as painter:
        images = _all_frames(history, painter)
        return write_images(images, path, history.fps, lambda done: progress(done, len(history)))


def scene_of(history: History) -> Scene:
    """The scene an episode was watched in.

    Raises:
        UsageError: it is of a later version of the studio.
    """
    return scene_from(history.told["scene"]["scene"])


def _all_frames(history: History, painter: Painter) -> Iterator[frames.Image]:
    labels, told, nq = plates(), history.told, painter.model.nq
    legend = tuple((words, COLOURS[kind]) for kind, words in words_of(history).items())
    alarm = "  ".join([*(f"ALARM: {text}" for text in told["alarms"]), *caveats(history)])
    follower: Follower | None = None
    for moment in history:
        qpos = moment.physics[1 : 1 + nq]
        gripper = painter.gripper(qpos)
        follower = follower or Follower(gripper)
        tracked = follower.see(gripper)
        shots = painter.shots(qpos, {view.label: view.camera(tracked) for view in VIEWS})
        lines = lines_of(history, moment.frame)
        tiles = [draw_lines(image, eye, lines) for image, eye in shots.values()]
        caption = Caption(
            str(told["checkpoint"]["label"]),
            str((told["ending"] or {}).get("outcome", "")),
            moment.phase.value,
            moment.time,
            len(history) / history.fps,
            legend,
            alarm,
        )
        yield compose(tiles, labels, caption)
