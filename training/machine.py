"""What this machine trains on."""

from __future__ import annotations

import sys
from pathlib import Path

_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")
"""Where Linux shows a GPU; without any, PyTorch need not be loaded to be asked."""


def machine_device() -> str:
    """cuda, mps or cpu."""
    if sys.platform == "linux" and not any(Path(path).exists() for path in _DRIVERS):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
