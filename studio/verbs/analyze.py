"""analyze: a policy's predictions beside demonstrations, joint by joint."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.atomic import make_folder, write_aside
from curation.errors import DataError, TargetExists, UsageError
from curation.store import Store
from studio.console import Console
from studio.options import Episodes, Name
from studio.paths import dataset_path, run_path, runs_home
from training.analysis import Fit, JointFit, fit
from training.checkpoint_card import Card, card, resolve
from training.data_fit import require_same_kind
from training.predictions import Predictions, predict, require_seen
from training.runs import Run

TRAIN, HELD_OUT = "train", "validation"
WORDS = {TRAIN: "training", HELD_OUT: "held-out"}


@dataclass(frozen=True, kw_only=True)
class Analyze:
    """Ask a policy in recorded frames and judge every joint: error, fit, range, whether it collapsed to a constant.

    Writes predictions.npz, statistics.json and plots. Episodes that it was trained on and others are told apart.
    """

    checkpoint: Name
    """A run, run@step, a path, or hf:owner/name."""
    dataset: Name
    """A dataset that has what the policy looks at."""
    episodes: Episodes = 10
    """At most so many training and so many held-out episodes, spread over the dataset; 0 is all."""
    every: int = 1
    """Ask in every so many frames."""
    other_scene: bool = False
    """Episodes of another scene than the one it was trained in are meant."""
    to: Path | None = None
    """This new folder; by default analyses/STEP-DATASET in the run's folder."""
    device: str = "auto"
    """cpu, cuda, mps, or auto."""
    seed: int = 0
    """Of what the policy draws."""
    json: bool = False
    """Print everything as JSON."""


def analyze(options: Analyze, console: Console) -> int:
    """Ask, judge, draw, and print the table."""
    if options.every < 1 or (options.episodes or 0) < 0:
        raise UsageError(f"--every {options.every} must be at least 1, and --episodes {options.episodes} at least 0.")
    folder = resolve(options.checkpoint, runs_home())
    known, store = card(folder), Store.open(dataset_path(options.dataset))
    to = _target(options, known, store)
    chosen = _episodes(options, known, store, console)
    from training.policy_model import PolicyModel

    model = PolicyModel(folder, device=options.device)
    require_seen(model, store)
    asked_in = [index for indices in chosen.values() for index in indices]
    require_same_kind(model, known, store, asked_in, other_scene=options.other_scene)
    names = [name.removesuffix(".pos") for name in store.features["action"].names]
    found: dict[str, tuple[Predictions, Fit]] = {}
    for kind, indices in chosen.items():

        def tell(done: int, of: int, kind: str = kind) -> None:
            console.progress(f"{WORDS[kind]} episodes: frame {done} of {of}")
            console.advance(done, of)

        predictions = predict(model, store, indices, every=options.every, seed=options.seed, progress=tell)
        found[kind] = predictions, fit(predictions, names)
    title = f"{known.label} on {store.root.name}"
    told = _told(options, known, store, chosen, {kind: each for kind, (_, each) in found.items()})
    _write(to, found, told, title)
    console.result("\n".join(_text(found, title, to)), {**told, "to": str(to)})
    return 0


def _target(options: Analyze, known: Card, store: Store) -> Path:
    home = run_path(known.run) if known.run else Path()
    step = "checkpoint" if known.step is None else f"{known.step:06d}"
    to = options.to or home / "analyses" / f"{step}-{store.root.name}"
    if to.exists():
        raise TargetExists(to, "Give another folder with --to.")
    return to


def _episodes(options: Analyze, known: Card, store: Store, console: Console) -> dict[str, list[int]]:
    """Training and held-out episodes, spread evenly."""
    trained = set(_trained_on(known))
    if not trained:
        console.step("The checkpoint does not know its training episodes: all are called held-out.")
    ids = [episode.row.episode_id for episode in store.episodes]
    of_each = {
        TRAIN: [index for index, name in enumerate(ids) if name in trained],
        HELD_OUT: [index for index, name in enumerate(ids) if name not in trained],
    }
    chosen = {kind: _spread(indices, options.episodes or len(indices)) for kind, indices in of_each.items() if indices}
    if not chosen:
        raise UsageError(f"{store.root} has no episode.")
    if HELD_OUT not in chosen:
        console.step(f"All episodes of {store.root.name} were trained on: nothing is said about others.")
    return chosen


