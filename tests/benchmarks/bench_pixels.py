"""What two live camera views in a terminal cost: share of a core, and bytes to the terminal.

    python tests/benchmarks/bench_pixels.py --seconds 8

Both views change at 10 pictures a second for the whole time, which is the worst case: the pictures are of a scripted
pick and place, drawn beforehand, so that the cost is that of showing alone. Every way of showing runs in a process of
its own on a pseudo-terminal that is read as fast as it can be written. Compared: half blocks in Textual, true pictures
by the kitty protocol (320x240), and the plain writer of `studio record --preview` (OpenCV and escape sequences, no
application around it), which is the least that half blocks can cost. The map and the joint plot are timed alone.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PER_S = 10
FRAMES = 60
SIZES = ((80, 30), (30, 11))
WAYS = ("blocks", "kitty", "plain")


def films(folder: Path) -> None:
    """Draw what is shown: both cameras, while the arm swings over the table and closes its jaws."""
    from recorders.world.drawing import Painter
    from recorders.world.scene import Scene, compile_scene

    for height in (120, 240):
        scene = Scene(width=height * 4 // 3, height=height)
        painter = Painter(scene, compile_scene(scene))
        qpos, frames = painter.model.qpos0.copy(), []
        for frame in range(FRAMES):
            phase = 2 * np.pi * frame / FRAMES
            qpos[:6] = 0.6 * np.sin(phase), 0.4 * np.sin(phase), 0.3 * np.cos(phase), 0.6, 0.3 * phase, 0.5
            drawn = painter.draw(qpos)
            frames.append([drawn[camera] for camera in scene.cameras])
        painter.close()
        np.save(folder / f"{height}.npy", np.array(frames))


def show(way: str, folder: Path, columns: int, lines: int, seconds: float) -> None:
    """Show the film in this terminal and write down what it cost."""
    film = np.load(folder / f"{240 if way == 'kitty' else 120}.npy")
    cost = plain(film, columns, lines, seconds) if way == "plain" else textual(way, film, columns, lines, seconds)
    (folder / "cost.json").write_text(json.dumps(cost))


def plain(film: np.ndarray, columns: int, lines: int, seconds: float) -> dict[str, float]:
    from studio.preview import half_blocks

    began, cpu = time.perf_counter(), time.process_time()
    shown = 0
    while time.perf_counter() - began < seconds:
        for image in film[shown % FRAMES]:
            sys.stdout.write(f"\x1b[H{half_blocks(image, columns, lines)}")
        sys.stdout.flush()
        shown += 1
        time.sleep(max(0.0, began + shown / PER_S - time.perf_counter()))
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - began, "shown": shown}


def textual(way: str, film: np.ndarray, columns: int, lines: int, seconds: float) -> dict[str, float]:
    from textual.app import App, ComposeResult
    from textual.containers import Horizontal

    from studio.tui import graphics
    from studio.tui.widgets.pixels import Pixels

    graphics.find({graphics.VARIABLE: way})
    settle = 1.0

    class Two(App[dict[str, float]]):
        CSS = f"Pixels {{ width: {columns}; height: {lines}; }}"

        def compose(self) -> ComposeResult:
            with Horizontal():
                yield Pixels("overhead")
                yield Pixels("wrist")

        def on_mount(self) -> None:
            self.shown, self.first = 0, 0
            self.opened = time.perf_counter()
            self.set_interval(1 / PER_S, self.tick)

        def tick(self) -> None:
            now = time.perf_counter()
            if now - self.opened < settle:
                self.began, self.cpu, self.first = now, time.process_time(), self.shown
            for view, image in zip(self.query(Pixels), film[self.shown % FRAMES], strict=True):
                view.show(image)
            self.shown += 1
            if now - self.began >= seconds:
                cpu = time.process_time() - self.cpu
                self.exit({"cpu": cpu, "wall": now - self.began, "shown": self.shown - self.first})

    cost = Two().run()
    assert cost is not None
    return cost


def measure(way: str, folder: Path, columns: int, lines: int, seconds: float) -> dict[str, float]:
    """Run one way of showing on a pseudo-terminal and count what it writes."""
    import fcntl
    import termios

    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", lines + 4, 2 * columns + 4, 0, 0))
    environ = os.environ | {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
    command = [sys.executable, __file__, "--show", way, str(folder), str(columns), str(lines), str(seconds)]
    running = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environ)
    os.close(inner)
    size, first, last = 0, 0.0, 0.0
    while True:
        ready = select.select([outer], [], [], 0.5)[0]
        try:
            part = os.read(outer, 1 << 20) if ready else b""
        except OSError:
            break
        if part:
            first, last = first or time.perf_counter(), time.perf_counter()
            size += len(part)
        elif running.poll() is not None:
            break
    running.wait()
    os.close(outer)
    cost: dict[str, float] = json.loads((folder / "cost.json").read_text())
    return cost | {"bytes_per_s": size / max(1e-9, last - first)}


def alone(seconds: float) -> list[tuple[str, float]]:
    """Milliseconds for one new state of the map and one new cursor of the joint plot, without a terminal."""
    import asyncio

    from textual.app import App, ComposeResult

    from recorders.world.scene import Scene
    from studio.tui.widgets.joint_plot import JointPlot
    from studio.tui.widgets.table_map import Spot, TableMap

    os.environ["COLORTERM"], os.environ["TERM"] = "truecolor", "xterm-256color"
    found: list[tuple[str, float]] = []
    rng = np.random.default_rng(0)
    spots = [Spot(*rng.uniform((0.1, -0.3), (0.4, 0.3)), "saved") for _ in range(200)]

    class One(App[None]):
        CSS = "Screen > * { width: 1fr; height: 1fr; }"

        def compose(self) -> ComposeResult:
            yield TableMap()
            yield JointPlot()

    async def timed(size: tuple[int, int]) -> None:
        async with One().run_test(size=(size[0], 2 * size[1])) as pilot:
            table, plot = pilot.app.query_one(TableMap), pilot.app.query_one(JointPlot)
            start = time.perf_counter()
            table.set_scene(Scene())
            found.append((f"map {size[0]}x{size[1]}, first", 1e3 * (time.perf_counter() - start)))
            values = rng.normal(size=(600, 6)).cumsum(axis=0)
            plot.show(np.arange(600) / 30, values, values, 0.0)
            for what, step in (
                ("map", lambda n: table.show(spots, block=(0.2, 0.1, n), tip=(0.2 + 0.001 * (n % 100), 0.1))),
                ("joint plot", lambda n: plot.move(0.05 * (n % 400))),
            ):
                count, cpu = 0, time.process_time()
                while time.process_time() - cpu < seconds / 8:
                    step(count)
                    await pilot.pause(0)
                    count += 1
                found.append((f"{what} {size[0]}x{size[1]}", 1e3 * (time.process_time() - cpu) / count))

    for size in SIZES:
        asyncio.run(timed(size))
    return found


def report(rows: list[tuple[str, str, dict[str, Any]]]) -> str:
    lines = [f"{'cells each':>10}  {'way':<8}{'pictures/s':>11}{'of one core':>13}{'ms CPU a pair':>15}{'MB/s':>7}"]
    for size, way, cost in rows:
        share, rate = cost["cpu"] / cost["wall"], cost["shown"] / cost["wall"]
        lines.append(
            f"{size:>10}  {way:<8}{rate:>11.1f}{share:>13.1%}{1e3 * cost['cpu'] / cost['shown']:>15.1f}"
            f"{cost['bytes_per_s'] / 1e6:>7.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--show", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.show:
        way, folder, columns, lines, seconds = options.show
        show(way, Path(folder), int(columns), int(lines), float(seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        films(Path(folder))
        rows = [
            (f"{columns}x{lines}", way, measure(way, Path(folder), columns, lines, options.seconds))
            for columns, lines in SIZES
            for way in WAYS
        ]
    print(report(rows))
    for what, milliseconds in alone(options.seconds):
        print(f"{what}: {milliseconds:.2f} ms")


if __name__ == "__main__":
    main()
