"""What a runtime answers to right and to wrong calls, as one line of JSON: run against ours and against a real one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import xr

found: dict[str, Any] = {}


def tried(name: str, call: Callable[[], Any]) -> None:
    """Note what a call gives: a plain value, "ok", or the name of its error."""
    try:
        value = call()
        found[name] = value if isinstance(value, (bool, int, str)) else "ok"
    except Exception as error:
        found[name] = type(error).__name__


instance = xr.create_instance(xr.InstanceCreateInfo(enabled_extension_names=["XR_MND_headless"]))
tried("a form factor it has not", lambda: xr.get_system(instance, xr.SystemGetInfo(xr.FormFactor.HANDHELD_DISPLAY)))
system = xr.get_system(instance)
tried("a path in capitals", lambda: xr.string_to_path(instance, "/User/Hand"))
tried("a path of number 0", lambda: xr.path_to_string(instance, 0))
left, right = (xr.string_to_path(instance, f"/user/hand/{hand}") for hand in ("left", "right"))
actions = xr.create_action_set(instance, xr.ActionSetCreateInfo(action_set_name="a", localized_action_set_name="A"))


def action(name: str, kind: xr.ActionType) -> Any:
    return xr.create_action(
        actions,
        xr.ActionCreateInfo(
            action_type=kind, action_name=name, localized_action_name=name, subaction_paths=[left, right]
        ),
    )


grip, press = action("grip", xr.ActionType.POSE_INPUT), action("press", xr.ActionType.BOOLEAN_INPUT)
pull = action("pull", xr.ActionType.FLOAT_INPUT)
tried("a name that is taken", lambda: action("grip", xr.ActionType.POSE_INPUT))


def suggest(which: Any, component: str, profile: str = "valve/index_controller") -> None:
    binding = xr.ActionSuggestedBinding(which, xr.string_to_path(instance, f"/user/hand/right/{component}"))
    path = xr.string_to_path(instance, f"/interaction_profiles/{profile}")
    suggestion = xr.InteractionProfileSuggestedBinding(interaction_profile=path, suggested_bindings=[binding])
    xr.suggest_interaction_profile_bindings(instance, suggestion)


tried("a component it has not", lambda: suggest(press, "input/nonsense/click"))
tried("another controller's component", lambda: suggest(press, "input/a/click", "khr/simple_controller"))
tried("an unknown profile", lambda: suggest(press, "input/a/click", "acme/none"))
tried("a button for a number", lambda: suggest(pull, "input/select/click", "khr/simple_controller"))
tried("a grip", lambda: suggest(grip, "input/grip/pose"))
session = xr.create_session(instance, xr.SessionCreateInfo(system_id=system))
sync_info = xr.ActionsSyncInfo(active_action_sets=[xr.ActiveActionSet(actions, xr.NULL_PATH)])


def sync() -> None:
    xr.sync_actions(session, sync_info)


def state() -> Any:
    return bool(xr.get_action_state_pose(session, xr.ActionStateGetInfo(action=grip, subaction_path=right)).is_active)


tried("sync before attach", sync)
tried("state before attach", state)
space = xr.create_action_space(session, xr.ActionSpaceCreateInfo(action=grip, subaction_path=right))
base = xr.create_reference_space(session, xr.ReferenceSpaceCreateInfo(reference_space_type=xr.ReferenceSpaceType.STAGE))
attach = xr.SessionActionSetsAttachInfo(action_sets=[actions])
tried("attach", lambda: xr.attach_session_action_sets(session, attach))
tried("attach again", lambda: xr.attach_session_action_sets(session, attach))
tried("suggest after attach", lambda: suggest(grip, "input/grip/pose"))
tried("an action after attach", lambda: action("late", xr.ActionType.BOOLEAN_INPUT))
tried("end before begin", lambda: xr.end_session(session))
tried("exit before begin", lambda: xr.request_exit_session(session))


def until(wanted: xr.SessionState) -> list[str]:
    """The states on the way to one."""
    states: list[str] = []
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            event = xr.poll_event(instance)
        except xr.EventUnavailable:
            time.sleep(0.005)
            continue
        if event.type == xr.StructureType.EVENT_DATA_SESSION_STATE_CHANGED.value:
            states.append(xr.SessionState(xr.EventDataSessionStateChanged.from_buffer(event).state).name)
            if states[-1] == wanted.name:
                return states
    return [*states, "never"]


begin = xr.SessionBeginInfo(xr.ViewConfigurationType.PRIMARY_STEREO)
found["states to ready"] = until(xr.SessionState.READY)
tried("begin", lambda: xr.begin_session(session, begin))
tried("begin again", lambda: xr.begin_session(session, begin))
found["states to focused"] = until(xr.SessionState.FOCUSED)
tried("sync", sync)
tried("the hand is there", state)
tried("a pose as a number", lambda: xr.get_action_state_float(
    session, xr.ActionStateGetInfo(action=grip, subaction_path=right)
))  # fmt: skip
tried("a pose at time 0", lambda: xr.locate_space(space, base, 0))
tried("a pose", lambda: int(xr.locate_space(space, base, time.monotonic_ns()).location_flags))
tried("end while it runs", lambda: xr.end_session(session))
tried("exit", lambda: xr.request_exit_session(session))
found["last states"] = sorted(set(until(xr.SessionState.STOPPING)))
tried("end", lambda: xr.end_session(session))
found["states to exiting"] = until(xr.SessionState.EXITING)
xr.destroy_session(session)
xr.destroy_instance(instance)
print(json.dumps(found))
