"""A watched episode as a recording for Rerun: the robot, its cameras, what is thought in space, joints over time."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from curation.errors import CannotWrite, UsageError
from curation.frames import JOINTS, Image, Vector
from curation.palette import ACCENT, COMMANDED, UNKNOWN, Colour
from recorders.world.drawing import Painter
from recorders.world.eye import Eye
from recorders.world.scene import compile_scene
from recorders.world.solids import poses, solids

from .film import scene_of
from .history import History
from .lines import COLOURS, Line, kinds_of, lines_of

WIDTH, HEIGHT = 320, 240
QUALITY = 85
"""Of JPEG."""
POINTS = 40
"""Most points of one line: where a hundred chunks overlap, all of theirs would be tens of megabytes."""
RADIUS_M = {"plan": 0.0022, "taken": 0.0022}
THIN_M = 0.001
TABLE_HALF = (0.45, 0.45, 0.001)
"""What is drawn of the table, around the base [m]."""
APPLICATION = "teleop studio"

Progress = Callable[[int, int], None]


def write_recording(history: History, path: Path, progress: Progress = lambda done, of: None) -> None:
    """Write a history as an .rrd; a file that is there is replaced when the recording is complete.

    Timelines are "frame" and "time" (seconds since reset). Under "world" are bodies, cameras with their pictures and
    "thought", one entity for each kind of line; under "joints" commanded, actual and predicted of each joint; under
    "error" how far each joint is from where it was told to be; "events" and "alarms" are logs.

    Args:
        history: of a watched episode.
        path: the recording.
        progress: told frames written and frames in all.

    Raises:
        UsageError: rerun-sdk is not installed, or the history is empty.
        CannotWrite: the disk refused.
    """
    require_rerun()
    import rerun as rr

    if not len(history):
        raise UsageError("The watched episode has no frame, so there is nothing to record.")
    scene = replace(scene_of(history), width=WIDTH, height=HEIGHT, depth=False)
    painter = Painter(scene, compile_scene(scene))
    aside = path.with_name(f".{path.stem}.part.rrd")
    stream = rr.RecordingStream(APPLICATION)
    try:
        with _told_by_rerun(path):
            stream.save(str(aside), default_blueprint=_blueprint(scene.cameras))
        stream.send_recording_name(str(history.told["checkpoint"]["label"]))
        _words(rr, stream, history)
        _robot(rr, stream, history, painter)
        _joints(rr, stream, history)
        kinds = kinds_of(history)
        for frame in range(len(history)):
            _at(stream, history, frame)
            _cameras(rr, stream, painter, history.columns.physics[frame])
            _thought(rr, stream, history, frame, kinds)
            progress(frame + 1, len(history))
        with _told_by_rerun(path):
            stream.flush()
            stream.disconnect()
            aside.replace(path)
    finally:
        with suppress(RuntimeError):
            stream.disconnect()
        painter.close()
        aside.unlink(missing_ok=True)


def require_rerun() -> None:
    """Refuse to go on without the extra.

    Raises:
        UsageError: rerun-sdk is not installed.
    """
    try:
        import rerun  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--rerun writes with rerun-sdk, which cannot be loaded ({error}). Install the extra: uv sync --extra "
            "rerun, or pip install 'teleop-studio[rerun]'."
        ) from error


@contextmanager
def _told_by_rerun(path: Path) -> Iterator[None]:
    """What Rerun says where the disk refuses, as our own error; the SDK knows no kind of error for it.

    Raises:
        CannotWrite: the disk refused.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise CannotWrite(path, error if isinstance(error, OSError) else OSError(str(error))) from error


def _at(stream: Any, history: History, frame: int) -> None:
    stream.set_time("frame", sequence=frame)
    stream.set_time("time", duration=frame / history.fps)


def _times(rr: Any, history: History, count: int) -> list[Any]:
    frames = np.arange(count)
    return [rr.TimeColumn("frame", sequence=frames), rr.TimeColumn("time", duration=frames / history.fps)]


def _words(rr: Any, stream: Any, history: History) -> None:
    """Events in their frames; alarms, which are of the whole episode, at its beginning."""
    _at(stream, history, 0)
    for text in history.told["alarms"]:
        stream.log("alarms", rr.TextLog(text, level=rr.TextLogLevel.ERROR))
    for event in history.events:
        _at(stream, history, event.frame)
        stream.log("events", rr.TextLog(event.kind, level=rr.TextLogLevel.INFO))


