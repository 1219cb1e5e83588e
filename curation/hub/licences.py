"""Licences that the Hub lists; ids as in its documentation of repository licences."""

from __future__ import annotations

from curation.errors import UnknownChoice

LICENCES = (
    "apache-2.0", "mit", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0",
    "cc-by-nc-nd-4.0", "cc0-1.0", "cc-by-3.0", "cc-by-sa-3.0", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear",
    "gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "epl-2.0", "isc", "zlib", "unlicense", "wtfpl",
    "artistic-2.0", "bsl-1.0", "ecl-2.0", "osl-3.0", "afl-3.0", "odbl", "odc-by", "pddl", "cdla-permissive-1.0",
    "cdla-permissive-2.0", "cdla-sharing-1.0", "openrail", "creativeml-openrail-m", "bigscience-openrail-m", "gfdl",
    "ms-pl", "ncsa", "postgresql", "lppl-1.3c", "eupl-1.1", "eupl-1.2", "gemma", "llama3.1", "llama3.2", "llama3.3",
    "other", "unknown",
)  # fmt: skip


def require_licence(licence: str) -> str:
    """The same id.

    Raises:
        UnknownChoice: the Hub does not list it.
    """
    if licence not in LICENCES:
        raise UnknownChoice("licence", licence or "(none)", LICENCES)
    return licence
