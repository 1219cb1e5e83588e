"""Controllers of headsets on a PC, through OpenXR.

pyopenxr is the extra `vr` and is imported in a process of its own only: its import fails on macOS, and the libraries of
a runtime print, block and crash as they like.
"""
