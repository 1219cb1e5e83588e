"""check: everything that can be wrong with datasets, what it means for training and what mends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from curation.checks import Finding, check_folder
from curation.errors import BAD_DATA, OK, UsageError
from studio.console import Console
from studio.findings import findings_text
from studio.options import Names
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Check:
    """Look for everything that may be wrong with datasets. Exit code 3 if there is an error."""

    datasets: Names
    """LeRobot v3 datasets, the studio's or others'."""
    deep: bool = False
    """Decode every image, which takes about as long as training reads them once."""
    hub: bool = False
    """Also ask the Hub whether its tag is what was published."""
    no_doctor: bool = False
    """Leave lerobot-doctor out, which otherwise runs along where it is installed."""
    json: bool = False
    """Print the findings as JSON."""


def check(options: Check, console: Console) -> int:
    """Print what was found, gravest first."""
    if not options.datasets:
        raise UsageError("Name the datasets to check: studio check DATASET...")
    asking = _asking() if options.hub else {}
    found: dict[str, list[Finding]] = {}
    for name in options.datasets:

        def tell(done: int, of: int, name: str = name) -> None:
            console.progress(f"{name}: frame {done} of {of}")
            console.advance(done, of)

        console.progress(f"{name}: looking")
        found[name] = check_folder(
            dataset_path(name), deep=options.deep, second_opinion=not options.no_doctor, tell=tell, **asking
        )
    text = "\n\n".join(findings_text(name, findings) for name, findings in found.items())
    console.result(text, {name: [asdict(finding) for finding in findings] for name, findings in found.items()})
    wrong = any(finding.level == "error" for findings in found.values() for finding in findings)
    return BAD_DATA if wrong else OK


def _asking() -> dict[str, Callable[..., Mapping[str, str]]]:
    """What asks the Hub; heavy, so loaded only where it is wanted."""
    from curation.hub import data_of, refs_of

    return {"refs": refs_of, "trees": data_of}
