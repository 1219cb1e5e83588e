"""What of a dataset goes to the Hub, and what must hold before it does."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.checks import Finding
from curation.consolidate import Snapshot
from curation.coverage import placements_of
from curation.coverage_picture import picture
from curation.errors import DataError, UsageError
from curation.hub.calls import Hub
from curation.hub.card import MAP, Release, card
from curation.hub.licences import OTHER, require_licence
from curation.hub.publish import Content, Past, Published, compare
from curation.hub.tags import next_release, numbered
from curation.info import VERSION
from curation.layout import HUB, INTENDED, PROVENANCE, json_bytes
from curation.notes import masked, read_notes
from curation.provenance import read_provenance
from curation.store import Store
from curation.table import Table

README = "README.md"
_BESIDE = ("LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE", "CITATION.cff")
"""Files of people that go along."""
_FOLDERS = ("data/", "meta/", "videos/", "images/")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a dataset is published.

    Attributes:
        licence: an id of the Hub's.
        with_masked: also with episodes in the trash.
        force: also with errors that the checks found.
        deep: whether the checks looked at every image.
    """

    licence: str
    with_masked: bool = False
    force: bool = False
    deep: bool = False


def require_publishable(store: Store, terms: Terms, findings: Sequence[Finding]) -> None:
    """Refuse what nobody should train on.

    Raises:
        UnknownChoice: the licence is none.
        UsageError: there are no episodes, or some lie in the trash; it is of another version than its tag would say;
            a licence of one's own has no text.
        DataError: the checks found errors.
    """
    require_licence(terms.licence)
    if terms.licence == OTHER and not any((store.root / name).is_file() for name in _BESIDE[:3]):
        raise UsageError(
            f"A licence that the Hub does not list needs its text: write it into {store.root / 'LICENSE'}."
        )
    version = store.info["codebase_version"]
    if version != VERSION:
        raise UsageError(
            f"{store.root} is of LeRobot {version}, and would be found as {VERSION}. studio merge {store.root} "
            f"--to NEW makes a {VERSION} dataset of it."
        )
    if not store.episodes:
        raise UsageError(f"{store.root} holds no episode yet, so there is nothing to publish.")
    hidden = masked(read_notes(store.root)) & {row.episode_id for row in store.rows()}
    if hidden and not terms.with_masked:
        raise UsageError(
            f"{len(hidden)} episodes of {store.root} lie in the trash, but LeRobot would train on them. Make a dataset "
            f"without them: studio merge {store.root.name} --to NAME; or publish them too with --with-masked."
        )
    errors = [finding for finding in findings if finding.level == "error"]
    if errors and not terms.force:
        first = errors[0]
        raise DataError(
            f"The checks found {len(errors)} errors, first: {first.what} {first.mend} "
            f"studio check {store.root} says more; --force publishes all the same, and the card names them."
        )


def is_ours(name: str) -> bool:
    """Whether a file of a repository is of a dataset; what people put beside it on the Hub is theirs."""
    return name.startswith(_FOLDERS) or name in (README, MAP)


def past_of(root: Path, repo: str) -> Past:
    """What of a repository a dataset comes from: published or pulled here, or by what it was made from.

    Raises:
        DataError: its provenance is damaged.
    """
    commits = {
        str(hub["commit"])
        for hub in (_told(root), *_parents(read_provenance(root)))
        if hub.get("repo") == repo and "commit" in hub
    }
    intended = _told(root, INTENDED)
    return Past(commits, (str(intended["mark"]),) if intended.get("repo") == repo and "mark" in intended else ())


def contents_of(
    hub: Hub, taken: Snapshot, terms: Terms, findings: Sequence[Finding], table: Table | None
) -> dict[str, Content]:
    """Every file of the dataset that the repository shall hold.

    The card names the release it is in and those before. If nothing else changes it stays as it is, so that publishing
    twice makes no second release.

    Args:
        hub: the repository, which may not be there yet.
        taken: the dataset.
        terms: how it is published.
        findings: of that very snapshot, for the card.
        table: for the picture of placements; None draws none.

    Raises:
        DataError: the dataset cannot be read.
        UsageError: the card that is there has broken YAML.
        HubError: the Hub does not say what is there.
    """
    store = taken.store
    found: dict[str, Content] = dict(taken.files)
    found |= {name: (store.root / name).read_bytes() for name in _BESIDE if (store.root / name).is_file()}
    if PROVENANCE in found:
        found[PROVENANCE] = json_bytes(_without_paths(read_provenance(store.root)))
    data = placements_of(store)
    if table is not None and len(data):
        sink = io.BytesIO()
        picture(table, data, title=f"{hub.repo.partition('/')[2]}: {len(data)} episodes", width=900).save(sink, "PNG")
        found[MAP] = sink.getvalue()
    there = _there(hub)
    own = _words(hub, store.root, there)

    def text(release: str, earlier: Sequence[Release]) -> bytes:
        return card(
            store,
            hub.repo,
            terms.licence,
            findings,
            release=release,
            earlier=earlier,
            own=own,
            with_map=MAP in found,
            deep=terms.deep,
        ).encode()

    following = next_release(there.refs)
    here = [one.name for one in there.releases if one.commit == there.head]
    same = text(here[0] if here else following, [one for one in there.releases if one.commit != there.head])
    if there.head is not None and not compare(hub, {**found, README: same}, is_ours):
        return {**found, README: same}
    return {**found, README: text(following, there.releases)}


