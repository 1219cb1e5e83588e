"""Why there is no headset, or no longer, and what helps."""

from __future__ import annotations

import platform

from curation.errors import StudioError

HEADLESS = "XR_MND_headless"
HOW = "(SteamVR: Settings > OpenXR > Set SteamVR as OpenXR runtime; others: XR_RUNTIME_JSON=/path/to/its.json)"
"""How a runtime becomes the active one."""
ANOTHER = f"Make another runtime the active one {HOW}"
BROWSER = "A standalone headset needs no runtime: --headset web lets it drive through its own browser."


class NoHeadset(StudioError):
    """There is no headset to drive with."""


class HeadsetGone(StudioError):
    """There was a headset; its session is over, and another may come."""


def not_importable(error: Exception) -> NoHeadset:
    """pyopenxr cannot be imported here."""
    if platform.system() == "Darwin":
        return NoHeadset(
            f"OpenXR does not exist on macOS. {BROWSER} Else drive by keys (--operator keyboard), or record on Linux "
            "or Windows."
        )
    if isinstance(error, ModuleNotFoundError):
        return NoHeadset(
            "pyopenxr is not installed, so no headset of this PC can drive. Install the extra: uv sync --extra vr, or "
            f"pip install 'teleop-studio[vr]'. {BROWSER}"
        )
    return NoHeadset(f"pyopenxr cannot be loaded ({type(error).__name__}: {error}). {BROWSER}")


def no_runtime() -> NoHeadset:
    """Nothing answers to OpenXR."""
    return NoHeadset(
        "No OpenXR runtime is active. Start SteamVR, Monado or WiVRn with the headset and make it the active one "
        f"{HOW}. `studio doctor` says what it finds. {BROWSER}"
    )


def runtime_down(name: str) -> NoHeadset:
    """A runtime is registered, but does not run."""
    return NoHeadset(
        f"The OpenXR runtime does not start ({name}). Start its service (SteamVR, monado-service), then again."
    )


def no_headless(runtime: str) -> NoHeadset:
    """The runtime gives controllers only to programs that draw into the headset."""
    return NoHeadset(
        f"{runtime} gives controllers only to programs that draw into the headset (it has no {HEADLESS}), and the "
        f"studio draws nothing there. {ANOTHER}. Quest Link and Varjo work through SteamVR. {BROWSER}"
    )


def no_clock(runtime: str) -> NoHeadset:
    """The runtime's time cannot be compared with ours."""
    return NoHeadset(f"{runtime} cannot say what its times mean (no time conversion extension). {ANOTHER}.")


def no_system(runtime: str) -> NoHeadset:
    """The runtime runs, without a headset."""
    return NoHeadset(f"{runtime} sees no headset. Connect it and switch it on, then run this again.")
