"""Shared by all tests: importing recorders chooses the headless OpenGL backend before any test imports MuJoCo."""

import os
import signal
from pathlib import Path

import pytest

import recorders

os.environ.setdefault("HF_HUB_OFFLINE", "1")
assert recorders.__doc__

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell starts what runs in the background deaf to Ctrl+C, and its children too; tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

PACED = (
    "devices",
    "faults/test_disks.py",
    "faults/test_interruptions.py",
    "faults/test_kill",
    "screens/test_browser",
    "screens/test_crashes",
    "screens/test_edit",
    "screens/test_finder",
    "screens/test_home",
    "screens/test_jobs",
    "screens/test_library",
    "screens/test_record",
    "screens/test_serve",
    "screens/test_setup",
    "screens/test_terminal",
    "screens/test_training",
    "end_to_end/test_keyboard.py",
    "end_to_end/test_leader.py",
    "end_to_end/test_targets.py",
    "end_to_end/test_tui",
    "end_to_end/test_vr.py",
    "end_to_end/test_web_headset.py",
    "recorders/test_booth",
    "recorders/test_record.py",
    "studio/test_jobs.py",
    "studio/test_preview.py",
    "studio/test_views.py",
    "studio/test_web.py",
    "widgets/test_graphics.py",
)
"""Tests that wait for a clock, a terminal or a signal; they run one after the other, the rest on all cores."""

LONG = ("end_to_end", "training", "hub", "plugin")
"""Folders of tests that take minutes; they begin first, so that no core waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is paced; begin with what is long."""
    here = Path(__file__).parent
    names = {item: item.path.relative_to(here).as_posix() for item in items}
    for item, name in names.items():
        if name.startswith(PACED):
            item.add_marker("paced")
    items.sort(key=lambda item: next((n for n, folder in enumerate(LONG) if names[item].startswith(folder)), len(LONG)))
