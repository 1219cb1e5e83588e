"""Pictures end before OpenGL does."""

import subprocess
import sys

SCRIPT = """
import atexit
left = []
atexit.register(lambda: print([painter._renderer for painter in left]))  # registered first, so it runs last
import recorders
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene
scene = Scene(width=64, height=48)
for _ in range(2):
    left.append(Painter(scene, compile_scene(scene)))
    left[-1].draw(left[-1]._data.qpos.copy())
    left[-1].close()
left[-1].draw(left[-1]._data.qpos.copy())
raise SystemExit(3)
"""


def test_an_exit_without_close_ends_cleanly() -> None:
    """MuJoCo ends EGL at exit; a context freed after that prints a traceback."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (3, "[None, None]", "")
