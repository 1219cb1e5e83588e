"""Which attempts a chain keeps: resolved once, when it is planned, so that what moves beside it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classifiers.card_file import read_card
from classifiers.checkpoint import digest_of
from curation.errors import UsageError
from curation.notes import CLASSIFIER
from studio.paths import run_path


@dataclass(frozen=True)
class Keeping:
    """A rule.

    Attributes:
        where: query that a kept attempt fits, "" for all.
        classifier: name of the one that has to score attempts first, "" for none.
        digest: of that classifier.
        learned: positions x, y that it learned from [m].
    """

    where: str
    classifier: str = ""
    digest: str = ""
    learned: tuple[tuple[float, float], ...] = ()

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Keeping:
        """What `asdict` gave, through JSON."""
        learned = tuple((float(x), float(y)) for x, y in told["learned"])
        return cls(str(told["where"]), str(told["classifier"]), str(told["digest"]), learned)

    def query(self, also: str) -> str:
        """What a kept attempt fits where more is asked."""
        return " ".join(filter(None, (self.where, also)))

    def require_same_classifier(self) -> None:
        """Refuse to let another classifier of the same name score; a card made anew is no other classifier.

        Raises:
            UsageError: another one is there.
            DataError: none is there, or it has no card.
        """
        now = digest_of(read_card(run_path(self.classifier)).classifier) if self.classifier else ""
        if now != self.digest:
            raise UsageError(
                f"The classifier {self.classifier} is another one ({now}) than was planned with ({self.digest}). Put "
                "that one back, or begin anew under another --to."
            )


def keeping(keep: str) -> Keeping:
    """A rule by its name.

    Args:
        keep: judge, all, or classifier:NAME.

    Raises:
        UsageError: nothing of that name keeps.
        DataError: the classifier has no card.
    """
    if keep == "judge":
        return Keeping("success")
    if keep == "all":
        return Keeping("")
    if not keep.startswith(CLASSIFIER):
        raise UsageError(f"--keep {keep} is none of judge, all and {CLASSIFIER}NAME.")
    card = read_card(run_path(keep))
    learned = tuple((float(x), float(y)) for x, y in card.learned.get("positions", ()))
    name = keep.removeprefix(CLASSIFIER)
    return Keeping(f"score>={card.threshold:g}", name, digest_of(card.classifier), learned)
