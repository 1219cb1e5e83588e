"""correct: a policy drives, a person takes over where it goes wrong and hands back; every frame says who drove."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from recorders.operators.named import CORRECT
from recorders.world.scene import Scene
from studio.console import Console
from studio.options import Episodes, Name, Where
from studio.verbs.asked import Asked
from studio.verbs.record import Record, record


@dataclass(frozen=True, kw_only=True)
class Correct:
    """Let a policy drive in real time, take over by keys where it goes wrong, and hand back; recorded as a dataset.

    The first key that drives takes over, p hands back, space takes over and stands still.
    """

    checkpoint: Name
    """A run (its last checkpoint), run@best, run@000100, a folder, or hf:owner/name."""
    to: str
    """The dataset: a folder, or a bare name under STUDIO_DATA (default ./datasets). Must be new without --resume."""
    episodes: Episodes = None
    """Episodes the dataset shall hold at the end, by default 20; with --targets it follows from --per-position."""
    per_position: int = 1
    """Episodes wanted at each position of --targets."""
    where: Where = field(default_factory=Where)
    n_action_steps: int | None = None
    """Actions carried out of each chunk; by default as it was trained."""
    seed: int = 0
    """Of every random choice; stored per episode."""
    limit: float | None = None
    """Time limit of an episode in seconds; by default 60."""
    resume: bool = False
    """Continue an existing dataset recorded with the same settings."""
    privileged: bool = False
    """Also store where the block is, as studio record has it."""
    scene: Scene = field(default_factory=Scene)
    keys: Literal["auto", "terminal", "kitty", "display", "browser"] = "auto"
    """Where keys come from; the best source there is by default."""
    auto_stop: bool = True
    """End and keep a take as soon as the judge sees success; --no-auto-stop leaves it to the keys."""
    preview: bool = False
    """Draw the overhead camera in the terminal while recording."""
    json: bool = False
    """Print the summary as JSON."""


def correct(options: Correct, console: Console) -> int:
    """Record until the dataset holds the asked number of episodes; its summary counts interventions."""
    return record(record_options(options), console)


def record_options(options: Correct) -> Record:
    """The same as a recording: what `studio record --operator correct:CHECKPOINT` is."""
    named = (
        "to",
        "episodes",
        "per_position",
        "where",
        "n_action_steps",
        "seed",
        "limit",
        "resume",
        "privileged",
        "scene",
    )
    asked = Asked(operator=f"{CORRECT}{options.checkpoint}", **{name: getattr(options, name) for name in named})
    return Record(
        recording=asked, keys=options.keys, auto_stop=options.auto_stop, preview=options.preview, json=options.json
    )
