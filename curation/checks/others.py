"""What others say: the third-party lerobot-doctor, and the Hub's tag."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from curation import layout
from curation.checks.finding import Finding
from curation.checks.subject import Subject
from curation.errors import StudioError

_SECONDS = 600.0

Refs = Callable[[str], Mapping[str, str]]
"""Names of branches and tags of a repository on the Hub, each with the commit it points at."""
Trees = Callable[[str, str], Mapping[str, str]]
"""Data files of a repository at a commit, so not its card, each with its hash."""


def doctor(subject: Subject) -> Iterator[Finding]:
    """Let lerobot-doctor look, where it is installed; its failures become findings."""
    program = shutil.which("lerobot-doctor", path=str(Path(sys.executable).parent)) or shutil.which("lerobot-doctor")
    if program is None:
        return
    if not subject.store.episodes:
        return
    try:
        done = subprocess.run(
            [program, "check", str(subject.root), "--json"], capture_output=True, encoding="utf-8",
            timeout=_SECONDS, check=False,
        )  # fmt: skip
        said = json.loads(done.stdout)["checks"]
    except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        yield Finding(
            "doctor",
            "note",
            f"lerobot-doctor gave no answer: {str(error).splitlines()[0]}",
            "Nothing; the studio's own checks ran.",
            "Run lerobot-doctor check on the dataset to see why.",
        )
        return
    for check in said:
        for message in check.get("messages", ()):
            if message.get("severity") in ("FAIL", "WARN"):
                yield _told(str(check.get("name", "")), message)


def _told(name: str, message: Mapping[str, Any]) -> Finding:
    return Finding(
        "doctor",
        # Its thresholds are those of other arms and tasks, so what it fails is a warning where no check of ours agrees.
        "warning" if message["severity"] == "FAIL" else "note",
        f"{name}: {message.get('message', '')}",
        "A second opinion, by lerobot-doctor.",
        "See what the studio's own checks say about the same; studio drop or studio trim if they agree.",
    )


def hub(subject: Subject, refs: Refs, trees: Trees | None = None) -> Iterator[Finding]:
    """Whether the Hub's readers get what was published last: LeRobot loads the tag, not the branch.

    Args:
        subject: the dataset.
        refs: asks for branches and tags.
        trees: asks what two commits hold; without it, commits that differ are taken to differ in their data.
    """
    path = subject.root / layout.HUB
    try:
        stored = json.loads(path.read_bytes())
        repo, commit = str(stored["repo"]), str(stored["commit"])
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError) as error:
        yield _hub("note", f"{layout.HUB} cannot be read: {error}", "Nobody can say whether the Hub is behind.")
        return
    try:
        yield from _compared(subject, repo, commit, refs, trees)
    except StudioError as error:
        yield Finding(
            "hub",
            "note",
            f"the Hub was not asked about {repo}: {error}",
            "Nothing here; nobody can say whether the Hub is behind.",
            "Run studio check --hub again once it can be reached.",
        )


def _compared(subject: Subject, repo: str, commit: str, refs: Refs, trees: Trees | None) -> Iterator[Finding]:
    known = refs(repo)
    tag = str(subject.store.info["codebase_version"])
    at, head = known.get(tag), known.get("main")
    if at is None:
        means = "LeRobot refuses the dataset, or loads another version that happens to be there."
        yield _hub("error", f"{repo} has no tag {tag}", means)
    elif head is not None and at != head and _same_data(trees, repo, at, head):
        means = "Nothing in training: words of the card were changed on the Hub, the data is the same."
        yield _hub("note", f"{repo}: main is {head[:8]}, with the data of tag {tag}", means)
    elif head is not None and at != head:
        means = "LeRobot loads the tag, without a word: whoever trains on the repository trains on the old data."
        yield _hub("error", f"{repo}: tag {tag} is {at[:8]}, main is {head[:8]}", means)
    elif at != commit and not _same_data(trees, repo, at, commit):
        means = "Others published since; a new publication from here would take that back."
        yield _hub("warning", f"{repo} is at {at[:8]}, this folder is of {commit[:8]}", means)


def _same_data(trees: Trees | None, repo: str, one: str, other: str) -> bool:
    with suppress(StudioError):  # a commit may have left the Hub
        return trees is not None and trees(repo, one) == trees(repo, other)
    return False


def _hub(level: Any, what: str, means: str) -> Finding:
    return Finding("hub", level, what, means, "studio publish moves the tag; studio pull fetches what is there.")
