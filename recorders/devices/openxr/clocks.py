"""The runtime's time of this instant, and ours: both of one monotonic clock."""

from __future__ import annotations

import ctypes
import platform
import time
from collections.abc import Callable
from typing import Any

_WINDOWS = platform.system() == "Windows"
EXTENSION = "XR_KHR_win32_convert_performance_counter_time" if _WINDOWS else "XR_KHR_convert_timespec_time"
Now = Callable[[], tuple[int, float]]
"""The runtime's time [ns] and `time.perf_counter()` [s] of one instant."""
_BILLION = 1_000_000_000


def clock_of(xr: Any, instance: Any) -> Now:
    """What time it is for a runtime; its instance must have `EXTENSION`."""
    return _windows_clock(xr, instance) if _WINDOWS else _posix_clock(xr, instance)


def _posix_clock(xr: Any, instance: Any) -> Now:
    convert = _function(xr, instance, "xrConvertTimespecTimeToTimeKHR")

    def now() -> tuple[int, float]:
        # perf_counter is CLOCK_MONOTONIC, which is what the extension converts.
        at = time.perf_counter_ns()
        stamp, found = xr.timespec(), xr.Time()
        stamp.tv_sec, stamp.tv_nsec = divmod(at, _BILLION)
        _check(xr, convert(instance, ctypes.byref(stamp), ctypes.byref(found)))
        return int(found.value), at / _BILLION

    return now


def _windows_clock(xr: Any, instance: Any) -> Now:
    convert = _function(xr, instance, "xrConvertWin32PerformanceCounterToTimeKHR")
    counter = ctypes.windll.kernel32.QueryPerformanceCounter  # type: ignore[attr-defined,unused-ignore]

    def now() -> tuple[int, float]:
        ticks, found = ctypes.c_int64(), xr.Time()
        counter(ctypes.byref(ticks))
        at = time.perf_counter()
        _check(xr, convert(instance, ctypes.byref(ticks), ctypes.byref(found)))
        return int(found.value), at

    return now


def _function(xr: Any, instance: Any, name: str) -> Any:
    kind = ctypes.CFUNCTYPE(ctypes.c_int, xr.Instance, ctypes.c_void_p, ctypes.c_void_p)
    return ctypes.cast(xr.get_instance_proc_addr(instance, name), kind)


def _check(xr: Any, result: int) -> None:
    if result < 0:
        raise xr.RuntimeFailureError(f"the runtime cannot convert a time: result {result}")
