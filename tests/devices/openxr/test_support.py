"""What is said where something is missing for driving by headset, on every system."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from recorders.devices.openxr import support
from tests.devices.openxr.runtime import Runtime, require_runtime


def words() -> dict[str, tuple[bool, str]]:
    return {part.name: (part.there, part.detail) for part in support.describe()}


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which no runtime is registered."""
    require_runtime()
    monkeypatch.delenv("XR_RUNTIME_JSON", raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


def test_a_runtime_that_works_is_tried_and_named(runtime: Runtime) -> None:
    found = words()
    assert [there for there, _ in found.values()] == [True] * 3
    assert found["runtime"][1].startswith("test, registered by")
    assert "Test runtime 1.2.3" in found["session"][1]


def test_a_runtime_that_wants_pictures_is_named_with_the_way_out(runtime: Runtime) -> None:
    runtime.set(headless=0)
    there, detail = words()["session"]
    assert not there
    assert "Test runtime 1.2.3" in detail
    assert "SteamVR" in detail


def test_without_a_runtime_the_next_step_is_said(nowhere: Path) -> None:
    there, detail = words()["runtime"]
    assert not there
    assert "Start SteamVR, Monado or WiVRn" in detail


def test_a_manifest_that_cannot_be_read_is_said(nowhere: Path) -> None:
    path = nowhere / "XDG_CONFIG_HOME" / support.MANIFEST
    path.parent.mkdir(parents=True)
    path.write_text("rubbish")
    assert support.active_runtime() == path
    assert "cannot be read" in words()["runtime"][1]


def test_on_macos_there_is_no_openxr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert list(words()) == ["pyopenxr"]
    said = words()["pyopenxr"][1]
    assert "OpenXR does not exist on macOS" in said
    assert "--headset web" in said


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xr", None)
    monkeypatch.setattr(support.importlib.util, "find_spec", lambda name: None)
    assert "--extra vr" in words()["pyopenxr"][1]


def test_on_windows_the_registry_names_the_runtime(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry's own module is only on Windows; this one has what the loader's specification says is in it."""
    manifest = nowhere / "steamxr_win64.json"
    manifest.write_text('{"runtime": {"name": "SteamVR", "library_path": "x.dll"}}')
    winreg: Any = ModuleType("winreg")

    class Key:
        def __init__(self, root: str, path: str) -> None:
            if (root, path) != ("HKLM", r"SOFTWARE\Khronos\OpenXR\1"):
                raise FileNotFoundError(path)

        def __enter__(self) -> Key:
            return self

        def __exit__(self, *_: object) -> None: ...

    winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE, winreg.OpenKey = "HKCU", "HKLM", Key
    winreg.QueryValueEx = lambda key, name: {"ActiveRuntime": (str(manifest), 1)}[name]
    monkeypatch.setitem(sys.modules, "winreg", winreg)
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert support.active_runtime() == manifest