def _robot(rr: Any, stream: Any, history: History, painter: Painter) -> None:
    model, physics = painter.model, history.columns.physics
    stream.log("world", rr.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    stream.log(
        "world/table", rr.Boxes3D(half_sizes=[TABLE_HALF], colors=[(205, 198, 187)], fill_mode="solid"), static=True
    )
    by_body = defaultdict(list)
    for solid in solids(model):
        by_body[solid.body].append(solid)
    where = poses(model, physics[:, 1 : 1 + model.nq])
    for body, shapes in by_body.items():
        for number, solid in enumerate(shapes):
            stream.log(f"world/{body}/{number}", _shape(rr, solid), static=True)
        positions, quaternions = where[body]
        stream.send_columns(
            f"world/{body}",
            _times(rr, history, len(physics)),
            rr.Transform3D.columns(translation=positions, quaternion=np.roll(quaternions, -1, axis=1)),
        )


def _shape(rr: Any, solid: Any) -> Any:
    turned = [rr.Quaternion(xyzw=np.roll(solid.quaternion, -1))]
    colours = [np.round(solid.colour * 255).astype(np.uint8)]
    look = {"quaternions": turned, "colors": colours, "fill_mode": "solid"}
    if solid.kind == "box":
        return rr.Boxes3D(half_sizes=[solid.size], centers=[solid.position], **look)
    if solid.kind == "ellipsoid":
        return rr.Ellipsoids3D(half_sizes=[solid.size], centers=[solid.position], **look)
    radius, length = solid.size[0], 2 * solid.size[2]
    if solid.kind == "cylinder":
        return rr.Cylinders3D(radii=[radius], lengths=[length], centers=[solid.position], **look)
    # Rerun's capsules begin at the middle of one round end, MuJoCo's have their origin halfway.
    axis = _turned(solid.quaternion, np.array([0.0, 0.0, length / 2]))
    return rr.Capsules3D(radii=[radius], lengths=[length], translations=[solid.position - axis], **look)


def _turned(quaternion: Vector, vector: Vector) -> Vector:
    w, axis = quaternion[0], quaternion[1:]
    twice = 2 * np.cross(axis, vector)
    found: Vector = vector + w * twice + np.cross(axis, twice)
    return found


def _joints(rr: Any, stream: Any, history: History) -> None:
    columns, frames = history.columns, len(history)
    looks = {
        "actual": (columns.state[:frames], ACCENT),
        "commanded": (columns.action, COMMANDED),
        "predicted": (history.foretold(), COLOURS["plan"]),
    }
    times = _times(rr, history, frames)
    for column, joint in enumerate(JOINTS):
        for name, (values, colour) in looks.items():
            stream.log(f"joints/{joint}/{name}", rr.SeriesLines(colors=[colour], names=[name]), static=True)
            stream.send_columns(f"joints/{joint}/{name}", times, rr.Scalars.columns(scalars=values[:, column]))
        # A target is in force until the next frame, where the joint should then be.
        error = np.abs(columns.state[1 : frames + 1, column] - columns.action[: len(columns.state) - 1, column])
        stream.send_columns(f"error/{joint}", _times(rr, history, len(error)), rr.Scalars.columns(scalars=error))


def _cameras(rr: Any, stream: Any, painter: Painter, physics: Vector) -> None:
    cameras = {name: name for name in painter.scene.cameras}
    for name, (image, eye) in painter.shots(physics[1 : 1 + painter.model.nq], cameras).items():
        entity = f"world/cameras/{name}"
        stream.log(entity, rr.Transform3D(translation=eye.position, mat3x3=_axes(eye)))
        focal = HEIGHT / 2 / eye.half
        stream.log(
            entity, rr.Pinhole(focal_length=focal, width=WIDTH, height=HEIGHT, camera_xyz=rr.ViewCoordinates.RDF)
        )
        stream.log(f"{entity}/image", rr.EncodedImage(contents=_jpeg(image), media_type="image/jpeg"))


def _axes(eye: Eye) -> Vector:
    """Columns right, down and forward of a camera in the base frame, shape (3, 3)."""
    return np.column_stack([np.cross(eye.forward, eye.up), -eye.up, eye.forward])


def _thought(rr: Any, stream: Any, history: History, frame: int, kinds: Sequence[str]) -> None:
    together: dict[str, list[Line]] = {kind: [] for kind in kinds}
    for line in lines_of(history, frame):
        together[line.kind].append(line)
    for kind, lines in together.items():
        # Where a frame has none, an empty one takes away those of the frame before.
        colours = [_faded(COLOURS[kind], line.strength) for line in lines]
        strips = [_thinned(line.points) for line in lines]
        radii = [RADIUS_M.get(kind, THIN_M)] * len(lines)
        stream.log(f"world/thought/{kind}", rr.LineStrips3D(strips, colors=colours, radii=radii))


def _faded(colour: Colour, strength: float) -> Vector:
    """Towards grey, because Rerun draws no line that lets through what is behind it."""
    faded: Vector = np.round(strength * np.array(colour) + (1 - strength) * np.array(UNKNOWN)).astype(np.uint8)
    return faded


def _thinned(points: Vector) -> Vector:
    """At most `POINTS` of them, first and last included."""
    return points[np.unique(np.linspace(0, len(points) - 1, POINTS).astype(int))]


def _jpeg(image: Image) -> bytes:
    data = io.BytesIO()
    Pillow.fromarray(image).save(data, "JPEG", quality=QUALITY)
    return data.getvalue()


def _blueprint(cameras: tuple[str, ...]) -> Any:
    """Space and cameras above, joints below."""
    import rerun.blueprint as rrb

    # Lines are in space, and so they are seen through every camera.
    pictures = [
        rrb.Spatial2DView(
            origin=f"world/cameras/{name}",
            name=name,
            contents=[f"world/cameras/{name}/image", "world/thought/**"],
        )
        for name in cameras
    ]
    joints = [
        rrb.TimeSeriesView(origin=f"joints/{joint}", name=joint, plot_legend=rrb.PlotLegend(visible=joint == JOINTS[0]))
        for joint in JOINTS
    ]
    eye = rrb.EyeControls3D(position=(0.72, 0.42, 0.42), look_target=(0.17, -0.04, 0.06), eye_up=(0.0, 0.0, 1.0))
    space = rrb.Spatial3DView(origin="world", name="table", eye_controls=eye)
    return rrb.Blueprint(
        rrb.Vertical(
            rrb.Horizontal(space, rrb.Vertical(*pictures), column_shares=[2, 1]),
            rrb.Grid(*joints, grid_columns=3),
            row_shares=[3, 2],
        ),
        rrb.TimePanel(timeline="frame"),
        collapse_panels=True,
    )