def _trained_on(known: Card) -> list[str]:
    if known.run:
        with suppress(DataError):
            return Run(run_path(known.run)).trained_on()
    return []


def _spread(indices: Sequence[int], count: int) -> list[int]:
    chosen = np.linspace(0, len(indices) - 1, min(count, len(indices))).round().astype(int)
    return [indices[int(which)] for which in chosen]


def _told(
    options: Analyze, known: Card, store: Store, chosen: Mapping[str, Sequence[int]], fits: Mapping[str, Fit]
) -> dict[str, Any]:
    return {
        "version": 1,
        "checkpoint": known.label,
        "dataset": str(store.root),
        "every": options.every,
        "seed": options.seed,
        "sets": {kind: {"episodes_asked": list(chosen[kind]), **each.values()} for kind, each in fits.items()},
    }


def _write(to: Path, found: Mapping[str, tuple[Predictions, Fit]], told: Mapping[str, Any], title: str) -> None:
    from training import analysis_plots
    from training.sheet import save

    make_folder(to)
    arrays: dict[str, Any] = {}
    for kind, (each, _) in found.items():
        short = "val" if kind == HELD_OUT else kind
        arrays |= {f"{short}_pred": each.predicted, f"{short}_gt": each.demonstrated, f"{short}_obs": each.state,
                   f"{short}_episode": each.episode, f"{short}_frame": each.frame}  # fmt: skip
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    write_aside(to / "predictions.npz", packed.getvalue())
    for kind, (each, judged) in found.items():
        words = f"{title}: {WORDS[kind]} episodes"
        save(analysis_plots.timeseries(each, judged, words), to / f"{kind}_timeseries.png")
        save(analysis_plots.scatter(each, judged, words), to / f"{kind}_scatter.png")
    named = {WORDS[kind]: each for kind, each in found.items()}
    save(analysis_plots.histograms(named, f"{title}: errors"), to / "error_histograms.png")
    fits = {name: judged for name, (_, judged) in named.items()}
    save(analysis_plots.ahead(fits, f"{title}: how far ahead"), to / "error_ahead.png")
    # Last, so that a folder with it is whole.
    write_aside(to / "statistics.json", json.dumps(told, indent=2).encode() + b"\n")


def _text(found: Mapping[str, tuple[Predictions, Fit]], title: str, to: Path) -> list[str]:
    lines = [title]
    for kind, (_, each) in found.items():
        lines += [
            "",
            f"{WORDS[kind]}: {each.episodes} episodes, {each.frames} frames, mean error {each.mean_error:.2f}, "
            f"largest {each.max_error:.1f}",
            f"  {'joint':<14} {'mean':>6} {'max':>6} {'bias':>6} {'R2':>7} {'skill':>7} {'spread':>7} "
            f"{'demonstrated':>16} {'predicted':>16}",
            *(_line(joint) for joint in each.joints),
        ]
        if each.collapsed:
            lines.append(f"  collapsed to a near constant: {', '.join(each.collapsed)}")
    return [
        *lines,
        "",
        f"R2: 1 is perfect, 0 the mean. Skill, of whole chunks: 1 is perfect, 0 staying put. Written to {to}.",
    ]


def _line(joint: JointFit) -> str:
    def number(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    ranges = [f"{joint.low:.1f} to {joint.high:.1f}", f"{joint.predicted_low:.1f} to {joint.predicted_high:.1f}"]
    return (
        f"  {joint.name:<14} {joint.mean_error:>6.2f} {joint.max_error:>6.1f} {joint.bias:>6.2f} {number(joint.r2):>7} "
        f"{number(joint.skill):>7} {number(joint.spread):>7} {ranges[0]:>16} {ranges[1]:>16}  {joint.verdict}"
    )
