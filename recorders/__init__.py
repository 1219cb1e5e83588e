"""Everything that makes episodes.

Importing it chooses EGL for headless drawing on Linux before MuJoCo is loaded, because MuJoCo reads the choice once.
"""

import os
import sys

if sys.platform.startswith("linux"):
    os.environ.setdefault("MUJOCO_GL", "egl")