def intend(root: Path, repo: str, mark: str) -> None:
    """Write down what is about to be published, so that it is known for ours if nothing can be written afterwards.

    Raises:
        CannotWrite: the disk refuses.
    """
    write_aside(root / INTENDED, json.dumps({"repo": repo, "mark": mark}).encode())


def remember(root: Path, published: Published) -> None:
    """Write down in the dataset where it was published, for checks and for what is made of it.

    Raises:
        CannotWrite: the disk refuses.
    """
    told = {"repo": published.repo, "commit": published.commit, "tag": published.tag, "release": published.release}
    write_aside(root / HUB, json.dumps(told).encode())
    with suppress(OSError):  # it says nothing wrong
        (root / INTENDED).unlink(missing_ok=True)


@dataclass(frozen=True)
class _There:
    """What a repository is before it is published to.

    Attributes:
        refs: name to commit.
        releases: newest first.
        card: README.md; empty if there is none.
    """

    refs: Mapping[str, str]
    releases: Sequence[Release]
    card: str

    @property
    def head(self) -> str | None:
        """The newest commit."""
        return self.refs.get("main")


def _there(hub: Hub) -> _There:
    """Nothing of a repository that is not there."""
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    def ask() -> _There:
        try:
            refs = hub.refs_once()
        except RepositoryNotFoundError:
            return _There({}, (), "")
        commits = hub.api.list_repo_commits(hub.repo, repo_type=hub.kind)
        titles = {str(one.commit_id): f"{one.title}, {one.created_at:%Y-%m-%d}" for one in commits}
        releases = [Release(name, refs[name], titles.get(refs[name], "")) for name in numbered(refs)]
        try:
            at = hub.api.hf_hub_download(hub.repo, README, repo_type=hub.kind, revision=refs.get("main"))
        except EntryNotFoundError:
            return _There(refs, releases, "")
        return _There(refs, releases, Path(at).read_text(encoding="utf-8"))

    answer: _There = hub.call(ask)
    return answer


def _words(hub: Hub, root: Path, there: _There) -> str:
    """The card whose words are kept: of this disk, unless somebody has written into the one on the Hub since."""
    mine = root / README
    if not mine.is_file():
        return there.card
    told = _told(root)
    if there.card and told.get("repo") == hub.repo and told.get("commit") not in (None, there.head):
        before, now = _card_of(hub, str(told["commit"])), _card_of(hub, str(there.head))
        if before is not None and before != now:
            hub.say(f"{README} was changed on the Hub; those words are kept, not those of {mine}")
            return there.card
    return mine.read_text(encoding="utf-8")


def _card_of(hub: Hub, commit: str) -> str | None:
    """The hash of the card in a commit; None if there is none."""
    from huggingface_hub.errors import RevisionNotFoundError

    def ask() -> str | None:
        try:
            found = hub.api.get_paths_info(hub.repo, [README], revision=commit, repo_type=hub.kind)
        except RevisionNotFoundError:
            return None
        return next((str(getattr(one, "blob_id", "")) for one in found), None)

    answer: str | None = hub.call(ask)
    return answer


def _told(root: Path, name: str = HUB) -> dict[str, Any]:
    """Where a dataset was published or pulled from; nothing if nobody says."""
    try:
        told = json.loads((root / name).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _parents(story: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Where all that a dataset was made from lay on the Hub."""
    for parent in story.get("parents") or ():
        yield parent.get("hub") or {}
        yield from _parents(parent.get("provenance") or {})


def _without_paths(story: Mapping[str, Any]) -> dict[str, Any]:
    """Provenance for others, who know parents by name and fingerprint; folders of a disk are nobody's business."""
    parents = [
        {
            **{key: value for key, value in parent.items() if key != "path"},
            "provenance": _without_paths(parent["provenance"]) if parent.get("provenance") else None,
        }
        for parent in story.get("parents") or ()
    ]
    return {**story, "parents": parents}
