"""Is there an OpenGL library to draw with? Asked before anything heavy is loaded."""

from __future__ import annotations

import ctypes.util
import os
import sys

from curation.errors import StudioError

_LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa", "glfw": "GL"}
_PACKAGES = {"egl": "libegl1 libgl1-mesa-dri", "osmesa": "libosmesa6", "glfw": "libgl1 libglfw3"}


class MissingOpenGL(StudioError):
    """No OpenGL library for the chosen backend."""

    def __init__(self, backend: str) -> None:
        packages = _PACKAGES.get(backend, "libegl1 libgl1-mesa-dri")
        super().__init__(
            f"No OpenGL library for MUJOCO_GL={backend} was found, so no camera can be drawn. Install it "
            f"(Debian, Ubuntu: apt-get install -y {packages}) or set MUJOCO_GL to one of {', '.join(_LIBRARIES)}."
        )


def require_opengl() -> str:
    """The backend MuJoCo will draw with.

    Raises:
        MissingOpenGL: before MuJoCo is imported, which would die with a message that names no way out.
    """
    if not sys.platform.startswith("linux"):
        return "native"
    backend = os.environ.get("MUJOCO_GL", "egl").lower()
    library = _LIBRARIES.get(backend)
    if library is None or ctypes.util.find_library(library) is None:
        raise MissingOpenGL(backend)
    return backend
