"""The card of a dataset, made from the data: what is in it, how it came about, what is wrong, how to load it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation import layout
from curation.attempts import quotable, read_attempts
from curation.checks import Finding
from curation.hub.front import front_of, with_front
from curation.hub.licences import OTHER
from curation.meaning import units_of
from curation.notes import masked, read_notes
from curation.provenance import read_provenance, recorded, tree
from curation.store import Store

BEGIN, END = (
    "<!-- studio: generated, edits between these lines are lost -->",
    "<!-- studio: end of the generated part -->",
)
MAP = "positions.png"
"""Where the picture of placements lies in the repository."""
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_LARGER = "10M<n<100M"


@dataclass(frozen=True)
class Release:
    """A release on the Hub.

    Attributes:
        name: its tag.
        commit: what it names.
        title: of that commit, with its date.
    """

    name: str
    commit: str
    title: str


def card(
    store: Store,
    repo: str,
    licence: str,
    findings: Sequence[Finding],
    *,
    release: str,
    earlier: Sequence[Release] = (),
    own: str = "",
    with_map: bool = False,
    deep: bool = False,
) -> str:
    """README.md of a dataset.

    Args:
        store: the dataset.
        repo: owner/name.
        licence: an id of the Hub's.
        findings: of `curation.checks`.
        release: tag under which this will be found for ever.
        earlier: the releases before it, newest first.
        own: the card there is; its words outside the generated part stay, and so does YAML that this does not write.
        with_map: whether `MAP` is in the repository.
        deep: whether the findings are of every image, or of numbers, files and a glance at the videos.

    Raises:
        UsageError: its YAML is broken.
    """
    kept, words = front_of(own)
    made = {**kept, **_yaml(store, repo, licence, kept)}
    made_part = [
        BEGIN,
        *_body(store, repo, with_map),
        *_found(store, findings, deep=deep),
        *_loading(repo, release, earlier),
        END,
    ]
    body = "\n".join(made_part)
    head, tail = (words[: words.index(BEGIN)], words[words.index(END) + len(END) :]) if _marked(words) else (words, "")
    # Stripped, so that making it again from itself changes nothing.
    return with_front(made, "\n\n".join(part for part in (head.strip(), body, tail.strip()) if part) + "\n")


def _marked(words: str) -> bool:
    return BEGIN in words and END in words


def _yaml(store: Store, repo: str, licence: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    story, frames = read_provenance(store.root), store.total_frames
    tags = ["LeRobot", store.robot_type, "video" if layout.cameras(store.features) else "", "timeseries"]
    sources = [
        str(hub["repo"]) for parent in story.get("parents") or () if (hub := parent.get("hub") or {}).get("repo")
    ]
    return {
        "pretty_name": kept.get("pretty_name") or repo.partition("/")[2],
        "license": licence,
        **({"license_name": kept.get("license_name") or "own", "license_link": "LICENSE"} if licence == OTHER else {}),
        "language": kept.get("language") or ["en"],
        "tags": list(dict.fromkeys([*(kept.get("tags") or ()), *filter(None, tags), *(["curated"] if story else ())])),
        "task_categories": ["robotics"],
        "size_categories": [next((name for most, name in _SIZES if frames < most), _LARGER)],
        **({"source_datasets": list(dict.fromkeys(sources))} if sources else {}),
        "configs": kept.get("configs") or [{"config_name": "default", "data_files": "data/*/*.parquet"}],
    }


def _body(store: Store, repo: str, with_map: bool) -> Iterator[str]:
    cameras = layout.cameras(store.features)
    seen = f", seen by {len(cameras)} camera{'s' if len(cameras) != 1 else ''}" if cameras else ""
    yield f"# {repo.partition('/')[2]}"
    yield ""
    yield (
        f"{store.total_episodes} episodes, {store.total_frames} frames, {_hours(store, store.total_frames)} at "
        f"{store.fps} frames a second of a {store.robot_type or 'robot'}{seen}. "
        f"LeRobot {store.info['codebase_version']}."
    )
    if with_map:
        yield f"\n![Where the block was]({MAP})"
    yield from _episodes(store)
    yield from _columns(store)
    yield from _origin(store)


def _hours(store: Store, frames: int) -> str:
    minutes = frames / store.fps / 60
    return f"{minutes / 60:.1f} hours" if minutes >= 90 else f"{minutes:.1f} minutes"


def _episodes(store: Store) -> Iterator[str]:
    rows = store.rows()
    yield "\n## Episodes\n\n| task | episodes | frames | time | outcomes |\n|---|---|---|---|---|"
    for task in dict.fromkeys(episode.task_words for episode in store.episodes):
        those = [episode for episode in store.episodes if episode.task_words == task]
        frames = sum(episode.length for episode in those)
        ends = _counts(episode.row.outcome for episode in those)
        yield f"| {_cell(task)} | {len(those)} | {frames} | {_hours(store, frames)} | {ends} |"
    attempts, _ = read_attempts(store.root)
    rate, of = quotable(rows, attempts)
    told = rate.of(of) if rate else "no rate can be quoted, because nobody knows what was tried for these episodes"
    yield f"\n- Success: {told}."
    yield f"- Driven by: {_counts(row.operator for row in rows)}."
    if hidden := masked(read_notes(store.root)) & {row.episode_id for row in rows}:
        yield f"- **{len(hidden)} of them are marked as put away** (meta/studio/notes.jsonl); LeRobot still reads them."


def _counts(names: Iterable[str]) -> str:
    return ", ".join(f"{name or 'unknown'} {number}" for name, number in Counter(names).most_common())


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
    yield from tree(store.root.resolve().name, story, ours=recorded(store))
    yield "```"
    if story.get("episodes"):
        before = sum(int(parent.get("episodes") or 0) for parent in story["parents"])
        sources = {(clip.get("parent"), clip.get("episode_id")) for clip in (story.get("episodes") or {}).values()}
        yield f"\n{len(sources)} of the {before} episodes of what it was made from are in it."
    if scene:
        yield f"\nRecorded in simulation, scene `{scene}`; every frame's physics is in meta/studio/frames."


def _found(store: Store, findings: Sequence[Finding], *, deep: bool) -> Iterator[str]:
    yield "\n## What is known to be wrong\n"
    looked = (
        "Every number and every image was looked at."
        if deep
        else "Every number was looked at; of the videos the counts, the packets and the last frames, not every image."
    )
    yield f"{looked}{'' if findings else ' Nothing was found.'}\n"
    for finding in findings:
        # Where a dataset lies on somebody's disk is nobody's business.
        what = finding.what.replace(f"{store.root}/", "").replace(str(store.root), store.root.name)
        yield f"- {finding.level}: {_cell(what)} {_cell(finding.means)}"


def _loading(repo: str, release: str, earlier: Sequence[Release]) -> Iterator[str]:
    yield "\n## How to load\n\n```python"
    yield "from lerobot.datasets import LeRobotDataset\n"
    yield f'dataset = LeRobotDataset("{repo}", revision="{release}")  # this release; without a revision the newest'
    yield "```\n"
    yield f"[Look at it](https://huggingface.co/spaces/lerobot/visualize_dataset?path={repo})"
    if earlier:
        yield "\nEarlier releases:\n"
        yield from (f"- `{one.name}` ({one.commit[:8]}): {_cell(one.title)}" for one in earlier)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
