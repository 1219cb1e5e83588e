"""What each kind of controller has, by the names of the OpenXR specification (section 6.4, interaction profiles).

With a profile that was not suggested a runtime reports no pose and no error, so all that are known are suggested.
"""

from __future__ import annotations

from collections.abc import Iterator

from recorders.devices.controller import Side

GRIP, HAPTIC = "grip", "haptic"
SQUEEZE, TRIGGER, STICK = "squeeze", "trigger", "stick"
LOWER, UPPER, STICK_CLICK = "lower", "upper", "stick_click"
ACTIONS = {
    GRIP: "POSE_INPUT", HAPTIC: "VIBRATION_OUTPUT", SQUEEZE: "FLOAT_INPUT", TRIGGER: "FLOAT_INPUT",
    STICK: "VECTOR2F_INPUT", LOWER: "BOOLEAN_INPUT", UPPER: "BOOLEAN_INPUT", STICK_CLICK: "BOOLEAN_INPUT",
}  # fmt: skip
"""Our actions and their types, XR_ACTION_TYPE_."""
_BOTH = {GRIP: "input/grip/pose", HAPTIC: "output/haptic"}
_STICK = {STICK: "input/thumbstick", STICK_CLICK: "input/thumbstick/click"}
_TOUCH = _BOTH | _STICK | {SQUEEZE: "input/squeeze/value", TRIGGER: "input/trigger/value"}
_INDEX = _TOUCH | {LOWER: "input/a/click", UPPER: "input/b/click"}
_CLICKED = _BOTH | {SQUEEZE: "input/squeeze/click", TRIGGER: "input/trigger/value", LOWER: "input/menu/click"}
PROFILES: dict[str, dict[Side, dict[str, str]]] = {
    "oculus/touch_controller": {
        "left": _TOUCH | {LOWER: "input/x/click", UPPER: "input/y/click"},
        "right": _TOUCH | {LOWER: "input/a/click", UPPER: "input/b/click"},
    },
    "valve/index_controller": dict.fromkeys(("left", "right"), _INDEX),
    # Without a second button a take is put away by keys.
    "microsoft/motion_controller": dict.fromkeys(("left", "right"), _CLICKED | _STICK),
    "htc/vive_controller": dict.fromkeys(("left", "right"), _CLICKED | {STICK_CLICK: "input/trackpad/click"}),
    # Two buttons only: one is the clutch, the other the gripper.
    "khr/simple_controller": dict.fromkeys(
        ("left", "right"), _BOTH | {SQUEEZE: "input/select/click", TRIGGER: "input/menu/click"}
    ),
}
"""For each profile and hand, the component of every action."""


def suggestions() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each profile's path with (action, path of the component) for both hands."""
    for profile, hands in PROFILES.items():
        pairs = [
            (action, f"/user/hand/{hand}/{component}")
            for hand, components in hands.items()
            for action, component in components.items()
        ]
        yield f"/interaction_profiles/{profile}", pairs


def profile_words(path: str) -> str:
    """A profile's path for people, such as "touch controller"."""
    return path.rpartition("/")[2].replace("_", " ")
