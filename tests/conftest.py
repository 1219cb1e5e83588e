"""Shared by all tests: importing recorders chooses the headless OpenGL backend before any test imports MuJoCo."""

import os

import recorders

os.environ.setdefault("HF_HUB_OFFLINE", "1")
assert recorders.__doc__
