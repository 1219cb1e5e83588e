"""Which program ran an evaluation: a mark of the code that decides what is in its rows."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_DECIDING = (
    "recorders.rollout", "recorders.placements", "recorders.world", "training.policy", "training.policy_model",
    "training.chunks", "training.latency", "training.rows", "training.unsure", "training.answers", "studio.evaluating",
)  # fmt: skip
"""Modules and packages: placement, physics, servo, judge, loop, policy, and what an episode says for itself."""


@cache
def loop_mark() -> str:
    """Sixteen hex digits that change with whatever the code of world, judge, loop or policy does.

    Comments, docstrings and the way it is laid out do not count: rows made before and after them belong together.
    """
    found = hashlib.sha256()
    for path in sorted(_sources()):
        found.update(f"{path.name}\0{code_of(path.read_text(encoding='utf-8'))}\n".encode())
    return found.hexdigest()[:16]


def code_of(source: str) -> str:
    """What a source says to the interpreter, without docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_text(one)]
    return ast.dump(tree)


def _is_text(statement: ast.stmt) -> bool:
    """A docstring, or the text under a constant that explains it."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _sources() -> list[Path]:
    found: list[Path] = []
    for name in _DECIDING:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        found += origin.parent.rglob("*.py") if origin.name == "__init__.py" else [origin]
    return found
