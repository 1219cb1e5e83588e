"""What of a dataset goes to the Hub, and what must hold before it does."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.atomic import write_aside
from curation.checks import Finding
from curation.consolidate import consolidated
from curation.coverage import placements_of
from curation.coverage_picture import picture
from curation.errors import DataError, UsageError
from curation.hub.calls import Hub
from curation.hub.card import MAP, card
from curation.hub.licences import require_licence
from curation.hub.publish import Content, Published
from curation.hub.tags import TAG
from curation.layout import HUB
from curation.notes import masked, read_notes
from curation.store import Store
from curation.table import Table

README = "README.md"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a dataset is published.

    Attributes:
        licence: an id of the Hub's.
        with_masked: also with episodes in the trash.
        force: also with errors that the checks found.
    """

    licence: str
    with_masked: bool = False
    force: bool = False


def require_publishable(store: Store, terms: Terms, findings: Sequence[Finding]) -> None:
    """Refuse what nobody should train on.

    Raises:
        UnknownChoice: the licence is none.
        UsageError: there are no episodes, or some lie in the trash.
        DataError: the checks found errors.
    """
    require_licence(terms.licence)
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


def contents_of(
    hub: Hub, store: Store, terms: Terms, findings: Sequence[Finding], table: Table | None
) -> dict[str, Content]:
    """Every file that the repository shall hold.

    Args:
        hub: the repository, which may not be there yet.
        store: the dataset.
        terms: how it is published.
        findings: for the card.
        table: for the picture of placements; None draws none.

    Raises:
        DataError: the dataset cannot be read.
        UsageError: the card that is there has broken YAML.
        HubError: the Hub does not say what is there.
    """
    found = consolidated(store.root)
    data = placements_of(store)
    if table is not None and len(data):
        sink = io.BytesIO()
        picture(table, data, title=f"{hub.repo.partition('/')[2]}: {len(data)} episodes", width=900).save(sink, "PNG")
        found[MAP] = sink.getvalue()
    refs, own = _there(hub)
    mine = store.root / README
    head = refs.get("main")
    earlier = {name: at for name, at in refs.items() if name.startswith(f"{TAG}.") and at != head}
    words = mine.read_text(encoding="utf-8") if mine.is_file() else own
    try:
        text = card(store, hub.repo, terms.licence, findings, earlier=earlier, own=words, with_map=MAP in found)
    except Exception as error:  # yaml raises what it likes
        raise UsageError(f"The YAML at the top of {README} cannot be read: {error}. Mend it first.") from error
    found[README] = text.encode()
    return found


def remember(root: Path, published: Published) -> None:
    """Write down in the dataset where it was published, for checks and for what is made of it."""
    told = {"repo": published.repo, "commit": published.commit, "tag": published.tag, "release": published.release}
    write_aside(root / HUB, json.dumps(told).encode())


def _there(hub: Hub) -> tuple[dict[str, str], str]:
    """Refs and card of a repository; nothing of one that is not there."""
    from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

    def ask() -> tuple[dict[str, str], str]:
        try:
            found = hub.api.list_repo_refs(hub.repo, repo_type=hub.kind)
            refs = {ref.name: str(ref.target_commit) for ref in (*found.branches, *found.tags)}
            at = hub.api.hf_hub_download(hub.repo, README, repo_type=hub.kind, revision=refs.get("main"))
            return refs, Path(at).read_text(encoding="utf-8")
        except RepositoryNotFoundError:
            return {}, ""
        except EntryNotFoundError:
            return refs, ""

    answer: tuple[dict[str, str], str] = hub.call(ask)
    return answer
