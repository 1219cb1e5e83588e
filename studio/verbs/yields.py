"""yields: what studio generate gave so far, also while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.errors import TargetExists
from curation.store import Store
from studio import yielding
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path
from studio.table_of import table_of
from studio.yield_words import draw, refusals, refusals_words, table


@dataclass(frozen=True, kw_only=True)
class Yields:
    """Show what attempts gave at each position, why the others were not kept, and how sure that is."""

    dataset: Name
    """A dataset of studio generate, finished or not."""
    picture: Path | None = None
    """Draw the yield over the table to this new PNG file."""
    json: bool = False
    """Print it as JSON."""


def yields(options: Yields, console: Console) -> int:
    """Print the yield; nothing is locked or changed."""
    root = dataset_path(options.dataset)
    if options.picture is not None and options.picture.exists():
        raise TargetExists(options.picture, "Choose another name.")
    found, lines = yielding.seen(root)
    if options.picture is not None:
        draw(found, table_of(Store.open(root)), f"{root.name}: {found.asked.get('operator', '')}", options.picture)
        console.step(f"{options.picture} is drawn.")
    made = f"{len(lines)} of {found.wanted} attempts made" if found.wanted else f"{len(lines)} attempts made"
    why = refusals(lines)
    console.result(
        "\n".join([made, *refusals_words(why, len(lines)), "", table(found)]), {**found.as_json(), "refused": why}
    )
    return 0
