"""How findings are told."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from curation.checks import Finding
from curation.checks.finding import LEVELS, listed

_WIDTH = 100


def findings_text(name: str, findings: Sequence[Finding]) -> str:
    """What was found about a dataset, in the order given.

    Args:
        name: of the dataset, as it was named.
        findings: about it.
    """
    counts = {level: sum(finding.level == level for finding in findings) for level in LEVELS}
    parts = [f"{count} {level}{'s' if count > 1 else ''}" for level, count in counts.items() if count]
    lines = [f"{name}: {', '.join(parts) or 'nothing is wrong'}"]
    for finding in findings:
        lines += ["", *_wrapped(f"{finding.level:<8}{finding.check}: {finding.what}")]
        if finding.episodes and "episode" not in finding.what:
            lines += _wrapped(f"{'':8}{listed(finding.episodes)}")
        lines += [*_wrapped(f"{'':8}{finding.means}"), *_wrapped(f"{'':8}-> {finding.mend.replace('DATASET', name)}")]
    return "\n".join(lines)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=" " * 8, drop_whitespace=True, break_on_hyphens=False)
