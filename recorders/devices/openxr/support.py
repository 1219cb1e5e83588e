"""What there is on this machine for driving by headset, and what is missing."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from curation.errors import StudioError
from recorders.devices.parts import Part

from .errors import no_runtime, not_importable

MANIFEST = Path("openxr") / "1" / "active_runtime.json"
"""Where a runtime registers itself, below the configuration folders: the loader's specification."""
_REGISTRY = r"SOFTWARE\Khronos\OpenXR\1"


def describe() -> list[Part]:
    """Every part in the order they are needed, up to the first that is missing; a session is really tried."""
    if platform.system() == "Darwin" or importlib.util.find_spec("xr") is None:
        return [Part("pyopenxr", False, str(not_importable(ModuleNotFoundError())))]
    parts = [Part("pyopenxr", True, version("pyopenxr"))]
    manifest = active_runtime()
    if manifest is None:
        return [*parts, Part("runtime", False, str(no_runtime()))]
    parts.append(Part("runtime", True, f"{_library(manifest)}, registered by {manifest}"))
    return [*parts, _try()]


def active_runtime() -> Path | None:
    """The manifest of the active OpenXR runtime; None if there is none."""
    if named := os.environ.get("XR_RUNTIME_JSON"):
        return Path(named)
    return next((path for path in _places() if path.exists()), None)


def _places() -> Iterator[Path]:
    if platform.system() == "Windows":
        yield from _registered()
        return
    home = Path.home()
    yield Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / MANIFEST
    for folder in (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        yield Path(folder) / MANIFEST
    yield Path("/etc") / MANIFEST
    yield Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / MANIFEST
    for folder in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        yield Path(folder) / MANIFEST


def _registered() -> Iterator[Path]:
    winreg = import_module("winreg")
    for root in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
        try:
            with winreg.OpenKey(root, _REGISTRY) as key:
                yield Path(str(winreg.QueryValueEx(key, "ActiveRuntime")[0]))
        except OSError:
            continue


def _library(manifest: Path) -> str:
    """The runtime's name, or its library where it has none."""
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))["runtime"]
        return str(told.get("name") or told["library_path"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"a runtime whose manifest cannot be read ({type(error).__name__})"


def _try() -> Part:
    from recorders.devices.headset import Headset

    source = Headset("right")
    try:
        source.open()
        return Part("session", True, f"{source.name}: gives controllers to programs that draw nothing")
    except StudioError as error:
        return Part("session", False, str(error))
    finally:
        source.close()
