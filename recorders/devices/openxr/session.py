"""One OpenXR session without pictures: its events, the reading of one controller, and its vibration.

Written against OpenXR 1.0 with `XR_MND_headless`: nothing is drawn, so no frame is ever waited for.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from recorders.devices.controller import FRESH_AFTER_S, RECENTRED, Button, ControllerSample, Pulse, Side

from .bindings import (
    ACTIONS,
    GRIP,
    HAPTIC,
    LOWER,
    SQUEEZE,
    STICK,
    STICK_CLICK,
    TRIGGER,
    UPPER,
    profile_words,
    suggestions,
)
from .clocks import EXTENSION, clock_of
from .errors import HEADLESS, HeadsetGone, no_clock, no_headless, no_runtime, no_system, not_importable, runtime_down

MOST_EVENTS = 32
"""Events taken in at once: a runtime that never runs out of them must not hold up the hand."""
LEAVE_S = 1.0
"""How long a runtime may take to end a session that asked for it [s]."""
_TRACKED = 4 | 8
"""XR_SPACE_LOCATION_ORIENTATION_TRACKED and POSITION_TRACKED; VALID alone is a pose that the runtime made up."""
_TICK_S = 0.01


class Session:
    """Reads one controller.

    Args:
        hand: which one.

    Attributes:
        runtime: its name and version.

    Raises:
        NoHeadset: there is none; it says what would help.
    """

    def __init__(self, hand: Side) -> None:
        self._xr = xr = _load()
        self._hand = hand
        self._instance: Any = None
        self._session: Any = None
        self._running = False
        self._state = ""
        self._profile = ""
        self._settled = 0
        try:
            self._connect()
            self._bind()
        except xr.ErrorResult as error:
            self.close()
            raise runtime_down(type(error).__name__) from error
        except BaseException:
            self.close()
            raise

    # Connecting.

    def _connect(self) -> None:
        xr = self._xr
        try:
            there = {known.extension_name.decode() for known in xr.enumerate_instance_extension_properties()}
            wanted = [name for name in (HEADLESS, EXTENSION) if name in there]
            app = xr.ApplicationInfo("Teleop Studio", 1, "Teleop Studio", 1, xr.Version(1, 0, 0))
            info = xr.InstanceCreateInfo(application_info=app, enabled_extension_names=wanted)
            self._instance = xr.create_instance(info)
        except xr.RuntimeUnavailableError as error:
            raise no_runtime() from error
        except xr.ErrorResult as error:
            raise runtime_down(type(error).__name__) from error
        facts = xr.get_instance_properties(self._instance)
        self.runtime = f"{facts.runtime_name.decode()} {xr.Version(facts.runtime_version)}"
        if HEADLESS not in wanted:
            raise no_headless(self.runtime)
        if EXTENSION not in wanted:
            raise no_clock(self.runtime)
        try:
            system = xr.get_system(self._instance, xr.SystemGetInfo(form_factor=xr.FormFactor.HEAD_MOUNTED_DISPLAY))
        except xr.ErrorResult as error:
            raise no_system(self.runtime) from error
        self._now = clock_of(xr, self._instance)
        self._session = xr.create_session(self._instance, xr.SessionCreateInfo(system_id=system))

    def _bind(self) -> None:
        """Actions, their bindings, and the spaces that poses are asked in."""
        xr, session = self._xr, self._session
        side = self._path(f"/user/hand/{self._hand}")
        made = self._make_actions()
        for profile, pairs in suggestions():
            bound = [xr.ActionSuggestedBinding(made[name], self._path(component)) for name, component in pairs]
            suggested = xr.InteractionProfileSuggestedBinding(
                interaction_profile=self._path(profile), suggested_bindings=bound
            )
            # A runtime may know fewer controllers than the specification; it has others then.
            with suppress(xr.PathUnsupportedError):
                xr.suggest_interaction_profile_bindings(self._instance, suggested)
        self._side = side
        self._ask = {name: xr.ActionStateGetInfo(action=made[name], subaction_path=side) for name in made}
        self._haptic = xr.HapticActionInfo(action=made[HAPTIC], subaction_path=side)
        self._grip = xr.create_action_space(session, xr.ActionSpaceCreateInfo(action=made[GRIP], subaction_path=side))
        self._base = xr.create_reference_space(session, xr.ReferenceSpaceCreateInfo(reference_space_type=self._stage()))
        xr.attach_session_action_sets(session, xr.SessionActionSetsAttachInfo(action_sets=[self._actions]))
        self._sync = xr.ActionsSyncInfo(active_action_sets=[xr.ActiveActionSet(self._actions, xr.NULL_PATH)])

    def _make_actions(self) -> dict[str, Any]:
        """Every action of ours, for both hands."""
        xr = self._xr
        hands = [self._path("/user/hand/left"), self._path("/user/hand/right")]
        info = xr.ActionSetCreateInfo(action_set_name="teleop", localized_action_set_name="Teleop")
        self._actions = xr.create_action_set(self._instance, info)
        made = {}
        for name, kind in ACTIONS.items():
            info = xr.ActionCreateInfo(
                action_type=xr.ActionType[kind],
                action_name=name,
                localized_action_name=name.replace("_", " "),
                subaction_paths=hands,
            )
            made[name] = xr.create_action(self._actions, info)
        return made

    def _path(self, text: str) -> Any:
        return self._xr.string_to_path(self._instance, text)

    def _stage(self) -> Any:
        """The play space on the floor where there is one; it stays where it is when the headset is recentred."""
        kinds = self._xr.ReferenceSpaceType
        there = set(self._xr.enumerate_reference_spaces(self._session))
        return kinds.STAGE if kinds.STAGE in there or kinds.STAGE.value in there else kinds.LOCAL

    # Running.

    def poll(self) -> list[str]:
        """Follow the runtime's events; returns what a person must know.

        Raises:
            HeadsetGone: the session is over.
        """
        said: list[str] = []
        xr = self._xr
        try:
            for event in self._events():
                kind = event.type
                if kind == xr.StructureType.EVENT_DATA_SESSION_STATE_CHANGED.value:
                    said += self._follow(xr.SessionState(xr.EventDataSessionStateChanged.from_buffer(event).state))
                elif kind == xr.StructureType.EVENT_DATA_INTERACTION_PROFILE_CHANGED.value:
                    said += self._controller()
                elif kind == xr.StructureType.EVENT_DATA_REFERENCE_SPACE_CHANGE_PENDING.value:
                    moves = xr.EventDataReferenceSpaceChangePending.from_buffer(event).change_time
                    self._settled = max(int(moves), self._now()[0]) + round(FRESH_AFTER_S * 1e9)
                    said.append(RECENTRED)
                elif kind == xr.StructureType.EVENT_DATA_INSTANCE_LOSS_PENDING.value:
                    raise HeadsetGone("The OpenXR runtime is ending.")
        except xr.ErrorResult as error:
            raise HeadsetGone(f"The OpenXR runtime is gone ({type(error).__name__}).") from error
        return said

    def _events(self) -> Iterator[Any]:
        for _ in range(MOST_EVENTS):
            try:
                yield self._xr.poll_event(self._instance)
            except self._xr.EventUnavailable:
                return

    def _follow(self, state: Any) -> list[str]:
        xr, before = self._xr, self._state
        self._state = state.name
        match state.name:
            case "READY":
                xr.begin_session(self._session, xr.SessionBeginInfo(xr.ViewConfigurationType.PRIMARY_STEREO))
                self._running = True
            case "STOPPING":
                xr.end_session(self._session)
                self._running = False
            case "EXITING":
                raise HeadsetGone("The session was quit in the headset.")
            case "LOSS_PENDING":
                raise HeadsetGone("The headset was lost.")
            case "FOCUSED":
                return ["The headset is ready."]
            case "VISIBLE" if before == "FOCUSED":
                return ["The headset's menu is open, or it was taken off: the arm stands."]
        return []

    def _controller(self) -> list[str]:
        """Which controller there is now; before the first sync a runtime may not know."""
        found = self._xr.get_current_interaction_profile(self._session, self._side).interaction_profile
        name = profile_words(self._xr.path_to_string(self._instance, found)) if found else ""
        if name == self._profile:
            return []
        self._profile = name
        return [f"{self._hand.capitalize()} hand: {name}." if name else f"The {self._hand} controller is off."]

    @property
    def focused(self) -> bool:
        """Whether the headset lets this session have the controllers."""
        return self._state == "FOCUSED"

    def read(self) -> ControllerSample:
        """The controller now; not tracked while the headset does not let this session have it.

        Raises:
            HeadsetGone: the session is over.
        """
        xr = self._xr
        try:
            instant, at = self._now()
            if not self._running:
                return ControllerSample(at, self._hand)
            xr.sync_actions(self._session, self._sync)
            sample = self._sample(instant, at)
            # Around the instant in which the play space moves, a pose before and one after tell no motion.
            return replace(sample, tracked=False) if instant <= self._settled else sample
        except xr.SessionNotFocused:
            return ControllerSample(at, self._hand)
        except xr.ResultException as error:
            raise HeadsetGone(f"The OpenXR runtime is gone ({type(error).__name__}).") from error

    def _sample(self, instant: int, at: float) -> ControllerSample:
        xr, session, ask = self._xr, self._session, self._ask
        active = bool(xr.get_action_state_pose(session, ask[GRIP]).is_active)
        location = xr.locate_space(self._grip, self._base, instant)
        place, turn = location.pose.position, location.pose.orientation
        stick = xr.get_action_state_vector2f(session, ask[STICK]).current_state
        down = {Button.LOWER: LOWER, Button.UPPER: UPPER, Button.STICK: STICK_CLICK}
        return ControllerSample(
            at,
            self._hand,
            (place.x, place.y, place.z),
            (turn.x, turn.y, turn.z, turn.w),
            tracked=active and int(location.location_flags) & _TRACKED == _TRACKED,
            squeeze=float(xr.get_action_state_float(session, ask[SQUEEZE]).current_state),
            trigger=float(xr.get_action_state_float(session, ask[TRIGGER]).current_state),
            stick=(float(stick.x), float(stick.y)),
            buttons=frozenset(
                button for button, name in down.items() if xr.get_action_state_boolean(session, ask[name]).current_state
            ),
        )

    def pulse(self, pulse: Pulse) -> None:
        """Let the controller vibrate, where it can."""
        xr = self._xr
        vibration = xr.HapticVibration(
            duration=int(pulse.seconds * 1e9), frequency=xr.FREQUENCY_UNSPECIFIED, amplitude=pulse.strength
        )
        base = ctypes.cast(ctypes.byref(vibration), ctypes.POINTER(xr.HapticBaseHeader)).contents
        # It is off, or the menu is open: nobody feels it, and what is wrong the next reading tells.
        with suppress(xr.ResultException):
            xr.apply_haptic_feedback(self._session, self._haptic, base)

    def close(self) -> None:
        """Ask the runtime to end the session, and let go of it; a runtime that is gone is let go of too."""
        xr = self._xr
        with suppress(HeadsetGone, xr.ResultException):
            if self._running:
                xr.request_exit_session(self._session)
                until = time.monotonic() + LEAVE_S
                while self._running and time.monotonic() < until:
                    self.poll()
                    time.sleep(_TICK_S)
        for destroy, thing in ((xr.destroy_session, self._session), (xr.destroy_instance, self._instance)):
            with suppress(xr.ResultException):
                if thing is not None:
                    destroy(thing)
        self._session = self._instance = None
        self._running = False


def _load() -> Any:
    try:
        with _own_opengl():
            import xr
    except (ImportError, NotImplementedError, OSError) as error:
        raise not_importable(error) from error
    return xr


@contextmanager
def _own_opengl() -> Iterator[None]:
    """Leave PyOpenGL as it is: on Linux pyopenxr turns it to GLX for the whole process, and MuJoCo, which draws through
    EGL or OSMesa, could then draw nothing."""
    backend = os.environ.get("MUJOCO_GL", "egl").lower()
    if not sys.platform.startswith("linux") or backend not in ("egl", "osmesa"):
        yield
        return
    os.environ.setdefault("PYOPENGL_PLATFORM", backend)
    from OpenGL import platform

    before = platform.PLATFORM
    try:
        yield
    finally:
        platform.PLATFORM = before
