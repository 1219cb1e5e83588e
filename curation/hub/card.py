"""The card of a dataset, made from the data: what is in it, how it came about, what is wrong, how to load it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curation import layout
from curation.attempts import quotable, read_attempts
from curation.checks import Finding
from curation.meaning import units_of
from curation.notes import masked, read_notes
from curation.provenance import read_provenance, tree
from curation.store import Store

BEGIN, END = (
    "<!-- studio: generated, edits between these lines are lost -->",
    "<!-- studio: end of the generated part -->",
)
MAP = "positions.png"
"""Where the picture of placements lies in the repository."""
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGER = "1M<n<10M"


def card(
    store: Store,
    repo: str,
    licence: str,
    findings: Sequence[Finding],
    *,
    earlier: Mapping[str, str],
    own: str = "",
    with_map: bool = False,
) -> str:
    """README.md of a dataset.

    Args:
        store: the dataset.
        repo: owner/name.
        licence: an id of the Hub's.
        findings: of `curation.checks`.
        earlier: release tag to commit, of other releases.
        own: the card there is; its words outside the generated part stay, and so does YAML that this does not write.
        with_map: whether `MAP` is in the repository.

    Raises:
        ValueError: its YAML is broken.
    """
    import yaml

    front = _FRONT.match(own)
    kept = yaml.safe_load(front[1]) if front else {}
    if not isinstance(kept, dict):
        raise ValueError("the YAML at the top of README.md is no mapping")
    words = own[front.end() :] if front else own
    made = {**kept, **_yaml(store, repo, licence, kept)}
    body = "\n".join([BEGIN, *_body(store, repo, findings, earlier, with_map), END])
    head, tail = (words[: words.index(BEGIN)], words[words.index(END) + len(END) :]) if _marked(words) else (words, "")
    text = yaml.safe_dump(made, sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n{head.rstrip()}\n\n{body}\n{tail}".replace("\n\n\n", "\n\n")


def _marked(words: str) -> bool:
    return BEGIN in words and END in words


def _yaml(store: Store, repo: str, licence: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    frames = store.total_frames
    tags = ["LeRobot", store.robot_type, "video", "timeseries", *(["curated"] if read_provenance(store.root) else [])]
    sources = [f"{p['hub']['repo']}" for p in read_provenance(store.root).get("parents", ()) if p.get("hub")]
    return {
        "pretty_name": kept.get("pretty_name") or repo.partition("/")[2],
        "license": licence,
        "language": kept.get("language") or ["en"],
        "tags": list(dict.fromkeys([*(kept.get("tags") or ()), *filter(None, tags)])),
        "task_categories": ["robotics"],
        "size_categories": [next((name for most, name in _SIZES if frames < most), _LARGER)],
        **({"source_datasets": sources} if sources else {}),
        "configs": [{"config_name": "default", "data_files": "data/*/*.parquet"}],
    }


def _body(
    store: Store, repo: str, findings: Sequence[Finding], earlier: Mapping[str, str], with_map: bool
) -> Iterator[str]:
    hours = store.total_frames / store.fps / 3600
    cameras = layout.cameras(store.features)
    yield f"# {repo.partition('/')[2]}"
    yield ""
    yield (
        f"{store.total_episodes} episodes, {store.total_frames} frames, {hours:.2f} hours at {store.fps} frames "
        f"a second of a {store.robot_type or 'robot'}, seen by {len(cameras)} cameras. LeRobot v3.0."
    )
    if with_map:
        yield f"\n![Where the block was]({MAP})"
    yield from _episodes(store)
    yield from _columns(store)
    yield from _origin(store)
    yield from _found(findings)
    yield "\n## How to load\n\n```python"
    yield "from lerobot.datasets import LeRobotDataset\n"
    yield f'dataset = LeRobotDataset("{repo}")  # or revision="v3.0.N": a release never changes'
    yield "```\n"
    yield f"[Look at it](https://huggingface.co/spaces/lerobot/visualize_dataset?path={repo})"
    if earlier:
        yield "\nEarlier releases: " + ", ".join(f"{name} ({commit[:8]})" for name, commit in sorted(earlier.items()))


def _episodes(store: Store) -> Iterator[str]:
    rows = store.rows()
    yield "\n## Episodes\n\n| task | episodes | frames |\n|---|---|---|"
    frames: Counter[str] = Counter()
    for episode in store.episodes:
        frames[episode.task] += episode.length
    count = Counter(episode.task for episode in store.episodes)
    yield from (f"| {_cell(task)} | {count[task]} | {frames[task]} |" for task in count)
    attempts, _ = read_attempts(store.root)
    rate, of = quotable(rows, attempts)
    outcomes = Counter(row.outcome or "unknown" for row in rows)
    yield "\nOutcomes: " + ", ".join(f"{name} {number}" for name, number in outcomes.most_common())
    yield (
        f"Success: {rate.of(of)}."
        if rate
        else "Success: no rate can be quoted, because episodes were chosen by outcome."
    )
    drivers = Counter(row.operator or "unknown" for row in rows)
    yield "Driven by: " + ", ".join(f"{name} {number}" for name, number in drivers.most_common())
    if hidden := masked(read_notes(store.root)) & {row.episode_id for row in rows}:
        yield f"**{len(hidden)} of them are marked as put away** (meta/studio/notes.jsonl); LeRobot still reads them."


def _columns(store: Store) -> Iterator[str]:
    units, sure = units_of(store)
    yield "\n## Columns\n\n| feature | type | shape | names |\n|---|---|---|---|"
    for key, feature in store.features.items():
        names = ", ".join(feature.names)
        yield f"| {key} | {feature.dtype} | {'x'.join(map(str, feature.shape))} | {_cell(names)} |"
    guess = "" if sure else ", judged by how far they go"
    yield f"\nBody joints are in {units.body}, the gripper in {units.gripper}{guess}."


def _origin(store: Store) -> Iterator[str]:
    story = read_provenance(store.root)
    scene = store.scene.get("fingerprint")
    yield "\n## How it came about\n\n```text"
    yield from tree(store.root.name, story)
    yield "```"
    if scene:
        yield f"\nRecorded in simulation, scene `{scene}`; every frame's physics is in meta/studio/frames."


def _found(findings: Sequence[Finding]) -> Iterator[str]:
    yield "\n## What is known to be wrong\n"
    if not findings:
        yield "Nothing was found by the checks of the studio."
    yield from (f"- {finding.level}: {_cell(finding.what)} {_cell(finding.means)}" for finding in findings)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
