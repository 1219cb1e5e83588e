"""Hashes by which the Hub knows files."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(content: bytes | Path) -> str:
    """Of a large file."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_hash(content: bytes | Path) -> str:
    """Of any other: git's name of a blob."""
    data = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
